"""Reading flatbuffers that came over the network: every position is checked before it is used.

https://flatbuffers.dev/internals/ has the layout.
"""

from __future__ import annotations

import struct
from typing import Final

_OFFSET: Final = struct.Struct("<I")
_BACK: Final = struct.Struct("<i")
_SHORT: Final = struct.Struct("<H")
_LONGEST_TEXT: Final = 4096


class Malformed(ValueError):  # noqa: N818
    """These bytes are no such flatbuffer."""


class Table:
    """A table, to which the offset at position ``at`` leads."""

    __slots__ = ("_data", "_fields", "_size", "_start")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._start = at + _read(data, _OFFSET, at)
        self._fields = self._start - _read(data, _BACK, self._start)
        self._size = _read(data, _SHORT, self._fields)

    def has(self, field: int) -> bool:
        """Whether there is a field of that number."""
        return self._offset(field) != 0

    def number(self, field: int, form: struct.Struct) -> int:
        """A field that is a number; 0 if it is not there."""
        offset = self._offset(field)
        return _read(self._data, form, self._start + offset) if offset else 0

    def table(self, field: int) -> Table:
        """A field that is a table."""
        return Table(self._data, self._place(field))

    def text(self, field: int) -> str:
        """A field that is text, not longer than names are; empty if it is not there."""
        if not self.has(field):
            return ""
        count, start = self._vector(field)
        if count > _LONGEST_TEXT or start + count > len(self._data):
            raise Malformed
        return self._data[start : start + count].decode()  # a UnicodeDecodeError is a ValueError, too

    def tables(self, field: int, most: int) -> list[Table]:
        """A field that is a list of at most so many tables."""
        count, start = self._vector(field)
        if count > most:
            raise Malformed
        return [Table(self._data, start + _OFFSET.size * index) for index in range(count)]

    def structs(self, field: int, form: struct.Struct, most: int) -> list[tuple[int, ...]]:
        """A field that is a list of at most so many structs of numbers."""
        count, start = self._vector(field)
        if count > most or start + form.size * count > len(self._data):
            raise Malformed
        return list(form.iter_unpack(self._data[start : start + form.size * count]))

    def _vector(self, field: int) -> tuple[int, int]:
        """How many there are, and where they start."""
        place = self._place(field)
        at = place + _read(self._data, _OFFSET, place)
        return _read(self._data, _OFFSET, at), at + _OFFSET.size

    def _place(self, field: int) -> int:
        offset = self._offset(field)
        if not offset:
            raise Malformed
        return self._start + offset

    def _offset(self, field: int) -> int:
        at = _SHORT.size * (2 + field)
        return _read(self._data, _SHORT, self._fields + at) if at < self._size else 0


def _read(data: bytes, form: struct.Struct, at: int) -> int:
    if at < 0 or at + form.size > len(data):
        raise Malformed
    number: int = form.unpack_from(data, at)[0]
    return number
