"""Arrow data as they go over the network: complete IPC streams of columns of fixed width without nulls.

They are made of a schema, which is kept, and of a few words for a batch: a small answer takes little time.
https://arrow.apache.org/docs/format/Columnar.html has the layout, of metadata version 5.
"""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from otrdb.export import Foreign, import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.model import Array

CONTINUATION: Final = b"\xff\xff\xff\xff"
"""What a message begins with; its length follows."""

_END: Final = CONTINUATION + bytes(4)
_SIZE: Final = struct.Struct("<i")
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


class Field(NamedTuple):
    """A column's name and the Arrow format of its values: "tsn:UTC", "g", "l", ...; empty for other types."""

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
    body = [np.ascontiguousarray(column).data.cast("B") if column.size else b"" for column in columns]
    padded = [
        part for size, data in zip(sizes, body, strict=True) for part in (data, bytes(-size % _ALIGNED))
    ]
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
    return CONTINUATION + _SIZE.pack(len(flatbuffer)) + flatbuffer


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
    """The schema of a stream, as it was written: the length of its metadata follows a mark."""
    (size,) = _SIZE.unpack_from(written, len(CONTINUATION))
    return written[: len(CONTINUATION) + _SIZE.size + size]
