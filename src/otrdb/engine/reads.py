"""Reading one state of a stream: what a `Stream` and a `View` can both be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np

from otrdb import tree
from otrdb.columns import decode, decode_one
from otrdb.errors import Damaged, Thinned
from otrdb.extent import first_time, last_time
from otrdb.model import MAX_TIME, MIN_TIME, Int64Array, Kind
from otrdb.ranges import (
    align_down,
    align_up,
    check_pointwidth,
    to_instant,
    to_range,
    window_count,
    zoom_pointwidth,
)
from otrdb.results import DEFAULT_COLUMNS, Point, Points, Windows, check_columns
from otrdb.times import TimeLike, WidthLike, to_ns, to_width

from .damage import complete
from .statistics import dense_windows, sparse_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .state import StreamState


_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class Frozen(NamedTuple):
    """One state of a stream, ready to be asked."""

    state: StreamState
    root: tree.Node
    version: int

    def ask(
        self,
        question: Callable[Concatenate[tree.Source, tree.Node, _Arguments], _Answer],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Answer:
        """The answer of the tree; damage that is met says which stream and times it concerns."""
        try:
            return question(self.state.source, self.root, *args, **kwargs)
        except Damaged as error:
            complete(error, self.state, self.root)
            raise

    def count_before(self, time: int) -> int:
        """How many points are before ``time``, ns above MIN_TIME: from summaries and one edge.

        `Thinned` if ``time`` is within a window of what was thinned.
        """
        return int(self.ask(tree.windows, np.array([MIN_TIME, time], np.int64)).rows[:, 0].sum())


class Reads:
    """The questions. Whoever inherits says what state they are asked of."""

    __slots__ = ()

    def _frozen(self) -> Frozen:
        raise NotImplementedError

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        raise NotImplementedError

    def values(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> Points:
        """The points of ``[start, end)`` (ns), ascending, equal times in order of arrival.

        Reads the leaves of the range, a leaf's edges by the page. All columns are in memory at once: 16 bytes
        a point. The arrays are the caller's. `Thinned` if there are points in the range of which only
        statistics are left (`Archive.set_thinning`).
        """
        low, high = to_range(start, end)
        frozen = self._frozen()
        times, words = map(_own, frozen.ask(tree.values, low, high))
        return Points(times, decode(self.kind, words), self.kind, frozen.version)

    def aligned_windows(
        self, start: TimeLike, end: TimeLike, pointwidth: int, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of the windows of ``2**pointwidth`` ns that hold points, aligned to MIN_TIME, ascending.

        ``start`` and ``end`` are rounded down to windows, so the one that holds ``start`` is included whole
        and the one that holds ``end`` is left out. A range without one whole window gives nothing.
        ``columns`` names the statistics, out of min, mean, max, count, stddev, first, last and sum. Reads
        about ``12 + windows / 31`` blocks, whatever the range. `InvalidPointWidth` unless 0 <= pointwidth <=
        62; `Thinned` where only statistics of wider windows are left.

        Example:
            >>> import otrdb, tempfile
            >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
            >>> _ = heat.insert(range(10), [float(value) for value in range(10)])
            >>> windows = heat.aligned_windows(0, 10, pointwidth=2)
            >>> windows.time, windows.mean, windows.count
            (array([0, 4]), array([1.5, 5.5]), array([4, 4], dtype=uint64))
        """
        names = check_columns(columns)
        low, high = to_range(start, end)
        check_pointwidth(pointwidth)
        return self._aligned(align_down(low, pointwidth), align_down(high, pointwidth), pointwidth, names)

    def _aligned(self, low: int, high: int, pointwidth: int, names: Sequence[str]) -> Windows:
        frozen = self._frozen()
        piece = frozen.ask(tree.aligned_windows, low, high, pointwidth)
        return sparse_windows(self.kind, piece, pointwidth, names, frozen.version)

    def windows(
        self, start: TimeLike, end: TimeLike, width: WidthLike, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of every window ``[start + i width, start + (i + 1) width)`` that fits into ``[start,
        end)``.

        Exact, whatever the ``width`` (ns, or text as "5min"); empty windows are reported with count 0 and
        zeros. ``columns`` names the statistics, as for `aligned_windows`. Opens the slots that the windows'
        edges cut, down to the page. `Thinned` if an edge divides one of which only statistics are left;
        `InvalidPointWidth` if the width is none; `InvalidArgument` above 2**24
        windows.

        Example:
            >>> import otrdb, tempfile
            >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
            >>> _ = heat.insert([0, 1, 8], [1.0, 3.0, 5.0])
            >>> windows = heat.windows(0, 10, 3, columns=["mean", "count"])
            >>> windows.mean, windows.count
            (array([2., 0., 5.]), array([2, 0, 1], dtype=uint64))
        """
        names = check_columns(columns)
        low, high = to_range(start, end)
        step = to_width(width)
        number = window_count(low, high, step)
        frozen = self._frozen()
        edges = low + step * np.arange(number + 1, dtype=np.int64) if number else np.empty(0, np.int64)
        piece = frozen.ask(tree.windows, edges) if number else None
        return dense_windows(self.kind, piece, edges, step, names, frozen.version)

    def zoom(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        points: int = 1000,
        *,
        columns: Sequence[str] = DEFAULT_COLUMNS,
    ) -> Windows:
        """At most ``points`` aligned windows that together cover ``[start, end)``: what a plot of that width
        needs.

        The finest pointwidth that suffices is taken, or where points were thinned that of what is left, so
        the first and last window may reach beyond the range. Windows without points are left out. Without
        ``start`` or ``end`` the first and last point bound the range. ``columns`` names the statistics, as
        for `aligned_windows`; with first, last, min and max a line drawn through them is exact to the pixel.
        Costs what `aligned_windows` does.
        """
        names = check_columns(columns)
        low, high = self._bounds(start, end)
        if low >= high:
            return self._aligned(MIN_TIME, MIN_TIME, 0, names)
        pointwidth = zoom_pointwidth(low, high, points)
        while True:
            try:
                return self._aligned(
                    align_down(low, pointwidth), align_up(high, pointwidth), pointwidth, names
                )
            except Thinned as thinned:
                pointwidth = thinned.pointwidth  # wider than what was asked for

    def _bounds(self, start: TimeLike | None, end: TimeLike | None) -> tuple[int, int]:
        """The range of a view; an empty one if the points that bound it are not there."""
        if start is not None and end is not None:
            return to_range(start, end)
        first = first_time(self) if start is None else to_instant(start)
        last = last_time(self) if end is None else to_ns(end) - 1
        return MAX_TIME if first is None else first, MIN_TIME if last is None else last + 1

    def nearest(self, time: TimeLike, backward: bool = False) -> Point | None:
        """The first point at or after ``time``, or with ``backward`` the last one strictly before it; None if
        there is none.

        Among equal times the first that arrived, or backward the last. `Thinned` if it may be one of which
        only statistics are left. Reads one path and one page.
        """
        at = to_instant(time)
        found = self._frozen().ask(tree.last_before if backward else tree.first_from, at)
        if found is None:
            return None
        return Point(found[0], decode_one(self.kind, found[1]))

    def earliest(self) -> Point | None:
        """The first point, or None; `Thinned` if only statistics of it are left."""
        return self.nearest(MIN_TIME)

    def latest(self) -> Point | None:
        """The last point, or None; `Thinned` if only statistics of it are left."""
        return self.nearest(MAX_TIME - 1, backward=True)

    def count(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> int:
        """The number of points in ``[start, end)`` (ns), from summaries and the two edges.

        `Thinned` if an edge divides a window of which only statistics are left.
        """
        low, high = to_range(start, end)
        frozen = self._frozen()
        if (low, high) == (MIN_TIME, MAX_TIME):
            return frozen.root.count
        return int(frozen.ask(tree.windows, np.array([low, high], np.int64)).rows[:, 0].sum())


def _own(column: Int64Array) -> Int64Array:
    """The column as one the caller may change: a view would let it change what other readers see, and what is
    committed.
    """
    return column if column.base is None else column.copy()
