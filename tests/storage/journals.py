"""Helpers for tests of the journal: small batches, and journals over a medium in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from otrdb.storage.durability import Durability
from otrdb.storage.journal import Journal
from otrdb.storage.journal_files import JournalFiles
from otrdb.storage.journal_reader import JournalReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.storage.journal_records import JournalRecord
    from otrdb.storage.journal_scan import LostRecords
    from otrdb.storage.medium import Medium
    from otrdb.storage.room import Room

ARCHIVE = UUID(int=42)
FIRST = "journal-00000001.otj"
SECOND = "journal-00000002.otj"
CAP = 16 << 10
"""Files of 4 KiB: small enough to be torn everywhere, and to be filled quickly."""


@dataclass(frozen=True)
class Batch:
    """What is appended at once: for each part a stream number and its points."""

    parts: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
    policy: int = 0

    def append_to(self, journal: Journal) -> int:
        numbers, counts, times, words = self.columns()
        uniform = all(len(points) == 1 for _, points in self.parts)
        return journal.append(numbers, None if uniform else counts, times, words, self.policy)

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        points = [point for _, part in self.parts for point in part]
        numbers = np.array([number for number, _ in self.parts], np.uint32)
        counts = np.array([len(part) for _, part in self.parts], np.uint32)
        columns = np.array(points, np.int64).reshape(-1, 2).T.copy()
        return numbers, counts, columns[0], columns[1]


def one(number: int, time: int, word: int = 0) -> Batch:
    """A batch of one point."""
    return Batch(((number, ((time, word),)),))


Part = tuple[int, int, int, tuple[tuple[int, int], ...]]
"""LSN, policy, stream number, points."""


def parts_of(records: Iterable[JournalRecord]) -> list[Part]:
    """What records hold, part by part."""
    parts: list[Part] = []
    for record in records:
        ends = np.cumsum(record.counts)
        for lsn, number, count, end in zip(record.lsns, record.numbers, record.counts, ends, strict=True):
            rows = slice(int(end - count), int(end))
            points = zip(record.times[rows].tolist(), record.words[rows].tolist(), strict=True)
            parts.append((int(lsn), record.policy, int(number), tuple(points)))
    return parts


def expected(batches: Iterable[tuple[int, Batch]]) -> list[Part]:
    """The parts of batches that were appended under given LSNs."""
    return [(lsn, batch.policy, number, points) for lsn, batch in batches for number, points in batch.parts]


def journal_on(
    medium: Medium, durability: str = "sync", cap: int = CAP, after: int = 0, room: Room | None = None
) -> Journal:
    """Open a journal for writing."""
    return Journal(medium, ARCHIVE, durability=Durability.parse(durability), cap=cap, after=after, room=room)


def replayed(journal: Journal) -> tuple[list[Part], list[LostRecords]]:
    """What a journal replays, and what it says is lost."""
    lost: list[LostRecords] = []
    return parts_of(journal.replay(lost.append)), lost


def read(medium: Medium) -> tuple[list[Part], list[LostRecords]]:
    """What somebody who only reads finds, and what is said to be lost."""
    lost: list[LostRecords] = []
    return parts_of(reader_on(medium).records(lost.append)), lost


def reader_on(medium: Medium) -> JournalReader:
    """A reader from the beginning."""
    return JournalReader(JournalFiles(medium, ARCHIVE))
