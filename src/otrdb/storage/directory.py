"""The real medium: a directory of the file system."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from otrdb.errors import ReadOnly, WriteFailed
from otrdb.storage.medium import Data, File, fill_zero, refusal

if TYPE_CHECKING:
    from collections.abc import Callable


class DirectoryFile:
    """A file, read by position so that threads do not disturb each other.

    An unused file closes itself when the last reference to it goes, not before: a cache may drop a file while
    another thread is reading from it, and the descriptor's number must not be given to another file
    meanwhile.
    """

    __slots__ = ("__weakref__", "_close", "_descriptor", "_name")

    def __init__(self, path: Path, flags: int) -> None:
        self._name = path.name
        self._descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        data = os.pread(self._descriptor, length, offset)
        if len(data) == length or not data:
            return data
        return data + self.read(offset + len(data), length - len(data))

    def append(self, data: Data) -> int:
        """Write all of ``data`` at the end, or cut the file back and raise."""
        end = self.size()
        self._or_cut_back(end, "append to", lambda: self._write_all(end, data))
        return end

    def write(self, offset: int, data: Data) -> None:
        """Write all of ``data`` at ``offset``."""
        try:
            self._write_all(offset, data)
        except OSError as error:
            raise refusal(error, f"write to {self._name}") from error

    def sync(self) -> None:
        """One fdatasync: it covers the size too."""
        _sync_descriptor(os.fdatasync, self._descriptor, self._name)

    def allocate(self, size: int) -> None:
        """Grow to ``size`` bytes of zeros. The room is taken before the first byte is written."""
        end = self.size()
        if size > end:
            self._or_cut_back(end, "make room for", lambda: self._fill(end, size))

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes."""
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise refusal(error, f"cut {self._name}") from error

    def close(self) -> None:
        """Close the descriptor."""
        self._close()

    def _or_cut_back(self, end: int, what: str, grow: Callable[[], None]) -> None:
        try:
            grow()
        except BaseException as error:
            self.truncate(end)
            if isinstance(error, OSError):
                raise refusal(error, f"{what} {self._name}") from error
            raise

    def _fill(self, start: int, end: int) -> None:
        os.posix_fallocate(self._descriptor, start, end - start)
        fill_zero(self, start, end)

    def _write_all(self, offset: int, data: Data) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            offset += written
            view = view[written:]


class Directory:
    """A directory of the file system, made if it is missing and may be.

    Args:
        path: the directory.
        readonly: refuse every change with `ReadOnly`, and never create anything.
    """

    def __init__(self, path: str | os.PathLike[str], *, readonly: bool = False) -> None:
        self.path = Path(path)
        self.writable = not readonly
        if self.writable:
            _make(self.path)

    def open(self, name: str, *, create: bool = False) -> File:
        """Open a file, for writing too unless the directory is read-only."""
        if create:
            self._must_be_writable()
        access = os.O_RDWR if self.writable else os.O_RDONLY
        try:
            return DirectoryFile(self.path / name, access | (os.O_CREAT if create else 0))
        except OSError as error:
            raise refusal(error, f"open {name}") from error

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.path / name).is_file()

    def list(self) -> list[str]:
        """The names of all files, sorted, and of directories: to tell them apart costs more than the list."""
        return sorted(os.listdir(self.path))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; atomic."""
        self._must_be_writable()
        try:
            os.replace(self.path / old, self.path / new)
        except OSError as error:
            raise refusal(error, f"rename {old}") from error

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._must_be_writable()
        try:
            os.unlink(self.path / name)
        except OSError as error:
            raise refusal(error, f"delete {name}") from error

    def sync_directory(self) -> None:
        """Sync the directory itself."""
        _sync(self.path)

    def free_bytes(self) -> int:
        """Room left for processes without privileges."""
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def _must_be_writable(self) -> None:
        if not self.writable:
            raise ReadOnly(f"{self.path} is open for reading only.")


def rename_directory(old: Path, new: Path) -> None:
    """Give a directory another name in the same directory, durably, all at once. ``new`` may be empty."""
    try:
        os.replace(old, new)
    except OSError as error:
        raise refusal(error, f"rename {old}") from error
    _sync(new.parent)


def _make(path: Path) -> None:
    absent = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(error, f"create {path}") from error
    for each in absent:
        _sync(each.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sync_descriptor(os.fsync, descriptor, str(path))
    finally:
        os.close(descriptor)


def _sync_descriptor(sync: Callable[[int], None], descriptor: int, name: str) -> None:
    # Even "no space" from a sync says that bytes written before, and believed safe, are not: never a
    # DiskFull.
    try:
        sync(descriptor)
    except OSError as error:
        raise WriteFailed(f"Could not sync {name}: {error.strerror or error}.") from error
