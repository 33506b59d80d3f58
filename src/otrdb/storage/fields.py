"""The field types that entries are made of: how to put a value, and how to take it back."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from otrdb.model import Kind
from otrdb.storage.blocks import ADDRESS as ADDRESS_LAYOUT
from otrdb.storage.blocks import Address

if TYPE_CHECKING:
    from collections.abc import Callable

KIND_CODES: Final = {Kind.FLOAT: 0, Kind.INT: 1, Kind.BOOL: 2}
_KINDS: Final = {code: kind for kind, code in KIND_CODES.items()}
_COUNT: Final = struct.Struct("<I")


class Field(NamedTuple):
    """A field type: its name in the documentation, and how it is written and read.

    `put` gives the bytes of a value; `take` gives, for data and an offset, the value there and the offset
    after it.
    """

    name: str
    put: Callable[[Any], bytes]
    take: Callable[[bytes, int], tuple[Any, int]]


def _number(name: str, code: str) -> Field:
    layout = struct.Struct(code)

    def take(data: bytes, at: int) -> tuple[Any, int]:
        return layout.unpack_from(data, at)[0], at + layout.size

    return Field(name, layout.pack, take)


def _take_uuid(data: bytes, at: int) -> tuple[UUID, int]:
    return UUID(bytes=data[at : at + 16]), at + 16


def _take_address(data: bytes, at: int) -> tuple[Address, int]:
    return Address(*ADDRESS_LAYOUT.unpack_from(data, at)), at + ADDRESS_LAYOUT.size


def _put_text(text: str) -> bytes:
    raw = text.encode()
    return _COUNT.pack(len(raw)) + raw


def _take_text(data: bytes, at: int) -> tuple[str, int]:
    start = at + _COUNT.size
    end = start + _COUNT.unpack_from(data, at)[0]
    if end > len(data):
        raise ValueError("a text is cut off")
    return data[start:end].decode(), end


def _many(name: str, each: Field) -> Field:
    """A count and so many of ``each``; the value is a tuple."""

    def put(values: tuple[Any, ...]) -> bytes:
        return _COUNT.pack(len(values)) + b"".join(map(each.put, values))

    def take(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        (count,) = _COUNT.unpack_from(data, at)
        at += _COUNT.size
        values = []
        for _ in range(count):
            value, at = each.take(data, at)
            values.append(value)
        return tuple(values), at

    return Field(name, put, take)


def _mapping(name: str, key: Field, value: Field) -> Field:
    """A count and so many pairs, ascending by key; the value is a dict."""

    def take_pair(data: bytes, at: int) -> tuple[tuple[Any, Any], int]:
        first, at = key.take(data, at)
        second, at = value.take(data, at)
        return (first, second), at

    pairs = _many(name, Field("pair", lambda pair: key.put(pair[0]) + value.put(pair[1]), take_pair))

    def take(data: bytes, at: int) -> tuple[dict[Any, Any], int]:
        taken, at = pairs.take(data, at)
        return dict(taken), at

    return Field(name, lambda mapping: pairs.put(tuple(sorted(mapping.items()))), take)


U32: Final = _number("u32", "<I")
U64: Final = _number("u64", "<Q")
I64: Final = _number("i64", "<q")
UUID_FIELD: Final = Field("uuid", lambda uuid: uuid.bytes, _take_uuid)
KIND: Final = Field(
    "kind", lambda kind: bytes((KIND_CODES[kind],)), lambda data, at: (_KINDS[data[at]], at + 1)
)
ADDRESS: Final = Field("address", lambda address: ADDRESS_LAYOUT.pack(*address), _take_address)
TEXT: Final = Field("text", _put_text, _take_text)
MAP: Final = _mapping("map", TEXT, TEXT)
ADDRESSES: Final = _many("addresses", ADDRESS)
VERSIONS: Final = _many("versions", U64)
VERSION_MAP: Final = _mapping("version map", U32, U64)
