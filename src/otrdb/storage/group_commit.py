"""Threads share syncs: while one waits for the disk, others queue up, and the next sync serves them all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otrdb.errors import OtrError

if TYPE_CHECKING:
    from collections.abc import Callable


class GroupCommit:
    """Knows through which LSN everything is durable, and lets threads wait for more.

    Args:
        sync: makes durable what has been appended, and returns the LSN of the last of it.
        durable: LSN through which everything is durable already.

    Attributes:
        durable: LSN through which everything is known to be durable (I10).
    """

    def __init__(self, sync: Callable[[], int], durable: int) -> None:
        self._sync = sync
        self._changed = threading.Condition()
        self._leading = False
        self.durable = durable

    def sync_through(self, lsn: int) -> None:
        """Return when everything through ``lsn``, which has been appended, is durable."""
        while self.durable < lsn:
            if self._leads(lsn):
                try:
                    self.sync()
                except OtrError:
                    # Somebody else, who closes the archive for one, may have synced it just before.
                    if self.durable < lsn:
                        raise
                finally:
                    self._let_others_lead()

    def sync(self) -> None:
        """Sync once, whoever else does."""
        self.advance(self._sync())

    def advance(self, lsn: int) -> None:
        """Take note that everything through ``lsn`` has become durable."""
        with self._changed:
            self.durable = max(self.durable, lsn)

    def _leads(self, lsn: int) -> bool:
        """Whether this thread is to sync now. If another one does, wait for it: it may serve this one too."""
        with self._changed:
            if not self._leading:
                self._leading = True
                return True
            self._changed.wait_for(lambda: self.durable >= lsn or not self._leading)
            return False

    def _let_others_lead(self) -> None:
        with self._changed:
            self._leading = False
            self._changed.notify_all()
