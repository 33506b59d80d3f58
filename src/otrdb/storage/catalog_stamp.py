"""A stamp beside the catalog: its file is, byte for byte, what was left at a clean end.

Then opening need not read every row of it again. Whatever is wrong with a stamp, or missing, means only that
the catalog's own sums are looked at; so it is written without a sync, and never taken away.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from crc32c import crc32c

from otrdb.layout import Layout
from otrdb.storage.medium import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CATALOG_STAMP: Final = Layout(
    ("magic", "8s", '"OTRSTAMP"'),
    ("size", "Q", "bytes of the catalog"),
    ("catalog", "I", "CRC of all of them"),
    ("crc", "I", "CRC of the 20 bytes before"),
)
_MAGIC: Final = b"OTRSTAMP"
_CHECKED: Final = CATALOG_STAMP.offset("crc")
_SUFFIX: Final = ".stamp"


def stamp_of(catalog: Path) -> Path:
    """Where the stamp of a catalog is."""
    return catalog.with_name(catalog.name + _SUFFIX)


def is_stamped(catalog: Path) -> bool:
    """Whether the catalog is what its stamp says, with nothing left to undo. Reads all of it, at the speed of
    memory.
    """
    undo = catalog.with_name(f"{catalog.name}-journal")
    with suppress(OSError):
        if not undo.exists() or not undo.stat().st_size:
            return stamp_of(catalog).read_bytes() == _stamp(catalog)
    return False


def stamp(catalog: Path, is_sound: Callable[[Path], bool]) -> None:
    """Say that the catalog, which nobody has open, is what it should be, if it is. No stamp is no harm.

    The checksum is taken before the look, so that it is never of bytes that went bad in between.
    """
    with suppress(OSError):
        made = _stamp(catalog)
        if is_sound(catalog):
            stamp_of(catalog).write_bytes(made)


def _stamp(catalog: Path) -> bytes:
    size, crc = 0, 0
    with catalog.open("rb") as file:
        while data := file.read(CHUNK):
            size, crc = size + len(data), crc32c(data, crc)
    checked = CATALOG_STAMP.pack(_MAGIC, size, crc, 0)[:_CHECKED]
    return checked + crc32c(checked).to_bytes(4, "little")
