"""Rounds that wait until the clock can be believed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.collect.protocol import Reading


class Taken(NamedTuple):
    """Readings of one moment: `time` in ns, of the steady clock while held and since 1970 UTC after."""

    time: int
    readings: Sequence[Reading]


class Holding:
    """Keeps at most `most` rounds; the oldest give way, and are counted in `dropped`."""

    def __init__(self, most: int) -> None:
        self._rounds: deque[Taken] = deque(maxlen=most)
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._rounds)

    def add(self, taken: Taken) -> None:
        """Keeps a round, stamped by the steady clock."""
        self.dropped += len(self._rounds) == self._rounds.maxlen
        self._rounds.append(taken)

    def release(self, offset: int) -> list[Taken]:
        """Gives all rounds back and forgets them; `offset` is what the wall clock is ahead of the steady one,
        ns."""
        rounds = [Taken(taken.time + offset, taken.readings) for taken in self._rounds]
        self._rounds.clear()
        return rounds
