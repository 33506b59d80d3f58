"""A fixed state of one stream, and a state that is simply two sorted columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from otrdb.baseline.merging import Columns, no_columns
from otrdb.baseline.summaries import Rows, summarise
from otrdb.model import Int64Array, Kind

KeyOf: TypeAlias = Callable[[Int64Array], Int64Array]
"""Which window each time falls into: a number that never falls as time goes on."""


class Spot(NamedTuple):
    """One stored point: its time and its value's word."""

    time: int
    word: int


class State(Protocol):
    """What a stream holds at one moment. Never changes; ranges are [start, end) in ns."""

    @property
    def version(self) -> int:
        """The last version in it; points that were pending may be in it too."""
        ...

    def columns(self, start: int, end: int) -> Columns:
        """The points in the range."""
        ...

    def count(self, start: int, end: int) -> int:
        """The number of points in the range."""
        ...

    def rows(self, start: int, end: int, key_of: KeyOf) -> Rows:
        """Statistics of the points in the range, one row for each key that occurs."""
        ...

    def at_or_after(self, time: int) -> Spot | None:
        """The first point from `time` on."""
        ...

    def before(self, time: int) -> Spot | None:
        """The last point before `time`."""
        ...


class Sorted:
    """A state held in memory as two columns, answering by scanning them."""

    def __init__(self, times: Int64Array, words: Int64Array, kind: Kind, version: int) -> None:
        for column in (times, words):
            column.flags.writeable = False  # results share them
        self.times = times
        self.words = words
        self.kind = kind
        self.version = version

    @classmethod
    def empty(cls, kind: Kind, version: int) -> Sorted:
        """No points at all."""
        return cls(*no_columns(), kind, version)

    def columns(self, start: int, end: int) -> Columns:
        """The points in the range."""
        first, last = np.searchsorted(self.times, (start, end))
        return self.times[first:last], self.words[first:last]

    def count(self, start: int, end: int) -> int:
        """The number of points in the range."""
        return len(self.columns(start, end)[0])

    def rows(self, start: int, end: int, key_of: KeyOf) -> Rows:
        """Statistics of the points in the range, one row for each key that occurs."""
        times, words = self.columns(start, end)
        return summarise(key_of(times), words, self.kind)

    def at_or_after(self, time: int) -> Spot | None:
        """The first point from `time` on."""
        return self._spot(int(np.searchsorted(self.times, time)))

    def before(self, time: int) -> Spot | None:
        """The last point before `time`."""
        return self._spot(int(np.searchsorted(self.times, time)) - 1)

    def _spot(self, index: int) -> Spot | None:
        if not 0 <= index < len(self.times):
            return None
        return Spot(int(self.times[index]), int(self.words[index]))
