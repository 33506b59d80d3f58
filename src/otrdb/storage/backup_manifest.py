"""The manifest of a backup: which files it consists of, how long each is, and what proves them.

A directory with a manifest is a backup. What the manifest does not name is no part of it, nor are the bytes
of a file behind the size it gives: so a backup that was cut off leaves the one before as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from crc32c import crc32c

from otrdb.errors import Damaged
from otrdb.layout import Layout
from otrdb.storage.groups import FIRST_POSITION, Position
from otrdb.storage.headers import open_header, seal_header
from otrdb.storage.journal_files import JOURNAL_NAMES
from otrdb.storage.segment_files import SEGMENT_NAMES

if TYPE_CHECKING:
    from otrdb.storage.medium import Medium

MANIFEST_NAME: Final = "backup.otb"
MANIFEST_PART: Final = "backup.otb.part"
"""The next manifest, until it is whole and durable and takes the place of the last."""

BACKUP_HEADER: Final = Layout(
    ("magic", "8s", '"OTRBACK", then a zero byte'),
    ("format", "I", "1"),
    ("number", "I", "1 for the first backup in this directory, then one more each; 0: none is complete"),
    ("archive", "16s", "uuid of the archive"),
    ("sequence", "Q", "sequence of the newest group in it"),
    ("time", "q", "when it was made, by the writer's clock"),
    ("journal", "I", "bytes of its journal file, whose number is `number`"),
    ("journal_crc", "I", "CRC of these bytes"),
    ("segments", "I", "rows that follow"),
    ("rows", "I", "CRC of the rows"),
    ("zero", "I", ""),
    ("crc", "I", "CRC of the 68 bytes before"),
)

BACKUP_ROW: Final = Layout(
    ("number", "I", "number of a segment"),
    ("size", "I", "its bytes; those behind are no part of the backup"),
    ("crc", "I", "CRC of these bytes"),
    ("record", "I", "where its last group record begins; 0: it has none"),
)

_MAGIC: Final = b"OTRBACK\0"


class SegmentCopy(NamedTuple):
    """A segment in a backup: a row of the manifest."""

    number: int
    size: int
    crc: int
    record: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return SEGMENT_NAMES.name(self.number)


class Manifest(NamedTuple):
    """What a backup consists of. `segments` ascend by number."""

    number: int
    archive: UUID
    sequence: int = 0
    time: int = 0
    journal: int = 0
    journal_crc: int = 0
    segments: tuple[SegmentCopy, ...] = ()

    @property
    def journal_name(self) -> str:
        """The name of the journal file, which holds the points that are in no segment."""
        return JOURNAL_NAMES.name(self.number)

    @property
    def position(self) -> Position:
        """After the newest group in it."""
        last = self.segments[-1] if self.segments else None
        return Position(self.sequence, last.number, last.size) if last else FIRST_POSITION

    @property
    def sizes(self) -> dict[str, int]:
        """The files and how many bytes of each belong to the backup."""
        journal = {self.journal_name: self.journal} if self.number else {}
        return {segment.name: segment.size for segment in self.segments} | journal

    @property
    def checksums(self) -> dict[str, int]:
        """The CRC of each file's bytes."""
        journal = {self.journal_name: self.journal_crc} if self.number else {}
        return {segment.name: segment.crc for segment in self.segments} | journal

    def pack(self) -> bytes:
        """Its bytes."""
        rows = b"".join(BACKUP_ROW.pack(*segment) for segment in self.segments)
        fixed = (self.number, self.archive.bytes, self.sequence, self.time, self.journal, self.journal_crc)
        return seal_header(BACKUP_HEADER, _MAGIC, *fixed, len(self.segments), crc32c(rows), 0) + rows

    @classmethod
    def parse(cls, data: bytes) -> Manifest | None:
        """The manifest these bytes are; None if they are not sound. One of another format is refused."""
        fields = open_header(BACKUP_HEADER, _MAGIC, data, MANIFEST_NAME)
        rows = data[BACKUP_HEADER.size :]
        if fields is None or crc32c(rows) != fields["rows"]:
            return None
        copies = [
            SegmentCopy(*BACKUP_ROW.unpack_from(rows, at)) for at in range(0, len(rows), BACKUP_ROW.size)
        ]
        names = ("number", "sequence", "time", "journal", "journal_crc")
        known = {name: fields[name] for name in names}
        return cls(archive=UUID(bytes=fields["archive"]), segments=tuple(copies), **known)


def read_manifest(medium: Medium) -> Manifest | None:
    """The manifest in a directory; None if there is none, and so no backup.

    Raises:
        Damaged: it is not what was written.
        UnsupportedFormat: a newer release wrote it.
    """
    if not medium.exists(MANIFEST_NAME):
        return None
    file = medium.open(MANIFEST_NAME)
    try:
        manifest = Manifest.parse(file.read(0, file.size()))
    except OSError as error:
        raise _damaged(f"cannot be read ({error.strerror or error})") from error
    finally:
        file.close()
    if manifest is None:
        raise _damaged("is not what was written")
    return manifest


def write_manifest(medium: Medium, manifest: Manifest) -> None:
    """Let ``manifest`` take the place of the last one, all at once. What it names must be durable."""
    file = medium.open(MANIFEST_PART, create=True)
    try:
        file.truncate(0)
        file.append(manifest.pack())
        file.sync()
    finally:
        file.close()
    medium.rename(MANIFEST_PART, MANIFEST_NAME)
    medium.sync_directory()


def _damaged(what: str) -> Damaged:
    return Damaged(
        f"The manifest {MANIFEST_NAME} {what}.",
        advice=f"Back up to a new directory. To read this one, open a copy of it without {MANIFEST_NAME}.",
    )
