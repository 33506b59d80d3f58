"""Windows: the summary of every window of a range, at any width, from as few blocks as the tree allows.

A window of ``2**pointwidth`` ns is made of at most 8 slots of the level whose slots are the widest that fit
in it, so 1,000 windows need about 31 nodes at any zoom. Where the tree ends above that level the leaf's
sub-slots or points serve. Which of them does depends on the shape alone, never on what is cached, so the same
points give the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.errors import Damaged
from otrdb.model import MIN_TIME

from .geometry import child_shift, row_shift, subslot_shift
from .leaves import NO_POINTS, summarise_subslots
from .nodes import LEAVES, Child, ChildKind, Node, Piece
from .points import points_of
from .thinned import refuse

if TYPE_CHECKING:
    from .leaves import Columns
    from .source import Source

Words = NDArray[np.int64]
_FIRST_CAPACITY: Final = 2_048
_NODES: Final = (ChildKind.NODE, ChildKind.THINNED)
_CUT: Final = 4
"""Words that tell of a cut row: its index, the part ``[from, to)`` of it, the points of all rows before."""


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

    ``slots`` are window numbers from ``MIN_TIME``, ascending. `Thinned` where wider ones are all that is
    left. Cost: about ``12 + windows / 31`` blocks.
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
            elif child.kind in _NODES:
                self._below(node, child)
            else:
                self._leaf(node, child)

    def _below(self, node: Node, child: Child) -> None:
        try:
            below = self._source.node(child)
        except Damaged as damage:
            self._source.lost(damage, *node.common(child, self._start, self._end))
        else:
            if child.kind == ChildKind.THINNED and self._pointwidth < below.pointwidth:
                refuse(below, self._start, self._end)
            self.node(below)

    def _rows(self, node: Node, start: int, end: int) -> None:
        pointwidth = node.pointwidth
        first = (start - node.start) >> pointwidth
        piece = node.piece(first, (end - node.start) >> pointwidth)
        offset = (node.start - MIN_TIME) >> pointwidth
        self._out.fold(piece, offset, self._pointwidth - pointwidth)

    def _leaf(self, node: Node, child: Child) -> None:
        shift = subslot_shift(node.child_shift(child))
        if self._pointwidth < shift:
            self._out.points(points_of(self._source, node, child, self._start, self._end), self._pointwidth)
            return
        start = node.child_start(child)
        slots, rows = self._subslots(node, child)
        if self._start > start or self._end < node.child_end(child):
            low, high = slots.searchsorted(((self._start - start) >> shift, (self._end - start) >> shift))
            slots, rows = slots[low:high], rows[low:high]
        self._out.fold(Piece(slots, rows), (start - MIN_TIME) >> shift, self._pointwidth - shift)

    def _subslots(self, node: Node, child: Child) -> Piece:
        source = self._source
        try:
            return source.leaf(child).subslots(source.integer)
        except Damaged as damage:
            columns = source.salvaged(child, damage, *node.common(child, self._start, self._end))
        return summarise_subslots(columns, source.integer, node.child_start(child), node.child_shift(child))


def windows(source: Source, root: Node, edges: Words) -> Piece:
    """The windows ``[edges[j], edges[j + 1])`` that hold points; ``slots`` are the numbers ``j``, ascending.

    Exact for any edges (int64[n], strictly ascending, in ns). Whole rows are used between the edges; only the
    slots an edge cuts are opened, down to the page that holds it. `Thinned` if nothing is left below one.
    """
    descent = _Edges(source, edges)
    descent.node(root, int(edges[0]), int(edges[-1]))
    return descent.piece()


class _Edges:
    """The descent of one query with free edges, in order of time.

    Of a child node with one cut row only that row's range is opened; with several, all of the child, whose
    finer rows then serve for all of them. One kernel call folds a node's rows, with points in the place of
    the cut ones.
    """

    __slots__ = ("_edges", "_filled", "_rows", "_slots", "_source")

    def __init__(self, source: Source, edges: Words) -> None:
        size = len(edges) - 1
        self._source = source
        self._edges = edges
        self._filled = 0
        self._slots, self._rows = np.empty(size, np.int64), np.empty((size, 8), np.int64)

    def piece(self) -> Piece:
        """What has been collected."""
        return Piece(self._slots[: self._filled], self._rows[: self._filled])

    def node(self, node: Node, start: int, end: int) -> None:
        """The rows of ``[start, end)``: whole ones as they are, cut ones from below."""
        cuts = np.empty(_CUT * len(node.slots), np.int64)
        done, high, count = kernels.cut_rows(*node.bounds(), node.rows, self._edges, start, end, cuts)
        cuts = cuts[: _CUT * count]
        words, table, shift = cuts.tolist(), node.table(), child_shift(node.pointwidth)
        points: list[Columns] = []  # of the cut rows before `at` that are not yet folded
        passed = start
        for at in range(0, len(words), _CUT):
            row, low, top, before = words[at : at + _CUT]
            if low < passed:
                continue
            child, above = table[(low - node.start) >> shift]
            if child.kind in LEAVES:
                count = int(node.rows[row, 0])
                try:
                    points.append(self._source.leaf(child).run(before - above, count, child.count))
                except Damaged as damage:
                    points.append(self._source.salvaged(child, damage, low, top))
                continue
            if child.kind == ChildKind.EMPTY:  # a row of a summary, with nothing below it
                refuse(node, low, top)
            try:
                below = self._source.node(child)
            except Damaged as damage:
                self._source.lost(damage, low, top)
                points.append(NO_POINTS)
                continue
            first, last, low, top = _below(node, child, words[at : at + 2 * _CUT], start, end)
            self._fold(node, done, first, cuts[at - _CUT * len(points) : at], points)
            self.node(below, low, top)
            points, done, passed = [], last, node.child_end(child)
        self._fold(node, done, high, cuts[len(words) - _CUT * len(points) :], points)

    def _fold(self, node: Node, first: int, last: int, cuts: Words, points: list[Columns]) -> None:
        """Merge rows ``[first, last)`` into what lies before, and the points of the cut ones among them."""
        if first < last:
            starts, _ = node.bounds()
            integer, out = self._source.integer, (self._slots, self._rows, self._filled)
            self._filled = kernels.fold_edges(
                starts, node.rows, first, last, integer, self._edges, cuts, points, *out
            )


def _below(node: Node, child: Child, cuts: list[int], start: int, end: int) -> tuple[int, int, int, int]:
    """Which rows ``[first, last)`` of a node the child node stands for, and the range to take from it.

    ``cuts`` are the first cut row of the child and the one after it, if any.
    """
    row, low, high, _, *following = cuts
    if not following or following[1] >= node.child_end(child):
        return row, row + 1, low, high
    low, high = max(start, node.child_start(child)), min(end, node.child_end(child))
    starts, ends = node.bounds()
    return int(ends.searchsorted(low, side="right")), int(starts.searchsorted(high)), low, high
