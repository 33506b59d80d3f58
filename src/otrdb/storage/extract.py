"""Some files of a medium, each up to some size, as a medium that can only be read: what a backup holds."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

from otrdb.errors import ReadOnly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otrdb.storage.medium import Data, File, Medium


class ExtractFile:
    """The first ``size`` bytes of a file."""

    def __init__(self, file: File, size: int) -> None:
        self._file = file
        self._size = size

    def size(self) -> int:
        """Bytes there are."""
        return min(self._size, self._file.size())

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        return self._file.read(offset, min(length, max(self._size - offset, 0)))

    def append(self, data: Data) -> int:
        """Refused."""
        _refuse()

    def write(self, offset: int, data: Data) -> None:
        """Refused."""
        _refuse()

    def sync(self) -> None:
        """Refused."""
        _refuse()

    def allocate(self, size: int) -> None:
        """Refused."""
        _refuse()

    def truncate(self, size: int) -> None:
        """Refused."""
        _refuse()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Extract:
    """The files named in ``sizes``, cut off there; nothing else is to be seen.

    Args:
        medium: where they are.
        sizes: by name, how many bytes belong to the extract.
    """

    writable = False

    def __init__(self, medium: Medium, sizes: Mapping[str, int]) -> None:
        self._medium = medium
        self._sizes = dict(sizes)

    def open(self, name: str, *, create: bool = False) -> ExtractFile:
        """Open a file for reading."""
        if create:
            _refuse()
        if name not in self._sizes:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return ExtractFile(self._medium.open(name), self._sizes[name])

    def exists(self, name: str) -> bool:
        """Whether the file belongs to the extract and is there."""
        return name in self._sizes and self._medium.exists(name)

    def list(self) -> list[str]:
        """The names of the files that are there."""
        return [name for name in self._medium.list() if name in self._sizes]

    def rename(self, old: str, new: str) -> None:
        """Refused."""
        _refuse()

    def delete(self, name: str) -> None:
        """Refused."""
        _refuse()

    def sync_directory(self) -> None:
        """Refused."""
        _refuse()

    def free_bytes(self) -> int:
        """There is no room for more."""
        return 0


def _refuse() -> NoReturn:
    raise ReadOnly("A backup is only read.", advice="Restore it to change it.")
