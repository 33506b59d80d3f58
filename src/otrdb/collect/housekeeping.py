"""What is to be done once an hour beside the collecting, and must not hold it up."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from otrdb.errors import ClosedArchive, Damaged, OtrError

if TYPE_CHECKING:
    from otrdb import Archive


class Housekeeping:
    """Drops what is too old and gives space back, in a thread of its own. Ends when the archive is closed."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._thread: Thread | None = None
        self._error: OtrError | None = None

    def __call__(self) -> None:
        """Begin, unless the last time is not over yet; raises what went wrong then."""
        if self._thread is not None and self._thread.is_alive():
            return
        error, self._error = self._error, None
        self._thread = Thread(target=self._keep, name="housekeeping", daemon=True)
        self._thread.start()
        if error is not None:
            raise error

    def wait(self) -> None:
        """Wait until it is done."""
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        for task in (self._archive.expire, self._compact):
            try:
                task()
            except ClosedArchive:
                return
            except OtrError as error:
                self._error = error

    def _compact(self) -> None:
        done = self._archive.compact(newest=False, gently=True)
        if done.findings:
            raise Damaged(done.findings[0].message)
