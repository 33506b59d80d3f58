"""The files of the segments: names, shared handles, and proved reads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from crc32c import crc32c

from otrdb.errors import Damaged, OtrError, Outdated
from otrdb.storage.blocks import HEADER_BYTES, Block, claimed_head, parse_block
from otrdb.storage.freed import Freed
from otrdb.storage.headers import SEGMENT_HEADER, SegmentHeader
from otrdb.storage.medium import CHUNK, File, Medium
from otrdb.storage.names import Numbered

if TYPE_CHECKING:
    from uuid import UUID

SEGMENT_NAMES: Final = Numbered("segment", "otr")

_READ_AHEAD: Final = 4096
"""Bytes read to see a block's header; most heads are in them as well."""


class Era:
    """The time from one deletion to the next. Whoever refers to it can read what is deleted afterwards."""

    __slots__ = ("__weakref__", "file", "later")

    def __init__(self) -> None:
        self.file: File | None = None
        """The file whose deletion ended it."""
        self.later: Era | None = None


class SegmentFiles:
    """The segments of an archive as files. Reads are safe from any thread.

    At most ``open_files`` handles are kept; one that is dropped stays open until its last reader is done with
    it. ``archive`` is the uuid of the archive they belong to, once it is known; ``freed`` what was given
    back.
    """

    def __init__(self, medium: Medium, open_files: int = 256) -> None:
        self._medium = medium
        self._limit = open_files
        self._open: dict[int, File] = {}
        self._retired = WeakValueDictionary[int, File]()
        """Files that were deleted, as long as somebody may read them: the disk gets its room back then."""
        self.era = Era()
        self.freed = Freed()
        self.archive: UUID | None = None
        self._seen = set[int]()
        """Segments that were there at some time."""
        self._opening = threading.Lock()

    def numbers(self) -> list[int]:
        """The numbers of the segments there are, ascending."""
        found = SEGMENT_NAMES.numbers(self._medium.list())
        self._seen.update(found)
        return found

    def file(self, number: int) -> File:
        """The open file of a segment. `Damaged` if it is gone; `Outdated` where that is no damage."""
        file = self._open.get(number)
        return file if file is not None else self._opened(number)

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Exactly the bytes asked for, or `Damaged`."""
        data = self.read_upto(number, offset, length)
        if len(data) != length:
            raise damaged("ends too early", number, offset)
        return data

    def read_upto(self, number: int, offset: int, length: int) -> bytes:
        """As much as there is of the bytes asked for; `Damaged` if the disk does not give them."""
        file = self.file(number)
        try:
            return file.read(offset, length)
        except OSError as error:
            raise damaged(f"cannot be read ({error.strerror or error})", number, offset) from error

    def header(self, number: int) -> SegmentHeader | None:
        """The header of a segment; None if it is not sound, or another segment's."""
        data = self.read_upto(number, 0, SEGMENT_HEADER.size)
        header = SegmentHeader.parse(data, SEGMENT_NAMES.name(number))
        return header if header and header.number == number else None

    def block(self, number: int, offset: int, length: int = _READ_AHEAD) -> Block | None:
        """The block at a place, its head proved; None if no sound block begins there.

        ``length`` is a guess of header and head together.
        """
        data = self.read_upto(number, offset, length)
        needed = HEADER_BYTES + claimed_head(data)
        if length < needed <= self.file(number).size() - offset:
            data = self.read_upto(number, offset, needed)
        return parse_block(data)

    def checksum(self, number: int, start: int, end: int) -> int:
        """CRC of bytes ``[start, end)``."""
        crc = 0
        for offset in range(start, end, CHUNK):
            crc = crc32c(self.read(number, offset, min(CHUNK, end - offset)), crc)
        return crc

    def create(self, header: SegmentHeader) -> File:
        """Make a segment that is durable, name and header. Nothing is left if it fails."""
        name = SEGMENT_NAMES.name(header.number)
        file = self._medium.open(name, create=True)
        try:
            file.truncate(0)
            file.append(header.pack())
            file.sync()
            self._medium.sync_directory()
        except OtrError:
            self._medium.delete(name)
            raise
        self._keep(header.number, file)
        return file

    def retire(self, number: int) -> None:
        """Keep a file open that is about to be deleted, for those who have an era that ends with this."""
        with self._opening:
            ended, self.era = self.era, Era()
            ended.later = self.era
            ended.file = self._open.pop(number, None) or self._open_file(number)
            self._retired[number] = ended.file

    def close(self) -> None:
        """Close all handles."""
        while self._open:
            self._open.popitem()[1].close()
        while self._retired:
            self._retired.popitem()[1].close()

    def _opened(self, number: int) -> File:
        with self._opening:
            file = self._retired.get(number) or self._open.get(number)
            if file is None:
                file = self._open_file(number)
                self._keep(number, file)
            return file

    def _open_file(self, number: int) -> File:
        try:
            return self._medium.open(SEGMENT_NAMES.name(number))
        except FileNotFoundError as error:
            if number in self.freed:
                raise Outdated(
                    f"{SEGMENT_NAMES.name(number)} has been given back; what was in it is elsewhere.",
                    advice="Ask again; of the latest version, since an older one may have been pruned.",
                ) from error
            if number in self._seen and not self._medium.writable:
                # By a writer, of whom this reader has not heard yet that it was given back.
                raise Outdated(f"{SEGMENT_NAMES.name(number)} has been deleted since it was read.") from error
            raise damaged("is missing", number, 0) from error

    def _keep(self, number: int, file: File) -> None:
        while len(self._open) >= self._limit:
            self._open.pop(next(iter(self._open)))
        self._open[number] = file


def damaged(what: str, segment: int, offset: int) -> Damaged:
    """An error that says where: "segment-00000001.otr ``what`` at byte ``offset``."."""
    return Damaged(
        f"{SEGMENT_NAMES.name(segment)} {what} at byte {offset:,}.", segment=segment, offset=offset
    )
