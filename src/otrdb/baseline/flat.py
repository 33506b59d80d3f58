"""The simplest archiver that keeps every promise: one append-only file per stream, and scanning it.

A stream's file is the list of what was done to it: batches of points, deletions, and marks that make a
version. A version is what the file says up to its mark. To answer, the whole file is replayed into two sorted
columns in memory, where they stay; points that come later are merged in by the next question.

A batch over several streams is written to each file under one number, and counts only once that number is in
`batches.log`. At most the last entry of a file can be part of a batch that never counted: opening cuts it
off.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from otrdb.baseline.archive import Archive
from otrdb.baseline.core import Clock, Commit, Core, Durability, Series, wall_clock
from otrdb.baseline.log import RecordLog
from otrdb.baseline.merging import Batch, Columns, coalesce, merge, no_columns
from otrdb.baseline.states import Sorted, State
from otrdb.errors import InternalError
from otrdb.joined import pair_rows
from otrdb.model import FIRST_VERSION, MAX_TIME, MIN_TIME, Int64Array, Kind, Merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otrdb.metadata import Metadata

_BATCH: Final = struct.Struct("<BBxxxxxxQ")  # type, merge policy, number of the batch; then times, then words
_ERASURE: Final = struct.Struct("<Bxxxxxxxqqq")  # type, start, end, time of the version
_MARK: Final = struct.Struct("<Bxxxxxxxq")  # type, time of the version
_BATCH_NUMBER: Final = struct.Struct("<Q")
_ALONE: Final = 0  # number of a batch of one stream, which counts as soon as it is there
_POLICIES: Final = {policy.code: policy for policy in Merge}


class Numbered(NamedTuple):
    """Points of a batch."""

    number: int
    batch: Batch


class Erasure(NamedTuple):
    """Points of [start, end) removed, and a version made."""

    start: int
    end: int
    time: int


class Mark(NamedTuple):
    """A version made."""

    time: int


Entry: TypeAlias = Numbered | Erasure | Mark


def encode(entry: Entry) -> bytes:
    """An entry as the payload of a record."""
    match entry:
        case Numbered(number, batch):
            columns = (batch.times.astype("<i8").tobytes(), batch.words.astype("<i8").tobytes())
            return b"".join((_BATCH.pack(0, batch.merge.code, number), *columns))
        case Erasure(start, end, time):
            return _ERASURE.pack(1, start, end, time)
        case Mark(time):
            return _MARK.pack(2, time)


def decode(payload: bytes) -> Entry:
    """The entry in a record's payload."""
    match payload[0]:
        case 0:
            _, code, number = _BATCH.unpack_from(payload)
            both = np.frombuffer(payload, dtype="<i8", offset=_BATCH.size).astype(np.int64)
            half = len(both) // 2
            return Numbered(number, Batch(both[:half], both[half:], _POLICIES[code]))
        case 1:
            return Erasure(*_ERASURE.unpack(payload)[1:])
        case 2:
            return Mark(*_MARK.unpack(payload)[1:])
        case other:
            raise InternalError(f"A stream's file holds an entry of type {other}.")


class FlatSeries(Series):
    """One stream's file."""

    def __init__(self, path: Path, kind: Kind, counting: set[int]) -> None:
        super().__init__(kind)
        self.log = RecordLog(path)
        self.highest_batch = _ALONE
        self._columns: Columns | None = None
        self._later: list[Entry] = []
        self._recover(counting)
        self.log.release()  # one descriptor per stream would use up what a process may have

    def write(self, entries: Iterable[Entry], durable: bool) -> None:
        """Appends entries to the file. They do not count before `adopt`."""
        try:
            for entry in entries:
                self.log.append(encode(entry))
            if durable:
                self.log.sync()
        finally:
            self.log.release()

    def adopt(self, entries: Iterable[Entry]) -> None:
        """Lets entries that are in the file count."""
        for entry in entries:
            self._count(entry)
            if self._columns is not None:
                self._later.append(_owned(entry))

    def latest(self) -> State:
        """All points, pending ones too."""
        if self._columns is None:
            self._columns = replay(self._entries(), self.kind, no_columns())
        elif self._later:
            self._columns = replay(self._later, self.kind, self._columns)
        self._later = []
        return Sorted(*self._columns, self.kind, self.version)

    def committed(self, version: int) -> State:
        """The points of a version that was made, by replaying the file up to its mark."""
        entries = up_to(version - FIRST_VERSION, self._entries())
        return Sorted(*replay(entries, self.kind, no_columns()), self.kind, version)

    def changed(self, old: State, new: State) -> list[tuple[int, int]]:
        """One range for every time at which the states differ."""
        before, after = (state.columns(MIN_TIME, MAX_TIME) for state in (old, new))
        return [(time, time + 1) for time in differing_times(before, after).tolist()]

    def _entries(self) -> Iterator[Entry]:
        try:
            for record in self.log.records():
                yield decode(record.payload)
        finally:
            self.log.release()

    def _recover(self, counting: set[int]) -> None:
        end = 0
        for record in self.log.records():
            entry = decode(record.payload)
            if isinstance(entry, Numbered) and entry.number != _ALONE:
                self.highest_batch = max(self.highest_batch, entry.number)
                if entry.number not in counting:
                    break
            self._count(entry)
            end = record.end
        if end < self.log.size:
            self.log.cut(end)

    def _count(self, entry: Entry) -> None:
        if isinstance(entry, Numbered):
            self.pending += len(entry.batch.times)
            return
        self.pending = 0
        self.commits.append(Commit(self.version + 1, entry.time))


