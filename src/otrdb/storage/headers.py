"""The headers of segment and journal files: magic, format, number, archive, and a checksum at the end."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from crc32c import crc32c

from otrdb.errors import UnsupportedFormat
from otrdb.layout import Layout

FORMAT: Final = 1
"""The format this release writes, and the only one it reads."""

SEGMENT_HEADER: Final = Layout(
    ("magic", "8s", '"OTRSEG", then two zero bytes'),
    ("format", "I", "1"),
    ("number", "I", "number of this segment"),
    ("archive", "16s", "uuid of the archive"),
    ("durable", "Q", "sequence of the newest group known durable when the segment was begun"),
    ("zero", "I", ""),
    ("crc", "I", "CRC of the 44 bytes before"),
)

JOURNAL_HEADER: Final = Layout(
    ("magic", "8s", '"OTRJRNL", then a zero byte'),
    ("format", "I", "1"),
    ("number", "I", "number of this file"),
    ("archive", "16s", "uuid of the archive"),
    ("durable", "Q", "LSN of the last record before this file; all of them were durable when it was begun"),
    ("first", "Q", "smallest LSN a record of this file may have"),
    ("epoch", "I", "1, and one more after every unclean end"),
    ("zero", "I", ""),
    ("reserved", "I", "0"),
    ("crc", "I", "CRC of the 60 bytes before"),
)

_SEGMENT_MAGIC: Final = b"OTRSEG\0\0"
_JOURNAL_MAGIC: Final = b"OTRJRNL\0"
_CRC_BYTES: Final = 4


class SegmentHeader(NamedTuple):
    """What a sound segment header says."""

    number: int
    archive: UUID
    durable: int

    def pack(self) -> bytes:
        """Its bytes."""
        return seal_header(SEGMENT_HEADER, _SEGMENT_MAGIC, self.number, self.archive.bytes, self.durable, 0)

    @classmethod
    def parse(cls, data: bytes, name: str) -> SegmentHeader | None:
        """The header that ``data`` begins with; None if it is not sound. One of another format is refused."""
        fields = open_header(SEGMENT_HEADER, _SEGMENT_MAGIC, data, name)
        return cls(fields["number"], UUID(bytes=fields["archive"]), fields["durable"]) if fields else None


class JournalHeader(NamedTuple):
    """What a sound journal file header says."""

    number: int
    archive: UUID
    durable: int
    first: int
    epoch: int

    def pack(self) -> bytes:
        """Its bytes."""
        number, archive, durable, first, epoch = self
        return seal_header(JOURNAL_HEADER, _JOURNAL_MAGIC, number, archive.bytes, durable, first, epoch, 0, 0)

    @classmethod
    def parse(cls, data: bytes, name: str) -> JournalHeader | None:
        """The header that ``data`` begins with; None if it is not sound. One of another format is refused."""
        fields = open_header(JOURNAL_HEADER, _JOURNAL_MAGIC, data, name)
        if not fields:
            return None
        archive = UUID(bytes=fields["archive"])
        return cls(fields["number"], archive, fields["durable"], fields["first"], fields["epoch"])


def seal_header(layout: Layout, magic: bytes, *values: object) -> bytes:
    """The bytes of a header: ``magic``, the format, ``values``, and the checksum of all of it."""
    data = layout.pack(magic, FORMAT, *values, 0)[:-_CRC_BYTES]
    return data + crc32c(data).to_bytes(_CRC_BYTES, "little")


def open_header(layout: Layout, magic: bytes, data: bytes, name: str) -> dict[str, Any] | None:
    """The fields of the header that ``data`` begins with; None if it is not sound.

    Raises:
        UnsupportedFormat: it is sound, and of a format this release does not read.
    """
    if len(data) < layout.size:
        return None
    fields = layout.named(layout.unpack_from(data))
    if fields["magic"] != magic or fields["crc"] != crc32c(data[: layout.size - _CRC_BYTES]):
        return None
    if fields["format"] != FORMAT:
        raise UnsupportedFormat(f"{name} has format {fields['format']}; this release reads format {FORMAT}.")
    return fields
