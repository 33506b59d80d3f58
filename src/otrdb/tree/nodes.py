"""Nodes and the references they hold, as they are in memory.

Both are immutable once a tree holds them, with one exception: a save gives a reference to a block in memory
the address it was written to, and drops the block once that is durable. Readers look at ``block`` first.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .geometry import CHILDREN, LEVEL_SHIFT, SLOTS_PER_CHILD, child_shift, interval_shift, row_shift

if TYPE_CHECKING:
    from collections.abc import Iterable

Words = NDArray[np.int64]
Rows = NDArray[np.int64]

Address = tuple[int, int, int, int]
"""Where a block lies, for the tree an opaque key: (segment, offset, length, head)."""


Block: TypeAlias = Any
"""A leaf, node or chain in memory: the kind of the reference says which."""


class ChildKind(IntEnum):
    """What a reference leads to. THINNED is a node with rows and nothing below: its points are gone."""

    EMPTY = 0
    LEAF = 1
    NODE = 2
    CHAIN = 3
    SECTIONS = 4
    THINNED = 5


LEAVES: Final = (ChildKind.LEAF, ChildKind.SECTIONS)
"""A leaf in one block, or in several."""


class Piece(NamedTuple):
    """Rows of a part of a node: ``slots`` int64[n] ascending and ``rows`` int64[n, 8]."""

    slots: Words
    rows: Rows


class Child:
    """A reference to what lies below ``span`` children of a node, beginning with child ``index``.

    ``version`` is the one that last changed anything below it; ``count`` its points. ``block`` is the block
    itself while it has not been written, ``address`` where it was written. An EMPTY child keeps the version
    that emptied it.
    """

    __slots__ = ("address", "block", "count", "index", "kind", "span", "version")

    def __init__(
        self,
        index: int,
        span: int,
        kind: ChildKind,
        version: int,
        count: int,
        *,
        block: Block = None,
        address: Address | None = None,
    ) -> None:
        self.index = index
        self.span = span
        self.kind = kind
        self.version = version
        self.count = count
        self.block = block
        self.address = address

    def __repr__(self) -> str:
        return f"Child({self.kind.name} {self.index}+{self.span} version={self.version} count={self.count})"


NO_CHILD = Child(0, 0, ChildKind.EMPTY, 0, 0)
"""Stands where a node has no child."""


class Node:
    """One node: its rows, sparse and ascending by slot, and its children, ascending by index."""

    __slots__ = ("_bounds", "_coarsest", "_table", "children", "pointwidth", "rows", "slots", "start")

    def __init__(
        self, start: int, pointwidth: int, slots: Words, rows: Rows, children: tuple[Child, ...]
    ) -> None:
        self.start = start
        self.pointwidth = pointwidth
        self.slots = slots
        self.rows = rows
        self.children = children
        self._bounds: tuple[Words, Words] | None = None
        self._table: list[tuple[Child, int]] | None = None
        self._coarsest = -1

    @property
    def count(self) -> int:
        """Points below this node."""
        return int(self.rows[:, 0].sum())

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about, with what is made on first use."""
        return 1_250 + 3 * self.slots.nbytes + self.rows.nbytes + 400 * len(self.children)

    def coarsest(self) -> int:
        """Log2 of the time the widest row may stand for; made on first use."""
        if self._coarsest < 0:
            spans = [child.span for child in self.children]  # only a leaf's is more than 1
            self._coarsest = row_shift(self.pointwidth, max(spans, default=1))
        return self._coarsest

    def table(self) -> list[tuple[Child, int]]:
        """For each child position the child that covers it, and the points of all before that child; made on
        first use.
        """
        if self._table is None:
            table, before = [(NO_CHILD, 0)] * CHILDREN, 0
            for child in self.children:
                table[child.index : child.index + child.span] = [(child, before)] * child.span
                before += child.count
            self._table = table
        return self._table

    def bounds(self) -> tuple[Words, Words]:
        """Where each row's time begins and ends, ns; made on first use."""
        if self._bounds is None:
            starts = (self.slots << self.pointwidth) + self.start
            widths = [1 << self.pointwidth] * CHILDREN
            for child in self.children:
                width = 1 << row_shift(self.pointwidth, child.span)
                widths[child.index : child.index + child.span] = [width] * child.span
            self._bounds = starts, starts + np.array(widths, np.int64)[self.slots >> LEVEL_SHIFT]
        return self._bounds

    def child_start(self, child: Child) -> int:
        """The first time of the child's interval, in ns."""
        return self.start + (child.index << child_shift(self.pointwidth))

    def child_shift(self, child: Child) -> int:
        """Log2 of the width of the child's interval."""
        return interval_shift(self.pointwidth, child.span)

    def child_end(self, child: Child) -> int:
        """The end (exclusive) of the child's interval, in ns."""
        return self.start + ((child.index + child.span) << child_shift(self.pointwidth))

    def common(self, child: Child, start: int, end: int) -> tuple[int, int]:
        """The part of ``[start, end)`` that lies in the child's interval."""
        return max(start, self.child_start(child)), min(end, self.child_end(child))

    def children_within(self, start: int, end: int) -> tuple[Child, ...]:
        """The children that hold points or may, whose intervals meet ``[start, end)``."""
        shift = child_shift(self.pointwidth)
        low = (start - self.start) >> shift
        high = (end - 1 - self.start) >> shift
        return tuple(
            child
            for child in self.children
            if child.index <= high and child.index + child.span > low and child.kind
        )

    def piece(self, first_slot: int, end_slot: int) -> Piece:
        """The rows of slots ``[first_slot, end_slot)``."""
        if first_slot <= 0 and end_slot >= 256:
            return Piece(self.slots, self.rows)
        low, high = self.slots.searchsorted((first_slot, end_slot))
        return Piece(self.slots[low:high], self.rows[low:high])


