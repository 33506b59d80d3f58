"""Opening the archive that -a names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import otrdb
from otrdb.errors import NotAnArchive

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb.interface import ArchiveLike

Accept: TypeAlias = "tuple[int, int] | None"
"""[low, high) in ns: times outside are refused. None: whatever an archive can hold."""


def read_archive(path: Path) -> otrdb.Archive:
    """The archive for reading, beside whoever writes it."""
    check_exists(path)
    return otrdb.open(path, mode="r")


def change_archive(path: Path, accept: Accept = None) -> ArchiveLike:
    """The archive for writing; a mistyped path is refused instead of becoming a new, empty archive."""
    check_exists(path)
    return otrdb.open(path, accept=accept)


def make_archive(path: Path, accept: Accept = None, durability: str = "sync") -> otrdb.Archive:
    """The archive for writing, made if it does not exist."""
    return otrdb.open(path, accept=accept, durability=durability)


def check_exists(path: Path) -> None:
    """NotAnArchive if there is nothing at `path`."""
    if not path.exists():
        raise NotAnArchive(f"There is no archive {path}.")
