"""Reading one state of a stream: what a `Stream` and a `View` can both be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import numpy as np

from otrdb import tree
from otrdb.columns import decode, decode_one
from otrdb.errors import Damaged, Thinned
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
from otrdb.results import DEFAULT_COLUMNS, LeftOut, Point, Points, Windows, check_columns
from otrdb.times import TimeLike, WidthLike, to_ns, to_width

from .damage import complete
from .statistics import dense_windows, sparse_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .state import Prefix, StreamState


_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


class Frozen:
    """One state of a stream, ready to be asked; where damage keeps its tree from being made, to say so.

    Damage that a question meets says which stream and times it concerns.
    """

    __slots__ = ("_made", "era", "prefix", "source", "state", "version")

    def __init__(
        self, state: StreamState, prefix: Prefix, made: tree.Node | Damaged, version: int, era: object
    ) -> None:
        self.state = state
        self.prefix = prefix
        self._made = made
        self.version = version
        self.era = era
        """Of before the root was learnt: so what was deleted since can be read."""
        self.source: tree.Source = state.source

    @property
    def made(self) -> bool:
        """Whether its tree could be made."""
        return not isinstance(self._made, Damaged)

    @property
    def root(self) -> tree.Node:
        """The root of its tree, or `Damaged`."""
        if isinstance(self._made, Damaged):
            raise self._made.with_traceback(None)
        return self._made

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the last answer lacks: nothing, since a question that meets damage is not answered."""
        return ()

    def ask(
        self,
        question: Callable[Concatenate[tree.Source, tree.Node, _Arguments], _Answer],
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Answer:
        """The answer of the tree."""
        root = self.root
        try:
            return question(self.source, root, *args, **kwargs)
        except Damaged as error:
            complete(error, self.state, root)
            raise

    def values(self, low: int, high: int) -> tree.Columns:
        """Times and value words of the points of ``[low, high)``."""
        return self.ask(tree.values, low, high)

    def aligned(self, low: int, high: int, pointwidth: int) -> tree.Piece:
        """The windows of ``2**pointwidth`` ns in ``[low, high)`` that hold points."""
        return self.ask(tree.aligned_windows, low, high, pointwidth)

    def windows(self, edges: Int64Array) -> tree.Piece:
        """The windows between ``edges`` that hold points."""
        return self.ask(tree.windows, edges)

    def told(self, windows: Windows) -> Windows:
        """The windows of the last answer, without those it lacks."""
        return windows

    def nearest(self, time: int, backward: bool) -> tuple[int, int] | None:
        """The first point (time, word) at or after ``time``, or the last one before it."""
        return self.ask(tree.last_before if backward else tree.first_from, time)

    def outermost(self, backward: bool) -> int | None:
        """The time of the first point, or with ``backward`` of the last, to bound the next question."""
        found = self.nearest(MAX_TIME - 1 if backward else MIN_TIME, backward)
        return None if found is None else found[0]

    def count(self, low: int, high: int) -> int:
        """How many points are in ``[low, high)``: from summaries and the edges."""
        if (low, high) == (MIN_TIME, MAX_TIME):
            return self.root.count
        return int(self.ask(tree.windows, np.array([low, high], np.int64)).rows[:, 0].sum())

    def changes(self, after: int, resolution: int) -> list[tuple[int, int]]:
        """The ranges that versions newer than ``after`` may have changed, ascending and apart."""
        return self.ask(tree.changes, after, resolution)


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
        times, words = map(_own, frozen.values(low, high))
        return Points(times, decode(self.kind, words), self.kind, frozen.version, frozen.left_out)

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
        low, high = align_down(low, pointwidth), align_down(high, pointwidth)
        return self._aligned(self._frozen(), low, high, pointwidth, names)

    def _aligned(self, frozen: Frozen, low: int, high: int, pointwidth: int, names: Sequence[str]) -> Windows:
        piece = frozen.aligned(low, high, pointwidth)
        return frozen.told(sparse_windows(self.kind, piece, pointwidth, names, frozen.version))

    def windows(
        self, start: TimeLike, end: TimeLike, width: WidthLike, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of every window ``[start + i width, start + (i + 1) width)`` that fits into ``[start,
        end)``.

        Exact, whatever the ``width`` (ns, or text as "5min"); empty windows are reported with count 0 and
        zeros. ``columns`` names the statistics, as for `aligned_windows`. Opens the slots that the windows'
        edges cut, down to the page. `InvalidPointWidth` if the width is none; `InvalidArgument` above 2**24
        windows; `Thinned` if an edge divides one of which only statistics are left.

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
        piece = frozen.windows(edges) if number else None
        return frozen.told(dense_windows(self.kind, piece, edges, step, names, frozen.version))

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
        frozen = self._frozen()
        low, high = _bounds(frozen, start, end)
        if low >= high:
            return self._aligned(frozen, MIN_TIME, MIN_TIME, 0, names)
        pointwidth = zoom_pointwidth(low, high, points)
        while True:
            first, last = align_down(low, pointwidth), align_up(high, pointwidth)
            try:
                return self._aligned(frozen, first, last, pointwidth, names)
            except Thinned as thinned:
                pointwidth = thinned.pointwidth  # wider than what was asked for

    def nearest(self, time: TimeLike, backward: bool = False) -> Point | None:
        """The first point at or after ``time``, or with ``backward`` the last one strictly before it; None if
        there is none.

        Among equal times the first that arrived, or backward the last. `Thinned` if it may be one of which
        only statistics are left. Reads one path and one page.
        """
        found = self._frozen().nearest(to_instant(time), backward)
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
        return self._frozen().count(low, high)


def _bounds(frozen: Frozen, start: TimeLike | None, end: TimeLike | None) -> tuple[int, int]:
    """The range of a view; an empty one if the points that bound it are not there."""
    if start is not None and end is not None:
        return to_range(start, end)
    first = _outermost(frozen, backward=False) if start is None else to_instant(start)
    last = _outermost(frozen, backward=True) if end is None else to_ns(end) - 1
    return MAX_TIME if first is None else first, MIN_TIME if last is None else last + 1


def _outermost(frozen: Frozen, *, backward: bool) -> int | None:
    """The time of the first or last point; where that was thinned, the border of its window."""
    try:
        return frozen.outermost(backward=backward)
    except Thinned as thinned:
        return thinned.end - 1 if backward else thinned.start


def _own(column: Int64Array) -> Int64Array:
    """The column as one the caller may change: a view would let it change what other readers see, and what is
    committed.
    """
    return column if column.base is None else column.copy()