EMPTY_SLOTS: Words = np.empty(0, np.int64)
EMPTY_ROWS: Rows = np.empty((0, 8), np.int64)
EMPTY_PIECE = Piece(EMPTY_SLOTS, EMPTY_ROWS)


def empty_node(start: int, pointwidth: int) -> Node:
    """A node without points."""
    return Node(start, pointwidth, EMPTY_SLOTS, EMPTY_ROWS, ())


class NodeBuilder:
    """Makes the next state of a node: replaces intervals of children together with their rows."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._children = {child.index: child for child in node.children}
        self._pieces: dict[int, Piece] = {}
        self._changed = bytearray(16)

    def children(self, index: int, span: int) -> list[Child]:
        """The children with points within ``[index, index + span)``, ascending, as they stand now."""
        found = (self._children.get(at) for at in range(index, index + span))
        return [child for child in found if child is not None and child.kind]

    def changed(self, index: int, span: int) -> bool:
        """Whether anything within the interval was replaced or emptied."""
        return any(self._changed[index : index + span])

    @property
    def touched(self) -> bool:
        """Whether anything at all was replaced or emptied."""
        return any(self._changed)

    def put(self, child: Child, piece: Piece) -> None:
        """Put ``child`` and its rows in the place of whatever lies within its interval."""
        self._clear(child.index, child.span)
        self._children[child.index] = child
        if len(piece.slots):
            self._pieces[child.index] = piece

    def emptied(self, index: int) -> int:
        """The version that emptied child position ``index``; 0 if none did."""
        child = self._children.get(index)
        return child.version if child is not None and not child.kind else 0

    def empty(self, index: int, span: int, version: int) -> None:
        """Take away what lies within the interval; ``version`` is remembered for each child position."""
        self._clear(index, span)
        for at in range(index, index + span):
            self._children[at] = Child(at, 1, ChildKind.EMPTY, version, 0)

    def _clear(self, index: int, span: int) -> None:
        """Take away what lies within the interval, to put the same points there in another shape."""
        for at in range(index, index + span):
            self._changed[at] = 1
            self._children.pop(at, None)
            self._pieces.pop(at, None)

    def finish(self) -> Node:
        """The new node."""
        pieces = list(self._in_order())
        slots = np.concatenate([piece.slots for piece in pieces]) if pieces else EMPTY_SLOTS
        rows = np.concatenate([piece.rows for piece in pieces]) if pieces else EMPTY_ROWS
        children = tuple(self._children[index] for index in sorted(self._children))
        return Node(self.node.start, self.node.pointwidth, slots, rows, children)

    def _in_order(self) -> Iterable[Piece]:
        index = 0
        while index < 16:
            if self._changed[index]:
                piece = self._pieces.get(index)
                index += 1
            else:
                end = index
                while end < 16 and not self._changed[end]:
                    end += 1
                piece = self.node.piece(index * SLOTS_PER_CHILD, end * SLOTS_PER_CHILD)
                index = end
            if piece is not None and len(piece.slots):
                yield piece
