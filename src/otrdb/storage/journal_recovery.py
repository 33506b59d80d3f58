"""What an earlier session left: where the journal ends, and how to go on behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otrdb.storage.headers import JOURNAL_HEADER
from otrdb.storage.journal_reader import BEGINNING, JournalPosition, JournalReader
from otrdb.storage.journal_scan import holds_records
from otrdb.storage.medium import read_what_can_be, renew

if TYPE_CHECKING:
    from otrdb.storage.journal_files import JournalFiles


class JournalFile(NamedTuple):
    """A file in use: number, its size, and the smallest and largest LSN a record in it can have."""

    number: int
    first: int
    last: int
    bytes: int


class Recovered(NamedTuple):
    """The state of the journal when it was opened.

    Attributes:
        epoch: 1, or one more than that of the session before if that one did not close.
        next_lsn: above every LSN seen.
        end: after the last record that counts.
        closed: whether the session before closed, so that records may follow at `end`.
        files: oldest first.
    """

    epoch: int
    next_lsn: int
    end: JournalPosition
    closed: bool
    files: list[JournalFile]


def recover(files: JournalFiles, after: int) -> Recovered:
    """Find the end of the journal, and make durable what stands before it (renew: `docs/format.md`).

    Args:
        files: the journal's files.
        after: the largest LSN that was applied by any group; new ones are above it (I12).
    """
    numbers = files.numbers()
    if numbers and _never_begun(files, numbers[-1]):
        # Once the files before it were given up, it would look like one that lost its records.
        files.free(numbers.pop())
        files.sync_directory()
    if not numbers:
        return Recovered(1, after + 1, BEGINNING, closed=False, files=[])
    reader = _at_the_end(files, numbers)
    end = reader.position
    headers = [files.header(number) for number in numbers]
    sound = [header for header in headers if header]
    if not reader.closed:
        renew(files.open(end.number), 0, end.offset)
    epoch = max((header.epoch for header in sound), default=1)
    first = max((header.first for header in sound), default=0)
    return Recovered(
        epoch if reader.closed else epoch + 1,
        max(after + 1, end.lsn + 1, first),
        end,
        reader.closed,
        _ranges(files, numbers, end.lsn),
    )


def _never_begun(files: JournalFiles, number: int) -> bool:
    """Whether a crash came before the last file had a durable header: then it holds no record either."""
    if files.header(number) is not None:
        return False
    file = files.open(number)
    data, unreadable = read_what_can_be(file, 0, file.size())
    return not unreadable and not holds_records(data, number)


def _at_the_end(files: JournalFiles, numbers: list[int]) -> JournalReader:
    """A reader that has read the last file, and others only if that one does not say what came before it."""
    reader = JournalReader(files)
    for number in reversed(numbers):
        durable = reader.durable_before(number)
        if durable is not None:
            reader.position = JournalPosition(number, JOURNAL_HEADER.size, durable)
            break
    for _ in reader.records(lambda _: None):
        pass
    return reader


def _ranges(files: JournalFiles, numbers: list[int], last: int) -> list[JournalFile]:
    """The LSNs of each file, from what each says of those before it."""
    ranges: list[JournalFile] = []
    reader = JournalReader(files)
    for number in reversed(numbers):
        before = reader.durable_before(number)
        first = last if before is None else before + 1
        ranges.append(JournalFile(number, first, last, files.open(number).size()))
        last = first - 1
    return ranges[::-1]
