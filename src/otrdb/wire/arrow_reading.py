"""Arrow IPC streams that came over the network: columns of numbers and times, or a schema alone.

They are read here, at checked positions only, since a stream that is broken on purpose must not end the
server: changed bytes of a schema bring down nanoarrow 0.9. Streams of other types, with dictionaries, or
compressed, which might unfold to any size, are refused.

https://arrow.apache.org/docs/format/Columnar.html has the layout; Schema.fbs and Message.fbs the numbers.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from otrdb.errors import BadValue, InvalidArrow, NaiveTime
from otrdb.wire.arrow import CONTINUATION, Field
from otrdb.wire.flatbuffers import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.model import Array

MOST_COLUMNS: Final = 2048

_PREFIX: Final = struct.Struct("<4si")
_BYTE: Final = struct.Struct("<B")
_SHORT: Final = struct.Struct("<h")
_INT: Final = struct.Struct("<i")
_LONG: Final = struct.Struct("<q")
_PAIR: Final = struct.Struct("<qq")

# The numbers of fields: of Message, Schema, Field, RecordBatch; of the types Int, FloatingPoint, Timestamp.
_HEADER_TYPE, _HEADER, _BODY = 1, 2, 3
_ENDIANNESS, _FIELDS = 0, 1
_NAME, _TYPE_TYPE, _TYPE, _DICTIONARY = 0, 2, 3, 4
_LENGTH, _NODES, _BUFFERS, _COMPRESSION = 0, 1, 2, 3
_BITS, _SIGNED = 0, 1
_PRECISION = 0
_UNIT, _ZONE = 0, 1

# What a message and a type may be.
_SCHEMA, _RECORD_BATCH = 1, 3
_IS_INT, _IS_FLOAT, _IS_BOOL, _IS_TIMESTAMP = 2, 3, 6, 10

_INTS: Final = {8: "cC", 16: "sS", 32: "iI", 64: "lL"}
_FLOATS: Final = {0: "e", 1: "f", 2: "g"}
_UNITS: Final = {0: "s", 1: "m", 2: "u", 3: "n"}
_DTYPES: Final = {
    "c": "<i1", "C": "<u1", "s": "<i2", "S": "<u2", "i": "<i4", "I": "<u4", "l": "<i8", "L": "<u8",
    "e": "<f2", "f": "<f4", "g": "<f8",
    "tss": "<M8[s]", "tsm": "<M8[ms]", "tsu": "<M8[us]", "tsn": "<M8[ns]",
}  # fmt: skip


class Template(NamedTuple):
    """The schema a client wants its answer in: the message as it came, and its columns."""

    message: bytes
    fields: tuple[Field, ...]


class _Message(NamedTuple):
    kind: int
    header: Table
    body: memoryview
    end: int


def template(written: bytes) -> Template:
    """The schema of a stream; `InvalidArrow` if it cannot be read."""
    try:
        first = next(_messages(written))
        return Template(written[: first.end], _fields(first))
    except InvalidArrow:
        raise
    except (ValueError, StopIteration) as error:
        raise _unreadable() from error


def read(written: bytes) -> dict[str, Array]:
    """The columns of a stream as NumPy, by name, copied; `InvalidArrow` if it cannot be read.

    Also raises `BadValue` for nulls, and `NaiveTime` for times without a zone.
    """
    try:
        messages = _messages(written)
        fields = _fields(next(messages))
        for field in fields:
            _check(field)
        batches = [_columns(message, fields) for message in messages]
    except (InvalidArrow, BadValue, NaiveTime):
        raise
    except (ValueError, StopIteration) as error:
        raise _unreadable() from error
    return {
        field.name: np.concatenate([np.empty(0, _dtype(field)), *(batch[index] for batch in batches)])
        for index, field in enumerate(fields)
    }


def _unreadable() -> InvalidArrow:
    return InvalidArrow("The Arrow data cannot be read.")


def _messages(written: bytes) -> Iterator[_Message]:
    """The messages, as far as they are there as a whole."""
    at = 0
    while at < len(written):
        mark, size = _PREFIX.unpack(written[at : at + _PREFIX.size].ljust(_PREFIX.size, b"\0"))
        start = at + _PREFIX.size
        if mark != CONTINUATION or size < 0 or start + size > len(written):
            raise _unreadable()
        if size == 0:
            return
        message = Table(written[start : start + size], 0)
        body = message.number(_BODY, _LONG)
        at = start + size + body
        if body < 0 or at > len(written):
            raise _unreadable()
        kind = message.number(_HEADER_TYPE, _BYTE)
        yield _Message(kind, message.table(_HEADER), memoryview(written)[start + size : at], start + size)


def _fields(message: _Message) -> tuple[Field, ...]:
    schema = message.header
    if message.kind != _SCHEMA or schema.number(_ENDIANNESS, _SHORT):
        raise _unreadable()
    return tuple(_field(field) for field in schema.tables(_FIELDS, MOST_COLUMNS))


def _field(field: Table) -> Field:
    name = field.text(_NAME)
    if field.has(_DICTIONARY):
        raise InvalidArrow(f"The column {name!r} is coded by a dictionary.")
    return Field(name, _format(field.number(_TYPE_TYPE, _BYTE), field.table(_TYPE)))


def _format(kind: int, described: Table) -> str:
    if kind == _IS_INT:
        both = _INTS.get(described.number(_BITS, _INT), "  ")
        return both[0 if described.number(_SIGNED, _BYTE) else 1].strip()
    if kind == _IS_FLOAT:
        return _FLOATS.get(described.number(_PRECISION, _SHORT), "")
    if kind == _IS_TIMESTAMP:
        unit = _UNITS.get(described.number(_UNIT, _SHORT), "")
        return f"ts{unit}:{described.text(_ZONE)}" if unit else ""
    return "b" if kind == _IS_BOOL else ""


def _check(field: Field) -> None:
    if not field.format:
        raise InvalidArrow(f"The column {field.name!r} holds neither numbers nor times.")
    if field.format.startswith("ts") and field.format.endswith(":"):
        raise NaiveTime(f"The times of the column {field.name!r} have no time zone.")


def _dtype(field: Field) -> np.dtype[np.generic]:
    return np.dtype(np.bool_ if field.format == "b" else _DTYPES[field.format.partition(":")[0]])


def _columns(message: _Message, fields: tuple[Field, ...]) -> list[Array]:
    """The columns of a batch, in the memory of the message."""
    batch = message.header
    if message.kind != _RECORD_BATCH:
        raise InvalidArrow("There is something else than columns in the Arrow data.")
    if batch.has(_COMPRESSION):
        raise InvalidArrow("The Arrow data are compressed.")
    nodes = batch.structs(_NODES, _PAIR, len(fields))
    buffers = batch.structs(_BUFFERS, _PAIR, 2 * len(fields))
    rows = batch.number(_LENGTH, _LONG)
    if len(nodes) != len(fields) or len(buffers) != 2 * len(fields) or any(node[0] != rows for node in nodes):
        raise _unreadable()
    return [
        _column(message.body, field, rows, buffers[2 * index : 2 * index + 2])
        for index, field in enumerate(fields)
    ]


def _column(body: memoryview, field: Field, rows: int, buffers: list[tuple[int, ...]]) -> Array:
    valid, values = (_part(body, *buffer) for buffer in buffers)
    if valid and not _bits(valid, rows).all():
        raise BadValue(f"Row {int(np.argmin(_bits(valid, rows)))} of the column {field.name!r} is null.")
    if field.format == "b":
        return _bits(values, rows)
    column = np.frombuffer(values[: rows * _dtype(field).itemsize], _dtype(field))
    return column if len(column) == rows else _short()


def _part(body: memoryview, start: int, size: int) -> memoryview:
    if start < 0 or size < 0 or start + size > len(body):
        raise _unreadable()
    return body[start : start + size]


def _bits(packed: memoryview, rows: int) -> Array:
    if not 0 <= rows <= 8 * len(packed):
        _short()
    needed = np.frombuffer(packed[: (rows + 7) // 8], np.uint8)
    return np.unpackbits(needed, count=rows, bitorder="little").astype(np.bool_)


def _short() -> Array:
    raise InvalidArrow("The Arrow data are shorter than they say.")
