"""Long answers in pieces, so that memory is bounded by the piece and not by the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb.extent import first_time, last_time
from otrdb.model import FIRST_VERSION
from otrdb.ranges import pieces, to_range
from otrdb.results import Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb.cli.output.cells import Sheet
    from otrdb.interface import ReadsLike


def bounds(views: Sequence[ReadsLike], start: int | None, end: int | None) -> tuple[int, int] | None:
    """[start, end), where left open from the first point of `views` or to the last; None if no point can be
    in it.

    InvalidTimeRange if both are given and no range.
    """
    if start is not None and end is not None:
        return to_range(start, end)
    firsts = [time for view in views if (time := first_time(view)) is not None]
    lasts = [time for view in views if (time := last_time(view)) is not None]
    if not firsts:
        return None
    first = min(firsts) if start is None else start
    last = max(lasts) + 1 if end is None else end
    return (first, last) if first < last else None


def point_sheets(view: ReadsLike, start: int | None, end: int | None) -> Iterator[Sheet]:
    """The points of [start, end) as sheets of time and value; an empty sheet if there are none."""
    span = bounds([view], start, end)
    found = False
    for first, last in pieces(view.count, *span) if span else ():
        found = True
        yield view.values(first, last).table_columns()
    if not found:
        none = np.empty(0, dtype=np.int64)
        yield Points(none, none.astype(view.kind.dtype), view.kind, FIRST_VERSION).table_columns()
