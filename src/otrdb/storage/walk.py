"""Stepping through the blocks of a segment without giving up at what is damaged or cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otrdb.errors import Damaged
from otrdb.storage.blocks import HEADER_BYTES, Block
from otrdb.storage.groups import GROUP_MAGIC, GroupInfo, GroupRecord
from otrdb.storage.medium import CHUNK, read_what_can_be
from otrdb.storage.segment_files import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.storage.headers import SegmentHeader
    from otrdb.storage.segment_files import SegmentFiles


class Met(NamedTuple):
    """A sound group record, and where before it the chain of blocks was broken, if it was."""

    record: GroupRecord
    broken: int | None


class Walk:
    """Reads headers, records and groups; notes in `unreadable` what the disk does not give, and goes on."""

    def __init__(self, files: SegmentFiles) -> None:
        self._files = files
        self.unreadable: list[Damaged] = []

    def header(self, number: int) -> SegmentHeader | None:
        """The header of a segment; None if it is not sound."""
        try:
            return self._files.header(number)
        except Damaged as error:
            self.unreadable.append(error)
            return None

    def is_whole(self, info: GroupInfo) -> bool:
        """Whether the bytes of a group are those its record was written for. Reads all of them."""
        try:
            return self._files.checksum(info.address.segment, info.start, info.address.offset) == info.crc
        except Damaged as error:
            self.unreadable.append(error)
            return False

    def records(self, number: int, offset: int) -> Iterator[Met]:
        """Every sound group record in a segment from ``offset`` on, from block to block."""
        broken: int | None = None
        size = self._files.file(number).size()
        while offset < size:
            block = self._block(number, offset)
            if block is None:
                broken = offset
                found = self._find_record(number, offset + 1, size)
                if found is None:
                    return
                offset = found
                continue
            record = self._record(block, number, offset)
            if record:
                yield Met(record, broken)
                broken = None
            offset += HEADER_BYTES + block.length

    def _block(self, number: int, offset: int) -> Block | None:
        try:
            return self._files.block(number, offset)
        except Damaged:
            return self._small_block(number, offset)

    def _small_block(self, number: int, offset: int) -> Block | None:
        """The block, reading no byte behind its head."""
        try:
            return self._files.block(number, offset, HEADER_BYTES)
        except Damaged as error:
            self.unreadable.append(error)
            return None

    def _record(self, block: Block | None, number: int, offset: int) -> GroupRecord | None:
        record = GroupRecord.parse(block, number, offset) if block else None
        return record if record and self._files.archive in (None, record.archive) else None

    def _find_record(self, number: int, offset: int, size: int) -> int | None:
        """Where the next sound group record from ``offset`` on stands, found by its magic."""
        for begin in range(offset, size, CHUNK):
            for place in self._magics(number, begin):
                if self._record(self._block(number, place), number, place):
                    return place
        return None

    def _magics(self, number: int, begin: int) -> Iterator[int]:
        """Where a record would begin for each magic that begins in the `CHUNK` bytes from ``begin``."""
        data, bad = read_what_can_be(self._files.file(number), begin, CHUNK + len(GROUP_MAGIC) - 1)
        self.unreadable += [damaged("cannot be read", number, offset) for offset in bad]
        at = data.find(GROUP_MAGIC)
        while at >= 0:
            if begin + at >= HEADER_BYTES:
                yield begin + at - HEADER_BYTES
            at = data.find(GROUP_MAGIC, at + 1)
