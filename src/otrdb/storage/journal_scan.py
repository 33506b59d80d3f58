"""The records of one journal file: which are sound, where they end, and what is lost between them.

The rules are those of `docs/format.md`, "The commit protocol": a place without a sound record is the end,
unless something known to be durable should be there or behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from otrdb.storage.headers import JOURNAL_HEADER
from otrdb.storage.journal_records import (
    ALIGNMENT,
    CLOSED,
    HEADER_BYTES,
    RECORD_HEADER,
    Sealed,
    unpack_points,
    unseal,
)


@dataclass(frozen=True, slots=True)
class LostRecords:
    """Acknowledged records that can no longer be read.

    Attributes:
        file: number of the journal file.
        offset: where in it the damage begins.
        length: bytes up to the next sound record, or to the end.
        after: LSN of the last sound record before.
        before: smallest LSN that is not lost.
        numbers: streams that seem to be concerned, as far as the damaged bytes tell.
        start: smallest time of their points, ns, if the bytes tell.
        end: end of their times (exclusive), ns, if the bytes tell.
    """

    file: int
    offset: int
    length: int
    after: int
    before: int
    numbers: tuple[int, ...]
    start: int | None
    end: int | None


Report: TypeAlias = Callable[[LostRecords], None]
"""Is told of records that were lost and stepped over."""


class JournalScan:
    """One pass over the records of a file. Iterate once; the attributes follow the iteration.

    Args:
        data: the file from byte ``base`` on.
        base: a multiple of 8.
        number: the file's number.
        last: LSN of the last record before.
        limit: LSN of the last record that belongs to the file, if a later file tells; else None.
        report: is told what was lost.

    Attributes:
        end: offset in the file after the last record that counts.
        last: its LSN, of whatever type it is.
        closed: whether it is of type closed, and nothing sound stands behind it.
    """

    def __init__(
        self, data: bytes, base: int, number: int, last: int, limit: int | None, report: Report
    ) -> None:
        self._data = memoryview(data)
        self._base = base
        self._number = number
        self._limit = limit
        self._report = report
        self.end = base
        self.last = last
        self.closed = False

    def __iter__(self) -> Iterator[Sealed]:
        while True:
            at = self.end - self._base
            record = unseal(self._data, at, self._number)
            if record is None or not self._belongs(record):
                record = self._after_gap(at)
                if record is None:
                    return
            self.end = self._base + record.end
            self.last = record.lsn
            self.closed = record.type == CLOSED
            yield record

    def _belongs(self, record: Sealed) -> bool:
        ascends = record.lsn > self.last or (record.type == CLOSED and record.lsn == self.last)
        return ascends and (self._limit is None or record.lsn <= self._limit)

    def _after_gap(self, at: int) -> Sealed | None:
        """The record to go on with where none is sound; None if this is the end (I9)."""
        if self._limit is not None and self._limit <= self.last:
            return None
        later = [record for record in sound_records(self._data, self._number, at) if self._belongs(record)]
        durable = max((record.durable for record in later), default=0) if self._limit is None else self._limit
        if durable <= self.last:
            # A torn session left records behind: the file must not be gone on with, or they would come back.
            self.closed = self.closed and not later
            return None
        self._lost(at, later[0] if later else None, durable)
        return later[0] if later else None

    def _lost(self, at: int, found: Sealed | None, durable: int) -> None:
        end, before = (found.at, found.lsn) if found else (len(self._data), durable + 1)
        suspects = _suspects(self._data, at, end)
        self._report(LostRecords(self._number, self._base + at, end - at, self.last, before, *suspects))


def holds_records(data: bytes, number: int) -> bool:
    """Whether a whole file holds any sound record of its own number."""
    records = sound_records(memoryview(data), number, JOURNAL_HEADER.size - ALIGNMENT)
    return next(records, None) is not None


def sound_records(data: memoryview, number: int, at: int) -> Iterator[Sealed]:
    """Sound records that begin anywhere after ``at``."""
    end = at + ALIGNMENT
    for place in _candidates(data, number, end):
        record = unseal(data, place, number) if place >= end else None
        if record:
            yield record
            end = record.end


_WORD: Final = 4
_LENGTH_WORD: Final = RECORD_HEADER.offset("length") // _WORD
_FILE_WORD: Final = RECORD_HEADER.offset("file") // _WORD


def _candidates(data: memoryview, number: int, start: int) -> list[int]:
    """Places from ``start`` on where the header of a record of that file may stand."""
    places = max(len(data) - start - HEADER_BYTES, 0) // ALIGNMENT + 1
    if start + HEADER_BYTES > len(data):
        return []
    words = np.frombuffer(data, "<u4", (places - 1) * 2 + HEADER_BYTES // _WORD, start)
    lengths = words[_LENGTH_WORD::2][:places]
    files = words[_FILE_WORD::2][:places]
    fits = (files == number) & (lengths >= HEADER_BYTES) & (lengths % ALIGNMENT == 0)
    places_that_fit: list[int] = (start + ALIGNMENT * np.flatnonzero(fits)).tolist()
    return places_that_fit


def _suspects(data: memoryview, at: int, end: int) -> tuple[tuple[int, ...], int | None, int | None]:
    """What the first of the lost records, read without proof, says of its streams and times."""
    if len(data) - at < HEADER_BYTES:
        return (), None, None
    _, _, kind, policy, flags, _, lsn, durable = RECORD_HEADER.unpack_from(data, at)
    record = unpack_points(data, Sealed(at, end, kind, policy, flags, lsn, durable))
    if record is None or not len(record.times):
        return (), None, None
    return tuple(np.unique(record.numbers).tolist()), int(record.times.min()), int(record.times.max()) + 1
