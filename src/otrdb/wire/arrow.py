"""Arrow data as they go over the network: complete IPC streams of columns of fixed width without nulls.

Streams are written here, from a schema that is kept and a few words per batch, since that is most of the cost of
a small answer (by nanoarrow it takes twenty times as long); they are read by nanoarrow, which checks what came.
The layout is that of https://arrow.apache.org/docs/format/Columnar.html, of metadata version 5.
"""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from otrdb.errors import InvalidArrow, OtrError
from otrdb.export import Foreign, import_extra
from otrdb.foreign import arrow_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.model import Array

_CONTINUATION: Final = b"\xff\xff\xff\xff"
_END: Final = _CONTINUATION + bytes(4)
_ALIGNED: Final = 8

# A record batch's metadata, a flatbuffer: where its root is, the table Message and its vtable, the table
# RecordBatch and its vtable, then the vectors of nodes and buffers. Offsets are from where they stand.
_BATCH: Final = struct.Struct(
    "<"
    "I"  # 0: the root, Message at 16
    "HHHHHH"  # 4: vtable of Message: its size, the table's, version, type of header, header, length of body
    "iIqHBx"  # 16: Message: to its vtable, header at 48, length of body, version, type of header
    "HHHHH2x"  # 36: vtable of RecordBatch: its size, the table's, length, nodes, buffers
    "iIqI4x"  # 48: RecordBatch: to its vtable, nodes, length, buffers
    "4xI"  # 72: nodes, how many
)
_VECTOR: Final = struct.Struct("<4xI")
_PAIR: Final = struct.Struct("<qq")
_VERSION_5: Final = 4
_RECORD_BATCH: Final = 3

_PREFIX: Final = struct.Struct("<4si")
_SHORTS: Final = 2  # bytes of an offset in a vtable
_HEADER_TYPE, _HEADER, _BODY = 1, 2, 3  # fields of Message
_COMPRESSION: Final = 3  # of RecordBatch

_UNREADABLE: Final = (RuntimeError, ValueError, TypeError, MemoryError, OverflowError, struct.error)
"""What nanoarrow raises: it has no class of its own for malformed data."""


class Field(NamedTuple):
    """A column's name and the Arrow format of its values: "tsn:UTC", "g", "l", ..."""

    name: str
    format: str


TIME: Final = "tsn:UTC"
DOUBLE: Final = "g"
COUNT: Final = "L"
_MAKERS: Final = {DOUBLE: "float64", COUNT: "uint64"}


def stream(schema: bytes, columns: Sequence[Array]) -> list[bytes | memoryview]:
    """The parts of a stream of one batch: a ``schema`` message, and ``columns`` of the types it names.

    Example:
        >>> import nanoarrow
        >>> parts = stream(schema((Field("value", "g"),)), [np.array([20.5])])
        >>> nanoarrow.ArrayStream.from_readable(b"".join(parts)).read_all().to_pylist()
        [{'value': 20.5}]
    """
    sizes = [column.nbytes for column in columns]
    body = [memoryview(np.ascontiguousarray(column)).cast("B") if column.size else b"" for column in columns]
    padded = [part for size, data in zip(sizes, body, strict=True) for part in (data, bytes(-size % _ALIGNED))]
    return [schema, _metadata(len(columns[0]), sizes), *padded, _END]


def _metadata(rows: int, sizes: Sequence[int]) -> bytes:
    """The record batch message of columns of these ``sizes`` in bytes, without nulls."""
    buffers, offset = [_VECTOR.pack(2 * len(sizes))], 0
    for size in sizes:
        buffers += [_PAIR.pack(offset, 0), _PAIR.pack(offset, size)]
        offset += size + -size % _ALIGNED
    nodes = _PAIR.pack(rows, 0) * len(sizes)
    header = _BATCH.pack(
        *(16,),
        *(12, 20, 16, 18, 4, 8),
        *(12, 28, offset, _VERSION_5, _RECORD_BATCH),
        *(10, 20, 8, 4, 16),
        *(12, 24, rows, 20 + len(nodes)),
        *(len(sizes),),
    )
    flatbuffer = b"".join([header, nodes, *buffers])
    return _CONTINUATION + struct.pack("<i", len(flatbuffer)) + flatbuffer


