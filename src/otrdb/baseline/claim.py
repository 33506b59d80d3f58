"""The directory of a baseline archive: one file in it says what it is, and is locked by who has it open."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from otrdb.baseline.log import sync_directory
from otrdb.errors import ArchiveLocked, NotAnArchive, UnsupportedFormat

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "archive"


class Claim:
    """Sole use of an archive's directory, which is made if need be, until `release`.

    Raises NotAnArchive for anything else that is there, UnsupportedFormat for an archive of another make, and
    ArchiveLocked while somebody else has it open.
    """

    def __init__(self, path: Path, make: str) -> None:
        if path.exists() and not path.is_dir():
            raise NotAnArchive(f"{path} is a file.")
        path.mkdir(parents=True, exist_ok=True)
        if not (path / _NAME).exists() and any(path.iterdir()):
            raise NotAnArchive(f"{path} holds other files.")
        self._descriptor = os.open(path / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._lock(path)
            self._check(path, f"otrdb baseline {make} 1\n".encode())
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Lets others open the archive."""
        os.close(self._descriptor)

    def _lock(self, path: Path) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchiveLocked(f"{path} is open already.") from None

    def _check(self, path: Path, wanted: bytes) -> None:
        found = os.pread(self._descriptor, len(wanted) + 1, 0)
        if found == wanted:
            return
        if not wanted.startswith(found):
            raise UnsupportedFormat(f"{path} is an archive of another make: {found!r}.")
        os.pwrite(self._descriptor, wanted, 0)  # new, or a crash while it was
        os.fsync(self._descriptor)
        sync_directory(path)
        sync_directory(path.parent)
