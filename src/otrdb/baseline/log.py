"""Append-only files of checksummed records: all that the baselines write.

A record is a header of 16 bytes, little-endian, and its payload:

    magic u32 | length u32 | crc32c of the payload u32 | crc32c of the 12 bytes before u32

A record is there as a whole or not at all. What a crash left unfinished can only be the last one: it is cut
off when the log is opened for writing. A bad record with good ones behind it is damage and is reported as
such.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from crc32c import crc32c

from otrdb.errors import Damaged, DiskFull, InsertTooBig, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MAGIC: Final = 0x4C72744F  # "OtrL"
_MAGIC_BYTES: Final = struct.pack("<I", _MAGIC)
_FRONT: Final = struct.Struct("<III")
_HEADER: Final = struct.Struct("<IIII")
_MAX_PAYLOAD: Final = (1 << 32) - 1


class Record(NamedTuple):
    """A record's place in its file and its payload."""

    offset: int
    payload: bytes

    @property
    def end(self) -> int:
        """Where the next record begins."""
        return self.offset + _HEADER.size + len(self.payload)


class RecordLog:
    """One file of records. Not safe to write from two threads at once; reading is."""

    def __init__(self, path: Path) -> None:
        """Opens the log at `path`, which is created if it is not there."""
        self.path = path
        self._descriptor: int | None = None
        self._failed: OSError | None = None
        fresh = not path.exists()
        self.size = os.fstat(self._file()).st_size
        if fresh:
            sync_directory(path.parent)

    def records(self) -> Iterator[Record]:
        """All records in order; an unfinished last one is left out. Raises Damaged at damage."""
        offset = 0
        while (record := self._read(offset)) is not None:
            yield record
            offset = record.end
        if offset < self.size and self._good_record_after(offset):
            raise Damaged(f"A record of {self.path.name} is damaged.", offset=offset)

    def recover(self, apply: Callable[[bytes], None]) -> None:
        """Hands every payload to `apply` in order, and cuts off what a crash left unfinished."""
        end = 0
        for record in self.records():
            apply(record.payload)
            end = record.end
        if end < self.size:
            self.cut(end)

    def append(self, *pieces: bytes) -> int:
        """Writes one record of the joined `pieces` and returns its offset; not durable before `sync`.

        Raises DiskFull, with nothing written, or WriteFailed, after which the log takes no more.
        """
        if self._failed is not None:
            raise WriteFailed(f"{self.path.name} takes no more records.") from self._failed
        payload = b"".join(pieces)
        if len(payload) > _MAX_PAYLOAD:
            raise InsertTooBig(f"A record of {len(payload)} bytes is too long.")
        offset = self.size
        front = _FRONT.pack(_MAGIC, len(payload), crc32c(payload))
        self._write(front + struct.pack("<I", crc32c(front)) + payload)
        return offset

    def sync(self) -> None:
        """Makes everything appended durable."""
        try:
            os.fdatasync(self._file())
        except OSError as error:
            self._failed = error
            raise WriteFailed(f"{self.path.name} could not be synced: {error.strerror}.") from error

    def read(self, offset: int) -> bytes:
        """The payload of the record at `offset`, or Damaged."""
        record = self._read(offset)
        if record is None:
            raise Damaged(f"A record of {self.path.name} is damaged.", offset=offset)
        return record.payload

    def cut(self, size: int) -> None:
        """Takes back everything from `size` on, durably."""
        os.ftruncate(self._file(), size)
        self.size = size
        self.sync()

    def release(self) -> None:
        """Lets go of the file descriptor until it is needed again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def remove(self) -> None:
        """Deletes the file."""
        self.release()
        self.path.unlink()
        sync_directory(self.path.parent)

    def _file(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._descriptor

    def _read(self, offset: int) -> Record | None:
        """The record at `offset`, or None if there is no whole one."""
        header = os.pread(self._file(), _HEADER.size, offset)
        if len(header) < _HEADER.size:
            return None
        magic, length, payload_sum, header_sum = _HEADER.unpack(header)
        if magic != _MAGIC or crc32c(header[: _FRONT.size]) != header_sum:
            return None
        payload = os.pread(self._file(), length, offset + _HEADER.size)
        if len(payload) < length or crc32c(payload) != payload_sum:
            return None
        return Record(offset, payload)

    def _good_record_after(self, offset: int) -> bool:
        rest = os.pread(self._file(), self.size - offset, offset)
        place = rest.find(_MAGIC_BYTES, 1)
        while place >= 0:
            if self._read(offset + place) is not None:
                return True
            place = rest.find(_MAGIC_BYTES, place + 1)
        return False

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        end = self.size
        try:
            while view:
                written = os.pwrite(self._file(), view, end)
                end, view = end + written, view[written:]
        except OSError as error:
            self._take_back(error)
        self.size = end

    def _take_back(self, error: OSError) -> None:
        """Raises what a failed write means, with the file as it was before."""
        try:
            os.ftruncate(self._file(), self.size)
        except OSError:
            self._failed = error
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and self._failed is None:
            raise DiskFull(f"There is no room for {self.path.name} to grow.") from error
        self._failed = error
        raise WriteFailed(f"{self.path.name} could not be written: {error.strerror}.") from error


def sync_directory(path: Path) -> None:
    """Makes the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
