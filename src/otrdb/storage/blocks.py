"""Blocks: what a segment is made of. Header, checksummed head, body; and the address that finds one again."""

from __future__ import annotations

from typing import Final, NamedTuple

from crc32c import crc32c

from otrdb.layout import Layout

BLOCK_HEADER: Final = Layout(
    ("type", "B", "1 group record; 2 to 9 blocks of a tree; 0 never"),
    ("flags", "B", "0"),
    ("zero", "H", ""),
    ("length", "I", "bytes of the payload: head and body"),
    ("head", "I", "bytes of the head, at most `length`"),
    ("crc", "I", "CRC of the 12 bytes before, then the head"),
)

ADDRESS: Final = Layout(
    ("segment", "I", "number of the segment"),
    ("offset", "I", "where in the segment the block's header begins"),
    ("length", "I", "bytes of the payload"),
    ("head", "I", "bytes of the head"),
)

HEADER_BYTES: Final = BLOCK_HEADER.size
_CHECKED: Final = BLOCK_HEADER.offset("crc")
_PREFIX: Final = Layout(*BLOCK_HEADER.fields[:-1])


class Address(NamedTuple):
    """Where a block is.

    `segment` and `offset` find its header; `length` is the payload's, `head` that of the payload's
    checksummed part.
    """

    segment: int
    offset: int
    length: int
    head: int

    @property
    def size(self) -> int:
        """Bytes of the whole block, its header included."""
        return HEADER_BYTES + self.length


NOWHERE: Final = Address(0, 0, 0, 0)
"""The address of what has no block: the root of an empty version."""


class Block(NamedTuple):
    """A header whose checksum holds, and the head it covers."""

    type: int
    length: int
    head: bytes


def block_header(block_type: int, head: bytes, length: int) -> bytes:
    """The 16 bytes in front of a payload of ``length`` bytes that begins with ``head``."""
    prefix = _PREFIX.pack(block_type, 0, 0, length, len(head))
    return prefix + crc32c(head, crc32c(prefix)).to_bytes(4, "little")


def parse_block(data: bytes) -> Block | None:
    """The block whose header and head ``data`` begins with; None if they are not sound or not all there."""
    if len(data) < HEADER_BYTES:
        return None
    block_type, flags, zero, length, head_length, crc = BLOCK_HEADER.unpack_from(data)
    end = HEADER_BYTES + head_length
    if not block_type or flags or zero or head_length > length or end > len(data):
        return None
    head = data[HEADER_BYTES:end]
    if crc32c(head, crc32c(data[:_CHECKED])) != crc:
        return None
    return Block(block_type, length, head)


def claimed_head(data: bytes) -> int:
    """What the header at the start of ``data`` claims as its head's length, proved or not; 0 if cut off."""
    return int(BLOCK_HEADER.unpack_from(data)[4]) if len(data) >= HEADER_BYTES else 0
