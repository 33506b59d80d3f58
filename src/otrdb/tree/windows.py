"""Windows: the summary of every window of a range, at any width, from as few blocks as the tree allows.

A window of ``2**pointwidth`` ns is made of at most 8 slots of the level whose slots are the widest that fit
in it, so 1,000 windows need about 31 nodes at any zoom. Where the tree ends above that level the leaf's
sub-slots or points serve. Which of them does depends on the shape alone, never on what is cached, so the same
points give the same bits.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.model import MIN_TIME

from .geometry import LEVEL_SHIFT, row_shift, subslot_shift
from .nodes import Child, ChildKind, Node, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .source import Source

Words = NDArray[np.int64]
_FIRST_CAPACITY = 2_048


class Summaries:
    """Rows of windows in the making, in arrays that grow."""

    __slots__ = ("_rows", "_slots", "filled", "integer")

    def __init__(self, integer: bool) -> None:
        self.integer = integer
        self.filled = 0
        self._slots = np.empty(_FIRST_CAPACITY, np.int64)
        self._rows = np.empty((_FIRST_CAPACITY, 8), np.int64)

    def piece(self) -> Piece:
        """What has been collected."""
        return Piece(self._slots[: self.filled], self._rows[: self.filled])

    def _reserve(self, more: int) -> None:
        needed = self.filled + more
        if needed > len(self._slots):
            capacity = max(needed, 2 * len(self._slots))
            slots, rows = np.empty(capacity, np.int64), np.empty((capacity, 8), np.int64)
            slots[: self.filled] = self._slots[: self.filled]
            rows[: self.filled] = self._rows[: self.filled]
            self._slots, self._rows = slots, rows

    def fold(self, piece: Piece, offset: int, shift: int) -> None:
        """Merge rows into windows ``(slot + offset) >> shift``."""
        slots, rows = piece
        self._reserve(len(slots))
        self.filled = kernels.fold(
            slots, rows, self.integer, offset, shift, self._slots, self._rows, self.filled
        )

    def points(self, columns: tuple[Words, Words], shift: int) -> None:
        """Add the windows of ``2**shift`` ns of some points."""
        times, words = columns
        self._reserve(len(times))
        self.filled = kernels.summarise(
            times, words, self.integer, MIN_TIME, shift, self._slots, self._rows, self.filled
        )


def aligned_windows(source: Source, root: Node, start: int, end: int, pointwidth: int) -> Piece:
    """The windows with points in ``[start, end)``, both multiples of ``2**pointwidth`` ns from ``MIN_TIME``.

    ``slots`` are window numbers from ``MIN_TIME``, ascending. Cost: about ``12 + windows / 31`` blocks.
    """
    out = Summaries(source.integer)
    if start < end:
        _Aligned(source, out, start, end, pointwidth).node(root)
    return out.piece()


class _Aligned:
    """The descent of one aligned query."""

    __slots__ = ("_end", "_out", "_pointwidth", "_source", "_start")

    def __init__(self, source: Source, out: Summaries, start: int, end: int, pointwidth: int) -> None:
        self._source = source
        self._out = out
        self._start = start
        self._end = end
        self._pointwidth = pointwidth

    def node(self, node: Node) -> None:
        pointwidth = node.pointwidth
        if self._pointwidth >= node.coarsest():
            self._rows(node, self._start, self._end)
            return
        children = node.children_within(self._start, self._end)
        for child in children:
            if self._pointwidth >= row_shift(pointwidth, child.span):
                start, end = node.child_start(child), node.child_end(child)
                self._rows(node, max(start, self._start), min(end, self._end))
            elif child.kind == ChildKind.NODE:
                self.node(self._source.node(child))
            else:
                self._leaf(child)

    def _rows(self, node: Node, start: int, end: int) -> None:
        pointwidth = node.pointwidth
        first = (start - node.start) >> pointwidth
        piece = node.piece(first, (end - node.start) >> pointwidth)
        offset = (node.start - MIN_TIME) >> pointwidth
        self._out.fold(piece, offset, self._pointwidth - pointwidth)

    def _leaf(self, child: Child) -> None:
        leaf = self._source.leaf(child)
        shift = subslot_shift(leaf.shift)
        if self._pointwidth < shift:
            self._out.points(leaf.within(self._start, self._end), self._pointwidth)
            return
        slots, rows = leaf.subslots(self._source.integer)
        if self._start > leaf.start or self._end < leaf.start + (1 << leaf.shift):
            low, high = slots.searchsorted(
                ((self._start - leaf.start) >> shift, (self._end - leaf.start) >> shift)
            )
            slots, rows = slots[low:high], rows[low:high]
        self._out.fold(Piece(slots, rows), (leaf.start - MIN_TIME) >> shift, self._pointwidth - shift)


def windows(source: Source, root: Node, edges: Words) -> Piece:
    """The windows ``[edges[j], edges[j + 1])`` that hold points; ``slots`` are the numbers ``j``, ascending.

    Exact for any edges (int64[n], strictly ascending, in ns). Whole rows are used between the edges; only the
    slots an edge cuts are opened, down to the page that holds it.
    """
    descent = _Edges(source, edges)
    descent.node(root, int(edges[0]), int(edges[-1]))
    return descent.piece()


class _Edges:
    """The descent of one query with free edges, in order of time.

    Of a child node with one cut row only that row's range is opened; with several, all of the child, whose
    finer rows then serve for all of them.
    """

    __slots__ = ("_cuts", "_edges", "_filled", "_numbers", "_rows", "_slots", "_source", "_times")

    def __init__(self, source: Source, edges: Words) -> None:
        size = len(edges) - 1
        self._source = source
        self._edges = edges
        self._times: list[int] = edges.tolist()
        self._filled = 0
        self._slots, self._rows = np.empty(size, np.int64), np.empty((size, 8), np.int64)
        # Room for the pieces of one cut row: an edge more than windows, and as many rows.
        self._cuts = np.empty(size + 2, np.int64)
        self._numbers = np.empty(size + 1, np.int64), np.empty((size + 1, 8), np.int64)

    def piece(self) -> Piece:
        """What has been collected."""
        return Piece(self._slots[: self._filled], self._rows[: self._filled])

    def node(self, node: Node, start: int, end: int) -> None:
        """The rows of ``[start, end)``: whole ones as they are, cut ones from below."""
        starts, ends = node.bounds()
        low, high = int(ends.searchsorted(start, side="right")), int(starts.searchsorted(end))
        done = low
        for child, first, last in self._opened(node, self._divided(node, start, end, low, high), start, end):
            if first > done:
                self._whole(starts[done:first], node.rows[done:first])
            self._below(child, max(start, int(starts[first])), min(end, int(ends[last])))
            done = last + 1
        if high > done:
            self._whole(starts[done:high], node.rows[done:high])

    def _divided(self, node: Node, start: int, end: int, low: int, high: int) -> list[int]:
        """Which of the rows ``[low, high)`` an edge, or the border of what is asked for, divides."""
        if low >= high:
            return []
        starts, ends = node.bounds()
        edges = self._edges[bisect_left(self._times, start) : bisect_left(self._times, end)]
        rows = ends[low:high].searchsorted(edges, side="right") + low
        inside = rows < high
        rows, edges = rows[inside], edges[inside]
        divided = dict.fromkeys(rows[starts[rows] < edges].tolist())
        if starts[low] < start:
            divided = {low: None, **divided}
        if ends[high - 1] > end:
            divided[high - 1] = None
        return list(divided)

    def _opened(
        self, node: Node, divided: list[int], start: int, end: int
    ) -> Iterator[tuple[Child, int, int]]:
        """The children to open, each with the first and last row to take from it."""
        table, (starts, ends) = node.table(), node.bounds()
        children = [table[slot] for slot in (node.slots[divided] >> LEVEL_SHIFT).tolist()]
        for child, group in groupby(zip(children, divided, strict=True), key=itemgetter(0)):
            rows = [row for _, row in group]
            if len(rows) == 1 or child.kind != ChildKind.NODE:
                yield from ((child, row, row) for row in rows)
            else:
                low = int(ends.searchsorted(max(start, node.child_start(child)), side="right"))
                yield child, low, int(starts.searchsorted(min(end, node.child_end(child)))) - 1

    def _below(self, child: Child, start: int, end: int) -> None:
        if child.kind == ChildKind.NODE:
            self.node(self._source.node(child), start, end)
        else:
            self._points(child, start, end)

    def _points(self, child: Child, start: int, end: int) -> None:
        """The points of a cut row, summarised window by window and merged into what lies before."""
        times, words = self._source.leaf(child).within(start, end)
        window = bisect_right(self._times, start) - 1
        after = bisect_left(self._times, end, window + 1)
        cuts, pieces = self._cuts, after - window
        cuts[0], cuts[pieces] = start, end
        if pieces > 1:
            cuts[1:pieces] = self._edges[window + 1 : after]
        integer, (slots, rows) = self._source.integer, self._numbers
        made = kernels.summarise_edges(times, words, integer, cuts[: pieces + 1], window, slots, rows, 0)
        self._filled = kernels.fold(
            slots[:made], rows[:made], integer, 0, 0, self._slots, self._rows, self._filled
        )

    def _whole(self, starts: Words, rows: Words) -> None:
        self._filled = kernels.fold_edges(
            starts, rows, self._source.integer, self._edges, 0, self._slots, self._rows, self._filled
        )
