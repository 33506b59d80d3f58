"""Tables of fixed-size fields: the one place where the offsets of the format come from.

A `Layout` packs and unpacks, and can print itself as the table of `docs/format.md`, with which a test
compares it.
"""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

import numpy as np

TYPE_NAMES: Final = {
    "B": "u8",
    "H": "u16",
    "I": "u32",
    "Q": "u64",
    "q": "i64",
    "8s": "8 bytes",
    "16s": "16 bytes",
}
"""What the documentation calls a struct code."""

_NUMPY_CODES: Final = {"B": "u1", "H": "u2", "I": "u4", "Q": "u8", "q": "i8"}

Fields: TypeAlias = tuple[tuple[str, str, str], ...]
"""Name, struct code and meaning of each field, in order, without padding."""


class Layout:
    """Little-endian fields, one after the other.

    Example:
        >>> pair = Layout(("count", "I", "how many"), ("time", "q", "ns since 1970"))
        >>> pair.size, pair.unpack_from(b"?" + pair.pack(7, -1), 1)
        (12, (7, -1))
        >>> pair.rows()[1]
        '| 4 | time | i64 | ns since 1970 |'
    """

    __slots__ = ("fields", "pack", "size", "unpack_from")

    def __init__(self, *fields: tuple[str, str, str]) -> None:
        layout = struct.Struct("<" + "".join(code for _, code, _ in fields))
        self.fields: Fields = fields
        self.size: int = layout.size
        self.pack = layout.pack
        self.unpack_from = layout.unpack_from

    def offset(self, name: str) -> int:
        """Where a field begins.

        Example:
            >>> Layout(("count", "I", ""), ("time", "q", "")).offset("time")
            4
        """
        names = [field for field, _, _ in self.fields]
        return struct.calcsize("<" + "".join(code for _, code, _ in self.fields[: names.index(name)]))

    def dtype(self) -> np.dtype[np.void]:
        """The fields as a NumPy record type, for arrays of them."""
        return np.dtype([(name, f"<{_NUMPY_CODES[code]}") for name, code, _ in self.fields])

    def rows(self) -> list[str]:
        """The rows of the Markdown table: offset, name, type, meaning."""
        return [
            f"| {self.offset(name)} | {name} | {TYPE_NAMES[code]} | {meaning} |".replace("|  |", "| |")
            for name, code, meaning in self.fields
        ]

    def named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Unpacked values by field name, for messages and dumps."""
        return dict(zip((name for name, _, _ in self.fields), values, strict=True))
