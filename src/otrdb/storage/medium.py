"""What the storage layer asks of a disk: two small protocols.

Everything that is stored goes through a `Medium`, so that tests can freeze, tear, corrupt and fill one in
memory, and a sealed segment may one day live elsewhere. `Directory` in `otrdb.storage.directory` is the real
one.

What may be relied upon is written down as assumptions A1 to A5 in `docs/format.md`.
"""

from __future__ import annotations

import errno
from typing import Final, Protocol, TypeAlias

from otrdb.errors import DiskFull, OtrError, ReadOnly, WriteFailed

Data: TypeAlias = bytes | bytearray | memoryview

CHUNK: Final = 1 << 20
"""Bytes moved at a time where a file is read or filled as a whole."""


_SECTOR: Final = 4096
"""What is given up around a byte the disk cannot read."""


class File(Protocol):
    """One open file. Reads may come from any thread at any time; writes from one thread at a time.

    A refused write or sync raises `DiskFull` (no room: nothing has changed) or `WriteFailed` (what reached
    the disk is unknown). A refused read raises the system's `OSError`.
    """

    def size(self) -> int:
        """Bytes in the file."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file."""

    def append(self, data: Data) -> int:
        """Write all of ``data`` at the end and return where it begins; or raise, the file as it was."""

    def write(self, offset: int, data: Data) -> None:
        """Write all of ``data`` over bytes that are there already."""

    def sync(self) -> None:
        """Wait until everything written before, and the size, is on the disk."""

    def allocate(self, size: int) -> None:
        """Grow to ``size`` bytes of zeros, their room really taken; or raise, the file as it was."""

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes."""

    def close(self) -> None:
        """Let go of the file. Nothing is synced."""


class Medium(Protocol):
    """A flat directory of files."""

    @property
    def writable(self) -> bool:
        """Whether files may be changed."""

    def open(self, name: str, *, create: bool = False) -> File:
        """Open a file; with ``create`` make it if there is none, else raise `FileNotFoundError`."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""

    def list(self) -> list[str]:
        """The names of all files, sorted."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, taking the place of a file that has it."""

    def delete(self, name: str) -> None:
        """Remove a file."""

    def sync_directory(self) -> None:
        """Wait until creations, renames and deletions are on the disk."""

    def free_bytes(self) -> int:
        """Room for more."""


def refusal(error: OSError, what: str) -> OSError:
    """The error of ours for the system's refusal to change something; a missing file stays what it is.

    ``what`` completes "Could not ...".
    """
    if isinstance(error, (OtrError, FileNotFoundError)):
        return error
    ours = _REFUSALS.get(error.errno or 0, WriteFailed)
    advice = "Check who may write there, or open with mode='r'." if ours is ReadOnly else None
    return ours(f"Could not {what}: {error.strerror or error}.", advice=advice)


_REFUSALS: Final[dict[int, type[DiskFull | ReadOnly | WriteFailed]]] = {
    errno.ENOSPC: DiskFull,
    errno.EDQUOT: DiskFull,
    errno.EROFS: ReadOnly,
    errno.EACCES: ReadOnly,
    errno.EPERM: ReadOnly,
}


def fill_zero(file: File, start: int, end: int) -> None:
    """Overwrite bytes ``[start, end)`` with zeros."""
    zeros = bytes(min(CHUNK, max(end - start, 0)))
    for offset in range(start, end, CHUNK):
        file.write(offset, memoryview(zeros)[: end - offset])


def renew(file: File, start: int, end: int) -> None:
    """Write bytes ``[start, end)`` again in place, unchanged, and sync.

    After a failed sync the system may serve bytes from memory that the disk never got, and call them clean
    (A5); a second sync would then succeed and prove nothing.
    """
    for offset in range(start, end, CHUNK):
        file.write(offset, file.read(offset, min(CHUNK, end - offset)))
    file.sync()


def read_what_can_be(file: File, offset: int, length: int) -> tuple[bytes, list[int]]:
    """Bytes of a file, with zeros for what the disk cannot read, and the offsets where such places begin."""
    try:
        return file.read(offset, length), []
    except OSError:
        if length <= _SECTOR:
            return bytes(length), [offset]
        half = max(_SECTOR, length // 2 // _SECTOR * _SECTOR)
        first, bad_first = read_what_can_be(file, offset, half)
        second, bad_second = read_what_can_be(file, offset + half, length - half)
        return first + second, bad_first + bad_second
