"""Columns as the bytes they are on the wire, and back: see ``otrdb.proto``.

What comes from the wire may be anything: `InvalidArgument` unless it is whole numbers of the type expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.columns import decode
from otrdb.errors import InvalidArgument
from otrdb.model import Array, Int64Array, Kind

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy.typing as npt

    Buffer: TypeAlias = bytes | bytearray

WORD: Final = np.dtype("<i8")
INDEX: Final = np.dtype("<u4")
_FLOAT: Final = np.dtype("<f8")
_COUNT: Final = np.dtype("<u8")
_TOTAL_BYTES: Final = 16

_OF_KIND: Final = frozenset({"min", "max", "first", "last"})


def numbers(data: Buffer, dtype: np.dtype[np.generic] = WORD) -> Array:
    """The numbers in ``data``, whose memory they share.

    Example:
        >>> numbers(bytes([7, 0, 0, 0, 0, 0, 0, 0])).tolist()
        [7]
    """
    if len(data) % dtype.itemsize:
        raise InvalidArgument(f"{len(data)} bytes are no column of {dtype.itemsize}-byte numbers.")
    return np.frombuffer(data, dtype)


def packed(column: npt.ArrayLike, dtype: np.dtype[np.generic] = WORD) -> bytes:
    """The bytes of a column."""
    return np.asarray(column).astype(dtype, copy=False).tobytes()


def words_of(kind: Kind, values: Array) -> Int64Array:
    """The words that stand for values as results have them; shares their memory where it can."""
    return values.view(np.int64) if kind is Kind.FLOAT else values.astype(np.int64, copy=False)


def packed_statistic(name: str, kind: Kind, column: Array) -> bytes:
    """The bytes of the statistic ``name`` of windows of a stream of that kind."""
    if name in _OF_KIND:
        return packed(words_of(kind, column))
    if name == "sum" and kind.integer:
        return b"".join(int(total).to_bytes(_TOTAL_BYTES, "little", signed=True) for total in column)
    return packed(column, _COUNT if name == "count" else _FLOAT)


def statistic(name: str, kind: Kind, data: bytes) -> Array:
    """The statistic that `packed_statistic` packed, as a column of the caller's own.

    Example:
        >>> statistic("sum", Kind.INT, packed_statistic("sum", Kind.INT, np.array([1 << 70], object)))
        array([1180591620717411303424], dtype=object)
    """
    if name in _OF_KIND:
        return decode(kind, numbers(data).copy())
    if name == "sum" and kind.integer:
        return _totals(data)
    return numbers(data, _COUNT if name == "count" else _FLOAT).copy()


def _totals(data: bytes) -> Array:
    starts = range(0, len(data), _TOTAL_BYTES)
    column = np.empty(len(starts), object)
    column[:] = [int.from_bytes(data[at : at + _TOTAL_BYTES], "little", signed=True) for at in starts]
    return column
