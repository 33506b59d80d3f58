"""Reading the journal: everything once, and then what was appended since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otrdb.storage.headers import JOURNAL_HEADER
from otrdb.storage.journal_records import (
    CARRIED,
    HEADER_BYTES,
    POINTS,
    RECORD_HEADER,
    JournalRecord,
    Sealed,
    is_one_point,
    unpack_points,
    unpack_run,
    unseal,
)
from otrdb.storage.journal_scan import JournalScan, LostRecords, Report
from otrdb.storage.medium import read_what_can_be

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otrdb.storage.journal_files import JournalFiles
    from otrdb.storage.medium import File


class JournalPosition(NamedTuple):
    """How far the journal has been read: file, offset in it, LSN of the last record."""

    number: int
    offset: int
    lsn: int


BEGINNING = JournalPosition(0, JOURNAL_HEADER.size, 0)


class JournalReader:
    """Reads records in the order of the files; each call goes on where the one before ended. Writes nothing.

    A writer may be appending meanwhile: what is not whole yet is left for the next call. A file that the
    writer gave up before it was read is skipped, since its points are in the segments: **scan the segments
    after reading the journal**, never before, and nothing is missed.

    Attributes:
        position: how far it has come.
        closed: whether the last record it saw ended a session, and nothing sound stands behind it.
    """

    def __init__(self, files: JournalFiles, position: JournalPosition = BEGINNING) -> None:
        self._files = files
        self.position = position
        self.closed = False
        self._stood: JournalPosition | None = None
        self._before = position
        """Where it stood at the end of the file before."""

    def records(self, report: Report, until: JournalPosition | None = None) -> Iterator[JournalRecord]:
        """The records after `position`, which has moved when the iterator is exhausted. Stops at ``until``.

        Lost records are told to ``report`` and stepped over. Costs about 1 us for each record, and memory for
        one file.
        """
        present = self._files.numbers()
        if self.position.number not in present and self.position.offset == JOURNAL_HEADER.size:
            # A file that was begun and taken back, for want of room: the writer goes on in the one before.
            self.position = self._before
        numbers = [
            number
            for number in present
            if self.position.number <= number and (until is None or number <= until.number)
        ]
        for number, following in zip(numbers, [*numbers[1:], None], strict=False):
            end = until.offset if until and number == until.number else None
            try:
                yield from self._file(number, following, end, report)
            except FileNotFoundError:
                continue

    def durable_before(self, number: int) -> int | None:
        """LSN of the last record before a file, from its header or else its first record; None: unknown."""
        header = self._files.header(number)
        if header:
            return header.durable
        file = self._files.open(number)
        data, _ = read_what_can_be(file, 0, file.size())
        first = unseal(memoryview(data), JOURNAL_HEADER.size, number)
        return first.durable if first else None

    def _file(
        self, number: int, following: int | None, end: int | None, report: Report
    ) -> Iterator[JournalRecord]:
        again = number == self.position.number
        base = self.position.offset if again else JOURNAL_HEADER.size
        limit = None if following is None else self.durable_before(following)
        file = self._files.open(number)
        stands_still = again and self.position == self._stood and following is None
        if stands_still and not _may_go_on(file, base, number):
            return
        # A crash may leave a file that is shorter than its header.
        data, unreadable = read_what_can_be(file, base, max((end or file.size()) - base, 0))

        def lost(records: LostRecords) -> None:
            # A file that was given up while it was read may have been used again: then nothing is lost.
            if self._files.exists(number):
                report(records)

        last = self.position.lsn if again else max(self.position.lsn, self.durable_before(number) or 0)
        scan = JournalScan(data, base, number, last, limit, lost)
        yield from _unpacked(memoryview(data), scan)
        behind = [offset for offset in unreadable if offset >= scan.end]
        if behind and following is None:
            # What cannot be read may be torn as well as lost: better one alarm too many.
            lost(
                LostRecords(
                    number, behind[0], base + len(data) - behind[0], scan.last, scan.last + 1, (), None, None
                )
            )
        if not again:
            self._before = self.position
        self.position = JournalPosition(number, scan.end, scan.last)
        self._stood = self.position
        self.closed = scan.closed


def _may_go_on(file: File, offset: int, number: int) -> bool:
    """Whether something like a record of this file begins there: spares a follower the search behind it."""
    data, _ = read_what_can_be(file, offset, HEADER_BYTES)
    fields = RECORD_HEADER.named(RECORD_HEADER.unpack_from(data.ljust(HEADER_BYTES, b"\0")))
    return bool(fields["file"] == number)


def _unpacked(data: memoryview, records: Iterable[Sealed]) -> Iterator[JournalRecord]:
    """Records taken apart; neighbours of one point each, under one policy, as one."""
    run: list[Sealed] = []
    for record in records:
        one = is_one_point(record)
        if run and not (one and record.policy == run[-1].policy and record.at == run[-1].end):
            yield unpack_run(data, run[0], run[-1])
            run.clear()
        if one:
            run.append(record)
        elif record.type in (POINTS, CARRIED):
            unpacked = unpack_points(data, record)
            if unpacked:
                yield unpacked
    if run:
        yield unpack_run(data, run[0], run[-1])
