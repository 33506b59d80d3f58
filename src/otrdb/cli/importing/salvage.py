"""The readable rest of a column that has unreadable cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb.model import Array, BoolArray


class Salvaged(NamedTuple):
    """`values` [n]; where `bad` the cell could not be converted, and the value means nothing."""

    values: Array
    bad: BoolArray


def salvage(
    convert: Callable[[Any], Array], cells: pa.Array, dtype: np.dtype[Any], most: int | None = None
) -> Salvaged:
    """Converts a column in one go, or in halves of halves until the cells that refuse are alone.

    `convert` raises ArrowInvalid for a column that has a bad cell. The search stops at bad cell number
    `most`, counted from the first row: what comes behind it is not looked at.
    """
    values, bad = np.zeros(len(cells), dtype=dtype), np.zeros(len(cells), dtype=np.bool_)
    waiting = [(0, len(cells))] if len(cells) else []
    while waiting and (most is None or np.count_nonzero(bad) < most):
        first, last = waiting.pop()
        try:
            values[first:last] = convert(cells[first:last])
        except pa.ArrowInvalid:
            middle = (first + last) // 2
            bad[first] = middle == first
            waiting += [(middle, last), (first, middle)] if middle > first else []
    return Salvaged(values, bad)
