"""From rows of summaries to the columns of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb import kernels
from otrdb.columns import decode
from otrdb.model import MIN_TIME, Array, Int64Array, Kind
from otrdb.results import Windows
from otrdb.tree import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence


_WORD_BITS = 64


def sparse_windows(kind: Kind, piece: Piece, pointwidth: int, names: Sequence[str], version: int) -> Windows:
    """Windows that hold points, numbered from MIN_TIME by ``piece.slots``."""
    times = MIN_TIME + (piece.slots << pointwidth)
    return Windows(times, _columns(kind, piece.rows, names), kind, 1 << pointwidth, version)


def dense_windows(
    kind: Kind, piece: Piece | None, edges: Int64Array, width: int, names: Sequence[str], version: int
) -> Windows:
    """All windows between ``edges``; those without points have zeros."""
    size = max(len(edges) - 1, 0)
    if piece is None:
        piece = Piece(np.empty(0, np.int64), np.empty((0, 8), np.int64))
    columns = {
        name: _spread(piece.slots, column, size) for name, column in _columns(kind, piece.rows, names).items()
    }
    return Windows(edges[:size], columns, kind, width, version)


def _spread(slots: Int64Array, column: Array, size: int) -> Array:
    spread = np.zeros(size, column.dtype)
    spread[slots] = column
    return spread


def _columns(kind: Kind, rows: Int64Array, names: Sequence[str]) -> dict[str, Array]:
    size = len(rows)
    words = np.empty((4, size), np.int64)
    mean, deviation = np.empty((2, size), np.float64)
    counts = np.empty(size, np.uint64)
    kernels.columns(rows, kind.integer, words[0], words[1], words[2], words[3], mean, deviation, counts)
    made: dict[str, Array] = {"mean": mean, "stddev": deviation, "count": counts}
    for name, column in zip(("min", "max", "first", "last"), words, strict=True):
        if name in names:
            made[name] = decode(kind, column)
    if "sum" in names:
        with np.errstate(over="ignore"):  # a sum beyond float64 is infinite
            made["sum"] = _sums(rows) if kind.integer else mean * counts
    return {name: made[name] for name in names}


def _sums(rows: Int64Array) -> Array:
    """The exact 128-bit sums of integer rows, as Python integers."""
    low = rows[:, 6].view(np.uint64).astype(object)
    high = rows[:, 7].astype(object)
    return (high << _WORD_BITS) + low  # type: ignore[no-any-return]
