"""Reading the segments from a position on: which groups happened, what is torn, what is damaged.

The rules are those of `docs/format.md`, "The commit protocol". A scan reads headers and heads only; a group's
bodies are read to tell a whole last group from a torn one, and by a deep scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from otrdb.errors import Damaged
from otrdb.storage.blocks import HEADER_BYTES
from otrdb.storage.groups import GROUP_MAGIC, GroupInfo, GroupRecord, Position
from otrdb.storage.headers import SEGMENT_HEADER
from otrdb.storage.medium import CHUNK
from otrdb.storage.segment_files import SegmentFiles, damaged

Report: TypeAlias = Callable[[Damaged], None]
"""Is told of damage that was met and stepped over."""


class Found(NamedTuple):
    """A group that happened, and whether something written after its sync vouches for it."""

    info: GroupInfo
    payload: bytes
    vouched: bool


class Scan:
    """One pass over the groups after a position. Iterate once; the attributes are final when that is done.

    Attributes:
        end: after the newest group that happened.
        known: sequence of the newest group that is known to have been durable.
        appendable: whether a new group may follow at `end` (what stands there now is torn, not damaged).
    """

    def __init__(
        self, files: SegmentFiles, position: Position, report: Report, *, deep: bool = False
    ) -> None:
        self._files = files
        self._start = position
        self._report = report
        self._deep = deep
        self.end = position
        self.known = position.sequence
        self.appendable = True

    def __iter__(self) -> Iterator[Found]:
        numbers = [number for number in self._files.numbers() if number >= self._start.segment]
        self._check_start(numbers)
        for number in numbers:
            yield from self._segment(number, final=number == numbers[-1])
        if self.known > self.end.sequence:
            self.appendable = False
            self._lost(self.known, self.end.segment, self.end.offset)

    def _check_start(self, numbers: list[int]) -> None:
        segment, offset = self._start.segment, self._start.offset
        present = segment in numbers
        if self._start.sequence and not (present and offset <= self._files.file(segment).size()):
            self.appendable = False
            self._report(damaged("is cut off" if present else "is missing", segment, offset))

    def _segment(self, number: int, *, final: bool) -> Iterator[Found]:
        begin = self._start.offset if number == self._start.segment else SEGMENT_HEADER.size
        header = self._files.header(number)
        durable = header.durable if header else 0
        if durable > self.end.sequence:
            self._lost(durable, self.end.segment, self.end.offset)
        self.known = max(self.known, durable)
        self.end = Position(max(self.end.sequence, durable), number, begin)
        held: Met | None = None
        for met in group_records(self._files, number, begin):
            if held:
                yield from self._judge(held, vouched=met.record.durable >= held.record.info.sequence)
            held = met
        if held:
            yield from self._judge(held, vouched=not final)

    def _judge(self, met: Met, *, vouched: bool) -> Iterator[Found]:
        record, broken = met
        info = record.info
        self.known = max(self.known, record.durable, info.sequence if vouched else 0)
        whole = (vouched and not self._deep) or self._is_whole(info)
        if not (vouched or whole) or info.sequence <= self.end.sequence:
            return
        if info.sequence > self.end.sequence + 1:
            self._lost(info.sequence - 1, self.end.segment, self.end.offset)
        if broken is not None and broken >= info.start:
            self._report(damaged("has a damaged block", info.address.segment, broken))
        elif not whole:
            self._report(
                damaged(f"has damage inside group {info.sequence}", info.address.segment, info.start)
            )
        self.end = info.end
        yield Found(info, record.payload, vouched)

    def _is_whole(self, info: GroupInfo) -> bool:
        segment, offset = info.address.segment, info.address.offset
        try:
            return self._files.checksum(segment, info.start, offset) == info.crc
        except Damaged:
            return False

    def _lost(self, last: int, segment: int, offset: int) -> None:
        """Groups after the newest one up to ``last`` were durable and cannot be found (I6)."""
        first = self.end.sequence + 1
        groups = f"group {first}" if first == last else f"groups {first} to {last}"
        self._report(damaged(f"should go on with {groups}, which cannot be read,", segment, offset))


class Met(NamedTuple):
    """A sound record, and where before it the chain of blocks was broken, if it was."""

    record: GroupRecord
    broken: int | None


def group_records(files: SegmentFiles, number: int, offset: int) -> Iterator[Met]:
    """Every sound group record in a segment from ``offset`` on, stepping from block to block."""
    broken: int | None = None
    size = files.file(number).size()
    while offset < size:
        block = files.block(number, offset)
        if block is None:
            broken = offset
            found = _find_record(files, number, offset + 1, size)
            if found is None:
                return
            offset = found
            continue
        record = GroupRecord.parse(block, number, offset)
        if record and files.archive in (None, record.archive):
            yield Met(record, broken)
            broken = None
        offset += HEADER_BYTES + block.length


def _find_record(files: SegmentFiles, number: int, offset: int, size: int) -> int | None:
    """Where the next sound group record after ``offset`` stands, found by its magic."""
    for begin in range(offset, size, CHUNK):
        for place in _magics(files, number, begin):
            block = files.block(number, place)
            if block and GroupRecord.parse(block, number, place):
                return place
    return None


def _magics(files: SegmentFiles, number: int, begin: int) -> Iterator[int]:
    """Where a record would begin for each magic that begins in the `CHUNK` bytes from ``begin``."""
    try:
        data = files.read_upto(number, begin, CHUNK + len(GROUP_MAGIC) - 1)
    except Damaged:
        return
    at = data.find(GROUP_MAGIC)
    while at >= 0:
        if begin + at >= HEADER_BYTES:
            yield begin + at - HEADER_BYTES
        at = data.find(GROUP_MAGIC, at + 1)
