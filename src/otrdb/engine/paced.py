"""Long work on the segments in groups so small that no commit waits for one for long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from otrdb.storage.records import Entry, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otrdb.storage.group_writer import Group

    from .core import Core

_LONGEST: Final = 0.02
"""Seconds a group should take, writing and syncing it included; what is longer is made smaller next time."""

LEAST: Final = 64 << 10
"""Bytes of blocks a group may always have."""

_MOST: Final = 4 << 20


class Paced:
    """Runs steps, as many in one group as there is time for; others may commit between two groups.

    A step adds to `group` and `entries`, and to `published` what is to be done under the lock once the group
    is durable. What it reads of the streams stays as it is while its group is open.

    Args:
        core: the archive's.
        pause: is told how long the others had to wait, s, and waits in its turn.
    """

    def __init__(self, core: Core, pause: Callable[[float], None] = time.sleep) -> None:
        self._core = core
        self._pause = pause
        self._bytes = LEAST
        self.group: Group
        self.entries: list[Entry] = []
        self.published: list[Callable[[], None]] = []
        self.longest = 0.0
        """How long a group took at most, s."""

    def run(self, steps: Iterator[None]) -> None:
        """Take all the steps. After an error the steps since the last group never happened."""
        more = True
        while more:
            self._core.catalog.save()  # not while others wait: steps ask it
            with self._core.committing:
                begun = time.monotonic()
                more = self._group(steps, begun)
                taken = time.monotonic() - begun
            self.longest = max(self.longest, taken)
            self._pause(taken)

    def _group(self, steps: Iterator[None], begun: float) -> bool:
        core = self._core
        core.writable()
        self.entries, self.published, more = [], [], False
        with core.refusing(), core.segments.begin_group() as self.group:
            for _ in steps:
                if self.group.size >= self._bytes or time.monotonic() - begun > _LONGEST / 2:
                    more = True
                    break
            if not self.group.size and not self.entries:
                return more
            size, payload = self.group.size, encode(self.entries)
            info = self.group.commit(payload)
        core.room.due = True
        # First the catalog: what is asked of it from now on must not bring back what is published.
        core.catalog.apply(payload, info)
        with core.lock:
            for publish in self.published:
                publish()
        self._learn(size, time.monotonic() - begun)
        return more

    def _learn(self, size: int, taken: float) -> None:
        if taken > _LONGEST:
            self._bytes = max(self._bytes // 2, LEAST)
        elif size >= self._bytes and 2 * taken < _LONGEST:
            self._bytes = min(self._bytes * 2, _MOST)