class FlatCore(Core[FlatSeries]):
    """An archive of one file per stream."""

    make = "flat"

    def _start(self) -> None:
        self._batches = RecordLog(self.path / "batches.log")
        self._counting: set[int] = set()
        self._batches.recover(lambda payload: self._counting.update(_BATCH_NUMBER.unpack(payload)))
        self._last_batch = max(self._counting, default=_ALONE)
        self.load()

    def _open(self, number: int, metadata: Metadata) -> FlatSeries:
        series = FlatSeries(self.path / f"stream-{number:08}.log", metadata.kind, self._counting)
        self._last_batch = max(self._last_batch, series.highest_batch)
        return series

    def _store(self, parts: Sequence[tuple[FlatSeries, Batch]]) -> None:
        number = _ALONE if len(parts) == 1 else self._last_batch + 1
        entries = [(series, [Numbered(number, batch)]) for series, batch in parts]
        sizes = [(series, series.log.size) for series, _ in parts]
        try:
            for series, entry in entries:
                series.write(entry, self.durable)
            if number != _ALONE:
                self._let_count(number)
        except BaseException:
            for series, size in sizes:
                series.log.cut(size)
            raise
        for series, entry in entries:
            series.adopt(entry)

    def _let_count(self, number: int) -> None:
        self._last_batch = number
        self._batches.append(_BATCH_NUMBER.pack(number))
        if self.durable:
            self._batches.sync()
        self._counting.add(number)

    def _commit(self, series: Sequence[FlatSeries]) -> None:
        for one in series:
            self._version(one, Mark(self.now()))

    def _erase(self, series: FlatSeries, start: int, end: int) -> None:
        self._version(series, Erasure(start, end, self.now()))

    def _version(self, series: FlatSeries, entry: Entry) -> None:
        series.write([entry], durable=True)
        series.adopt([entry])

    def _remove(self, series: FlatSeries) -> None:
        series.log.remove()

    def _verify(self, series: FlatSeries) -> None:
        series.committed(series.version)

    def _release(self) -> None:
        for series in self._series.values():
            if isinstance(series, FlatSeries):
                series.log.sync()
                series.log.release()
        self._batches.sync()
        self._batches.release()


def replay(entries: Iterable[Entry], kind: Kind, columns: Columns) -> Columns:
    """`columns` after everything in `entries` was done to them."""
    batches: list[Batch] = []
    for entry in entries:
        if isinstance(entry, Numbered):
            batches.append(entry.batch)
        elif isinstance(entry, Erasure):
            columns = _without(_merged(columns, batches, kind), entry)
            batches = []
    return _merged(columns, batches, kind)


def up_to(marks: int, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries up to the one that makes the version of that number, counted from the first."""
    for entry in entries:
        yield entry
        marks -= not isinstance(entry, Numbered)
        if not marks:
            return


def differing_times(before: Columns, after: Columns) -> Int64Array:
    """The times, ascending, at which the columns do not hold the same words in the same order."""
    rows, times, occupied = pair_rows([before[0], after[0]])
    sides = np.zeros((2, len(times)), dtype=np.int64)
    for side, row, words in zip(sides, rows, (before[1], after[1]), strict=True):
        side[row] = words
    return np.unique(times[(occupied < 2) | (sides[0] != sides[1])])


def _merged(columns: Columns, batches: list[Batch], kind: Kind) -> Columns:
    for batch in coalesce(batches):
        columns = merge(columns, batch, kind)
    return columns


def _without(columns: Columns, erasure: Erasure) -> Columns:
    times, words = columns
    first, last = np.searchsorted(times, (erasure.start, erasure.end))
    return np.delete(times, slice(first, last)), np.delete(words, slice(first, last))


def _owned(entry: Entry) -> Entry:
    """An entry that shares no memory with whoever gave the points."""
    if not isinstance(entry, Numbered):
        return entry
    times, words, policy = entry.batch
    return Numbered(entry.number, Batch(times.copy(), words.copy(), policy))


def open_flat(path: str | Path, *, durability: Durability = "sync", clock: Clock = wall_clock) -> Archive:
    """Opens, or creates, an archive of one append-only file per stream.

    With `durability` "sync" an insert is acknowledged when it would survive a power cut, with "off" when it
    is written. Everything a stream holds is kept in memory once it was asked for.
    """
    return Archive(FlatCore(Path(path), durability, clock))
