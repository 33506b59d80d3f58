"""The group record: the block that makes the blocks before it a commit."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from otrdb.layout import Layout
from otrdb.storage.blocks import HEADER_BYTES, Address, Block, block_header
from otrdb.storage.headers import SEGMENT_HEADER

GROUP_TYPE: Final = 1
"""Block type of a group record."""

GROUP_MAGIC: Final = b"OTRGROUP"

GROUP_RECORD: Final = Layout(
    ("magic", "8s", '"OTRGROUP"'),
    ("sequence", "Q", "1 for the first group of the archive, then one more each"),
    ("durable", "Q", "sequence of the newest group known durable when this was written"),
    ("time", "q", "when the group was committed, by the writer's clock"),
    ("archive", "16s", "uuid of the archive"),
    ("segment", "I", "number of this segment"),
    ("start", "I", "where the group's first block begins"),
    ("offset", "I", "where this record's own block header begins"),
    ("crc", "I", "CRC of all bytes from `start` to `offset`"),
)


class Position(NamedTuple):
    """A place between two groups: everything before it has been applied.

    `sequence` is that of the last group before it (0: none), `segment` and `offset` are where that group
    ends.
    """

    sequence: int
    segment: int
    offset: int


FIRST_POSITION: Final = Position(0, 1, SEGMENT_HEADER.size)
"""Before the first group of an archive."""


class GroupInfo(NamedTuple):
    """A group that happened.

    `sequence` is its number in the archive's history, `time` when it was committed (ns since 1970, by the
    writer's clock), `start` where its first block begins, `address` its record's, and `crc` the checksum of
    its blocks.
    """

    sequence: int
    time: int
    start: int
    address: Address
    crc: int

    @property
    def end(self) -> Position:
        """The position after it."""
        return Position(self.sequence, self.address.segment, self.address.offset + self.address.size)

    @property
    def size(self) -> int:
        """Bytes of all its blocks and its record."""
        return self.address.offset + self.address.size - self.start


class GroupRecord(NamedTuple):
    """A sound group record: the group, what was durable before it, whose it is, and the engine's payload."""

    info: GroupInfo
    durable: int
    archive: UUID
    payload: bytes

    def pack(self) -> bytes:
        """The record's block. ``info.address`` must be where it is going to stand."""
        sequence, time, start, (segment, offset, _, _), crc = self.info
        fixed = (GROUP_MAGIC, sequence, self.durable, time, self.archive.bytes, segment, start, offset, crc)
        head = GROUP_RECORD.pack(*fixed) + self.payload
        return block_header(GROUP_TYPE, head, len(head)) + head

    @classmethod
    def parse(cls, block: Block, segment: int, offset: int) -> GroupRecord | None:
        """The record in a sound block found there; None if it is another block, or a copy of a record."""
        if block.type != GROUP_TYPE or len(block.head) < GROUP_RECORD.size:
            return None
        magic, sequence, durable, time, archive, *place, crc = GROUP_RECORD.unpack_from(block.head)
        own_segment, start, own_offset = place
        if magic != GROUP_MAGIC or (own_segment, own_offset) != (segment, offset) or start > offset:
            return None
        address = Address(segment, offset, block.length, len(block.head))
        info = GroupInfo(sequence, time, start, address, crc)
        return cls(info, durable, UUID(bytes=archive), block.head[GROUP_RECORD.size :])


def record_bytes(payload: bytes) -> int:
    """Bytes that the record block of a group with this payload takes."""
    return HEADER_BYTES + GROUP_RECORD.size + len(payload)