@lru_cache(maxsize=64)
def schema(fields: tuple[Field, ...]) -> bytes:
    """The schema message of columns that are never null."""
    nanoarrow = import_extra("nanoarrow", "server")
    made = nanoarrow.struct([_field(nanoarrow, *field) for field in fields], nullable=False)
    empty = nanoarrow.c_array_stream(nanoarrow.ArrayStream(nanoarrow.c_array([], made)))
    written = io.BytesIO()
    writer = import_extra("nanoarrow.ipc", "server").StreamWriter.from_writable(written)
    writer.write_stream(empty)
    return _first_message(written.getvalue())


def _field(nanoarrow: Foreign, name: str, form: str) -> Foreign:
    if form == TIME:
        made = nanoarrow.timestamp("ns", "UTC", nullable=False)
    else:
        made = getattr(nanoarrow, _MAKERS[form])(nullable=False)
    return nanoarrow.c_schema(made).modify(name=name)


def _first_message(written: bytes) -> bytes:
    """The schema of a stream, as it was written: the length of its metadata follows a mark, if there is one."""
    at = len(_CONTINUATION) if written.startswith(_CONTINUATION) else 0
    (size,) = struct.unpack_from("<i", written, at)
    return written[: at + 4 + size]


# --- what clients send


class Template(NamedTuple):
    """The schema a client wants its answer in: the message as it came, and its columns."""

    message: bytes
    fields: tuple[Field, ...]


def template(written: bytes) -> Template:
    """The schema of a stream; `InvalidArrow` if it cannot be read."""
    children = _opened(written).get_schema().children
    return Template(_first_message(written), tuple(Field(child.name, child.format) for child in children))


def read(written: bytes) -> dict[str, Array]:
    """The columns of a stream as NumPy, by name; `InvalidArrow` if it cannot be read.

    Also raises `BadValue` for nulls, `WrongKind` and `NaiveTime` for columns that are no points.
    """
    opened = _opened(written)
    try:
        return arrow_table(opened)
    except OtrError:
        raise
    except _UNREADABLE as error:
        raise _unreadable() from error


def _opened(written: bytes) -> Foreign:
    ipc = import_extra("nanoarrow.ipc", "server")
    nanoarrow = import_extra("nanoarrow", "server")
    try:
        _check_messages(written)
        opened = nanoarrow.c_array_stream(ipc.InputStream.from_readable(written))
        children = list(opened.get_schema().children)
    except _UNREADABLE as error:
        raise _unreadable() from error
    if any(child.dictionary is not None for child in children):
        raise InvalidArrow("A column is coded by a dictionary.")
    return opened


def _unreadable() -> InvalidArrow:
    return InvalidArrow("The Arrow data cannot be read.")


def _check_messages(written: bytes) -> None:
    """`InvalidArrow` if a batch is compressed: it might unfold to any size. Also if a message is longer than the
    data are, before room is made for it. Raises struct.error where there is no message.
    """
    at = 0
    while at < len(written):
        mark, size = _PREFIX.unpack_from(written, at)
        if mark != _CONTINUATION or size < 0:
            raise _unreadable()
        if size == 0:
            return
        message = _Table(written, at + _PREFIX.size)
        body = message.number(_BODY, "<q")
        at += _PREFIX.size + size + body
        if body < 0 or at > len(written):
            raise _unreadable()
        if message.number(_HEADER_TYPE, "<B") == _RECORD_BATCH and message.table(_HEADER).has(_COMPRESSION):
            raise InvalidArrow("The Arrow data are compressed.")


class _Table:
    """A table of a flatbuffer, found by the offset that stands at a position."""

    def __init__(self, written: bytes, at: int) -> None:
        self._written = written
        self._start = at + self._read(at, "<I")
        self._fields = self._start - self._read(self._start, "<i")

    def has(self, field: int) -> bool:
        """Whether there is such a field."""
        return self._offset(field) != 0

    def number(self, field: int, form: str) -> int:
        """A field that is a number; 0 if it is not there."""
        return self._read(self._start + self._offset(field), form) if self.has(field) else 0

    def table(self, field: int) -> _Table:
        """A field that is a table."""
        return _Table(self._written, self._start + self._offset(field))

    def _offset(self, field: int) -> int:
        at = 2 * _SHORTS + field * _SHORTS
        return self._read(self._fields + at, "<H") if at < self._read(self._fields, "<H") else 0

    def _read(self, at: int, form: str) -> int:
        (number,) = struct.unpack_from(form, self._written, at)
        return int(number)
