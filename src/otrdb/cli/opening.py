"""Opening the archive that -a names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import otrdb
from otrdb.errors import NotAnArchive

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb.interface import ArchiveLike


def read_archive(path: Path) -> ArchiveLike:
    """The archive for reading, beside whoever writes it."""
    return _existing(path, "r")


def change_archive(path: Path) -> ArchiveLike:
    """The archive for writing; a mistyped path is refused instead of becoming a new, empty archive."""
    return _existing(path, "w")


def make_archive(path: Path) -> ArchiveLike:
    """The archive for writing, made if it does not exist."""
    return otrdb.open(path)


def _existing(path: Path, mode: Literal["r", "w"]) -> ArchiveLike:
    if not path.exists():
        raise NotAnArchive(f"There is no archive {path}.")
    return otrdb.open(path, mode=mode)
