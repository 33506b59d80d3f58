"""The segments: immutable blocks, found by address, written in groups that happen completely or not at all.

Opening one goes: make the store, `recover` (or `scan`, to read only) from the catalog's position, then read
and write.
"""

from __future__ import annotations

import threading
from itertools import chain
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from otrdb.errors import InternalError, NotAnArchive, WriteFailed
from otrdb.storage.blocks import HEADER_BYTES, Block, parse_block
from otrdb.storage.group_writer import Group
from otrdb.storage.groups import FIRST_POSITION, GroupInfo, Position
from otrdb.storage.headers import SEGMENT_HEADER, SegmentHeader
from otrdb.storage.medium import Medium, renew
from otrdb.storage.scan import Found, Report, Scan
from otrdb.storage.segment_files import SEGMENT_NAMES, Era, SegmentFiles, damaged
from otrdb.storage.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.storage.freed import Freed

SEGMENT_BYTES: Final = 64 << 20
"""Nominal size: a segment that has reached it is sealed."""


class SegmentStore:
    """The segments of one archive.

    Reads are safe from any thread. Groups are written one at a time: `begin_group` waits for the one before
    to end.

    Args:
        medium: where the segments are. If it is writable and has none, an archive is made.
        nominal: size from which on a segment takes no more groups, bytes.

    Attributes:
        archive: the archive's uuid.
        medium: as given.

    Raises:
        NotAnArchive: there are no segments, and the medium is not writable.
        UnsupportedFormat: a segment has a format this release does not read.
    """

    def __init__(self, medium: Medium, *, nominal: int = SEGMENT_BYTES) -> None:
        self.medium = medium
        self._nominal = nominal
        self._files = SegmentFiles(medium)
        self._writing = threading.Lock()
        self._end: Position | None = None
        self._appendable = True
        self._sealed = False
        self._failure: BaseException | None = None
        self._present = self._files.numbers()
        """The segments there were when the store was made: to list them again costs more than to open one."""
        self.archive = self._identify() or self._found()
        self._files.archive = self.archive

    @property
    def freed(self) -> Freed:
        """What may be missing, since it was given back. Whoever reads the records adds to it."""
        return self._files.freed

    @freed.setter
    def freed(self, freed: Freed) -> None:
        self._files.freed = freed

    @property
    def era(self) -> Era:
        """Held from before an address is learnt, it keeps what stands there readable."""
        return self._files.era

    def blocks(self, segment: int, start: int, end: int) -> Iterator[tuple[int, Block | None]]:
        """The blocks of ``[start, end)`` of a segment by offset, their heads proved; the last one is None if
        no sound block stands there, and so nobody can say where the next one begins.

        Raises `Damaged` where the disk does not give them. One read for each block.
        """
        while start < end:
            block = self._files.block(segment, start)
            yield start, block
            if block is None:
                return
            start += HEADER_BYTES + block.length

    def read_head(self, address: tuple[int, int, int, int]) -> bytes:
        """The head of the block at ``address``, proved by its checksum. One read, or `Damaged`."""
        return self.read_header(address).head

    def read_header(self, address: tuple[int, int, int, int]) -> Block:
        """The block at ``address`` without its body: type and head, proved. One read, or `Damaged`."""
        segment, offset, length, head = address
        block = parse_block(self._files.read(segment, offset, HEADER_BYTES + head))
        if block is None or block.length != length or len(block.head) != head:
            raise damaged("is not what was written", segment, offset)
        return block

    def read_body(self, address: tuple[int, int, int, int], start: int, length: int) -> bytes:
        """Bytes ``[start, start + length)`` of the body, **not** proved: that is the caller's. One read."""
        segment, offset, payload, head = address
        if start < 0 or head + start + length > payload:
            raise damaged("should have a larger body", segment, offset)
        return self._files.read(segment, offset + HEADER_BYTES + head + start, length)

    def read_block(self, address: tuple[int, int, int, int]) -> tuple[bytes, bytes]:
        """The head, proved, and the whole body, not proved."""
        _, _, length, head = address
        return self.read_head(address), self.read_body(address, 0, length - head)

    def scan(
        self, position: Position = FIRST_POSITION, *, report: Report, deep: bool = False, vouched: int = 0
    ) -> Iterator[Found]:
        """The groups that happened after ``position``, in order. May be repeated for more.

        What a writer is just appending is not there yet. Damage is told to ``report`` and stepped over. A
        ``deep`` scan reads every byte and finds damage in every block; else the cost is one read for each
        block. Groups up to sequence ``vouched`` are known to have happened.
        """
        return iter(Scan(self._files, position, report, deep=deep, vouched=vouched, freed=self.freed))

    def recover(self, position: Position, report: Report) -> Iterator[Found]:
        """Like `scan`, before writing; exhaust it once. All it gives is durable; a torn group is cut off."""
        scan = Scan(self._files, position, report, numbers=self._present, freed=self.freed)
        for found in scan:
            if not found.vouched:
                info = found.info
                renew(self._files.file(info.address.segment), info.start, info.end.offset)
            yield found
        self._end = Position(max(scan.end.sequence, scan.known), scan.end.segment, scan.end.offset)
        self._appendable = scan.appendable
        self._cut()

    def begin_group(self) -> Group:
        """Begin the next group; waits while another one is open.

        Raises:
            WriteFailed: a write or a sync failed before (I13).
            DiskFull: there is no room for a new segment.
        """
        self._writing.acquire()
        try:
            start = self._next_start()
            return Group(self._files.file(start.segment), start, self.archive, self._ended)
        except BaseException:
            self._writing.release()
            raise

    def sizes(self) -> dict[int, int]:
        """Bytes of each segment's file."""
        return {number: self._files.file(number).size() for number in self._files.numbers()}

    def numbers(self) -> list[int]:
        """The numbers of the segments there are, ascending."""
        return self._files.numbers()

    def has_gaps(self) -> bool:
        """Whether segments are missing that, as far as is known, were not given back."""
        there = set(self._present)
        return any(
            number not in there and number not in self.freed for number in range(1, max(self._present))
        )

    def header(self, number: int) -> SegmentHeader | None:
        """The header of a segment; None if it is not sound."""
        return self._files.header(number)

    def seal(self) -> None:
        """Let the next group begin a new segment; waits while a group is open."""
        with self._writing:
            self._sealed = True

    def delete(self, number: int) -> None:
        """Delete a segment that was given back. Who has an `era` of before can go on reading it."""
        self._files.retire(number)
        self.medium.delete(SEGMENT_NAMES.name(number))

    def close(self) -> None:
        """Let go of the files. No group may be open."""
        self._files.close()

    def _identify(self) -> UUID | None:
        """The archive's uuid: of the first sound header, or else of the first sound group record."""
        walk = Walk(self._files)
        numbers = self._present
        headers = (walk.header(number) for number in numbers)
        records = (met.record for number in numbers for met in walk.records(number, SEGMENT_HEADER.size))
        witness = next((each for each in chain(headers, records) if each), None)
        return witness and witness.archive

    def _found(self) -> UUID:
        """Begin a new archive. A crash in an earlier attempt left a first segment without a whole header."""
        numbers = self._present
        if not numbers and not self.medium.writable:
            raise NotAnArchive("There is no archive here.")
        if numbers not in ([], [1]) or (numbers and self._files.file(1).size() > SEGMENT_HEADER.size):
            raise damaged("has no readable header, and no segment a readable group,", numbers[0], 0)
        archive = uuid4()
        self._files.create(SegmentHeader(1, archive, durable=0))
        self._present = [1]
        return archive

    def _cut(self) -> None:
        """Remove what stands after the last group: it never happened."""
        if not self._appendable or self._end is None:
            return
        sequence, segment, offset = self._end
        file = self._files.file(segment)
        if offset == SEGMENT_HEADER.size and self._files.header(segment) is None:
            self._files.create(SegmentHeader(segment, self.archive, sequence))
        elif file.size() > offset:
            file.truncate(offset)
            file.sync()

    def _next_start(self) -> Position:
        if self._failure:
            raise WriteFailed("A write failed earlier, so nothing more is written.") from self._failure
        if self._end is None:
            raise InternalError("A group was begun before the segments were recovered.")
        full = self._end.offset >= self._nominal or (self._sealed and self._end.offset > SEGMENT_HEADER.size)
        if full or not self._appendable:
            self._end = self._new_segment(self._end.sequence)
            self._appendable = True
        self._sealed = False
        return self._end

    def _new_segment(self, sequence: int) -> Position:
        number = self._files.numbers()[-1] + 1
        try:
            self._files.create(SegmentHeader(number, self.archive, sequence))
        except WriteFailed as error:
            self._failure = error
            raise
        return Position(sequence, number, SEGMENT_HEADER.size)

    def _ended(self, info: GroupInfo | None, failure: BaseException | None) -> None:
        if info:
            self._end = info.end
        self._failure = failure
        self._writing.release()
