"""Thin: points that are old enough give way to the statistics of windows.

Only whole children of the nodes one level above the windows are thinned, 256 windows each. No point changes
thereby, so references keep their versions, and changes do not show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from .geometry import LEVEL_SHIFT, SLOTS, SLOTS_PER_CHILD, row_shift
from .leaves import summarise_aligned
from .nodes import Child, ChildKind, Node, NodeBuilder, Piece
from .space import bytes_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .edit import Edit
    from .source import Source

THINNABLE: Final = tuple(range(16, 53, LEVEL_SHIFT))
"""The pointwidths points can be thinned to: 65 us, 1 ms, 17 ms, 268 ms, 4.3 s, 69 s, 18 min, 4.9 h, 3.3 d, 52
d.
"""

WORTH: Final = 16
"""Points of a leaf there must be for each window. A window takes 3 to 25 bytes and a point 2 to 5, so with
half as many points thinning might free nothing.
"""


class Thinning(NamedTuple):
    """What is to be thinned: what lies in ``[start, before)``, ns, to windows of ``2**pointwidth`` ns."""

    start: int
    before: int
    pointwidth: int


class Thinnable(NamedTuple):
    """What thinning takes away: points, the bytes of the blocks that hold them, without headers, and in how
    many children of nodes they are.
    """

    points: int
    bytes: int
    children: int


def thinnable(source: Source, root: Node, thinning: Thinning) -> Thinnable:
    """What a thinning would take away. Reads the nodes over the range, and no leaf."""
    points = size = children = 0
    for node, child in _due(source, root, thinning):
        points, children = points + child.count, children + 1
        size += bytes_within(source, node, node.child_start(child), node.child_end(child))
    return Thinnable(points, size, children)


def thin(edit: Edit, root: Node, thinning: Thinning, limit: int) -> Node:
    """The root of a tree in which up to ``limit`` children, the oldest first, have given way to statistics.

    It is ``root`` itself if there is nothing to do. Nothing is written. Cost: the nodes over the range are
    read, and the leaves that are replaced where their nodes have no rows so fine.
    """
    return _Thin(edit, thinning, limit).node(root)


def _due(source: Source, node: Node, thinning: Thinning) -> Iterator[tuple[Node, Child]]:
    """The children that are to be thinned, each with its node."""
    for child in node.children_within(thinning.start, thinning.before):
        if node.pointwidth > thinning.pointwidth + LEVEL_SHIFT:
            if child.kind == ChildKind.NODE:
                yield from _due(source, source.node(child), thinning)
        elif _is_due(node, child, thinning):
            yield node, child


def _is_due(node: Node, child: Child, thinning: Thinning) -> bool:
    whole = thinning.start <= node.child_start(child) and node.child_end(child) <= thinning.before
    if not whole or child.kind == ChildKind.THINNED:
        return False
    return child.kind == ChildKind.NODE or child.count >= WORTH * _most_rows(node, child)


def _most_rows(node: Node, child: Child) -> int:
    """How many windows of the next level the points of a leaf may be in, by the rows it has in its node."""
    rows = len(_piece(node, child).slots)
    return rows << (row_shift(node.pointwidth, child.span) - node.pointwidth + LEVEL_SHIFT)


def _piece(node: Node, child: Child) -> Piece:
    return node.piece(child.index * SLOTS_PER_CHILD, (child.index + child.span) * SLOTS_PER_CHILD)


class _Thin:
    """The descent of one thinning."""

    def __init__(self, edit: Edit, thinning: Thinning, limit: int) -> None:
        self._edit = edit
        self._source = edit.source
        self._thinning = thinning
        self._left = limit

    def node(self, node: Node) -> Node:
        builder = NodeBuilder(node)
        for child in node.children_within(self._thinning.start, self._thinning.before):
            if not self._left:
                break
            if node.pointwidth > self._thinning.pointwidth + LEVEL_SHIFT:
                if child.kind == ChildKind.NODE:
                    self._below(builder, child)
            elif _is_due(node, child, self._thinning):
                self._replace(builder, child)
        return builder.finish() if builder.touched else node

    def _below(self, builder: NodeBuilder, child: Child) -> None:
        before = self._source.node(child)
        after = self.node(before)
        if after is not before:
            self._edit.forget(child)
            self._edit.put_node(builder, child.index, after, version=child.version)

    def _replace(self, builder: NodeBuilder, child: Child) -> None:
        summaries = list(self._summaries(builder.node, child))
        self._edit.forget_below(child)
        builder.empty(child.index, child.span, child.version)
        for index, summary in summaries:
            self._edit.put_node(builder, index, summary, kind=ChildKind.THINNED, version=child.version)
        self._left -= 1

    def _summaries(self, node: Node, child: Child) -> Iterator[tuple[int, Node]]:
        """The windows of each child position that has any."""
        if child.kind == ChildKind.NODE:
            yield child.index, self._of_node(self._source.node(child))
            return
        pointwidth = self._thinning.pointwidth
        slots, rows = self._summarised(child, node.start, SLOTS * child.span)
        for index in range(child.index, child.index + child.span):
            low, high = slots.searchsorted((SLOTS * index, SLOTS * (index + 1)))
            if low < high:
                start = node.start + (index << (pointwidth + LEVEL_SHIFT + LEVEL_SHIFT))
                yield index, Node(start, pointwidth, slots[low:high] - SLOTS * index, rows[low:high], ())

    def _of_node(self, below: Node) -> Node:
        """The rows of a node, all of them of one slot: wide leaves have wider ones there."""
        pieces = [
            self._summarised(child, below.start, SLOTS_PER_CHILD * child.span)
            if row_shift(below.pointwidth, child.span) > below.pointwidth
            else _piece(below, child)
            for child in below.children
            if child.kind
        ]
        slots, rows = map(np.concatenate, zip(*pieces, strict=True))
        return Node(below.start, below.pointwidth, slots, rows, ())

    def _summarised(self, leaf: Child, start: int, most: int) -> Piece:
        points, integer = self._source.leaf(leaf).points(), self._source.integer
        return summarise_aligned(points, integer, start, self._thinning.pointwidth, most)
