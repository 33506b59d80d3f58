"""What every change of a tree shares: the change's own facts, and how leaves, chains and nodes are put in
place.

Canonical rule: leaves are the maximal dyadic intervals that hold 1 to 16,384 points and nothing thinned, down
to the finest interval; a node exists for each grid interval that holds more, or anything thinned, and for the
root. So the shape depends on the points alone, and on what was thinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.errors import Damaged, InternalError
from otrdb.model import MAX_TIME, MIN_TIME

from .chains import Chain, build_chain
from .geometry import (
    CHILDREN,
    LEAF_CAPACITY,
    LEVEL_SHIFT,
    ROOT_POINTWIDTH,
    SLOTS,
    SLOTS_PER_CHILD,
    child_shift,
    interval_shift,
    row_shift,
    top_spans,
)
from .growth import NONE_STORED, Stored, made_leaf, stored_sections
from .leaves import Columns, StoredLeaf, joined, summarise_aligned
from .nodes import LEAVES, Address, Child, ChildKind, Node, NodeBuilder, Piece, empty_node
from .sections import SectionedLeaf
from .source import listed
from .thinned import is_raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from .source import Source

Words = NDArray[np.int64]


def empty_root() -> Node:
    """The root of a stream without points."""
    return empty_node(MIN_TIME, ROOT_POINTWIDTH)


class Edit:
    """One change of one tree: what it reads, the version it makes, and the blocks it leaves behind."""

    __slots__ = ("keep", "last", "memory", "obsolete", "placed", "source", "version")

    def __init__(
        self,
        source: Source,
        version: int,
        placed: Callable[[Child], None] | None = None,
        *,
        keep: bool = True,
    ) -> None:
        self.source = source
        self.version = version
        self.keep = keep
        """Whether points of leaves that others go behind are kept in the cache: they may be needed again."""
        self.placed = placed
        """Is told of every leaf as it is placed, to write it early. Only for one insert, not with REPLACE:
        what was placed may not be read again before it is durable.
        """
        self.last = MAX_TIME
        """The last time at which points come: leaves that end before it are not expected to get more."""
        self.obsolete: list[Address] = []
        self.memory = 0
        """Bytes of the blocks made, about; some may have been replaced again."""

    def forget(self, child: Child) -> None:
        """``child``'s own block is no longer part of the tree. One that is still in memory occupies no
        medium.
        """
        if child.block is None and child.address is not None:
            self.obsolete.append(child.address)

    def forget_below(self, child: Child) -> None:
        """Neither is anything below it. What a damaged block leads to is out of the tree with it, unnamed."""
        self.forget(child)
        try:
            self.obsolete.extend(listed(self.source, child))
            below = self.source.node(child).children if child.kind == ChildKind.NODE else ()
        except Damaged:
            return
        for each in below:
            self.forget_below(each)

    def put_leaf(
        self, builder: NodeBuilder, index: int, span: int, columns: Columns, stored: Stored = NONE_STORED
    ) -> None:
        """Place a leaf of ``columns`` over ``span`` children.

        Sections that stay where they are ``stored`` are taken out of that.
        """
        node = builder.node
        start = node.start + (index << child_shift(node.pointwidth))
        shift = interval_shift(node.pointwidth, span)
        full = start + (1 << shift) <= self.last
        inside = stored.within(start, start + (1 << shift))
        leaf = made_leaf(self.source, start, shift, inside, columns, full=full)
        stored.take(stored_sections(leaf))
        piece = leaf_piece(node, span, columns, integer=self.source.integer)
        if isinstance(leaf, StoredLeaf):
            address, count = leaf.address, leaf.count
            builder.put(Child(index, span, ChildKind.LEAF, self.version, count, address=address), piece)
            return
        kind = ChildKind.SECTIONS if isinstance(leaf, SectionedLeaf) else ChildKind.LEAF
        self._put(builder, Child(index, span, kind, self.version, len(columns[0]), block=leaf), piece)

    def put_appended(self, builder: NodeBuilder, child: Child, leaf: SectionedLeaf, piece: Piece) -> None:
        """Place ``child``'s leaf with more points behind those it has."""
        self.obsolete.extend(listed(self.source, child)[leaf.kept :])
        if child.kind == ChildKind.SECTIONS or not leaf.kept:
            self.forget(child)
        kind = ChildKind.SECTIONS if leaf.parts > 1 else ChildKind.LEAF
        self._put(builder, Child(child.index, child.span, kind, self.version, leaf.count, block=leaf), piece)

    def _put(self, builder: NodeBuilder, child: Child, piece: Piece) -> None:
        self.memory += child.block.memory
        builder.put(child, piece)
        if self.placed is not None:
            self.placed(child)

    def put_node(
        self,
        builder: NodeBuilder,
        index: int,
        node: Node,
        *,
        kind: ChildKind = ChildKind.NODE,
        version: int | None = None,
    ) -> None:
        """Place a child node, or a summary, and reduce its slots, 16 to 1, to the parent's.

        ``version`` is the one that last changed a point below it, by default this one.
        """
        child = Child(index, 1, kind, self.version if version is None else version, node.count, block=node)
        self.memory += node.memory
        slots, rows = np.empty(SLOTS_PER_CHILD, np.int64), np.empty((SLOTS_PER_CHILD, 8), np.int64)
        integer = self.source.integer
        filled = kernels.fold(node.slots, node.rows, integer, index * SLOTS, LEVEL_SHIFT, slots, rows, 0)
        builder.put(child, Piece(slots[:filled], rows[:filled]))

    def put_chain(self, builder: NodeBuilder, index: int, chain: Chain) -> None:
        """Place a chain."""
        child = Child(index, 1, ChildKind.CHAIN, self.version, chain.count, block=chain)
        builder.put(child, chain.piece(self.source.integer, index * SLOTS_PER_CHILD))

    def build(
        self, builder: NodeBuilder, index: int, span: int, columns: Columns, stored: Stored = NONE_STORED
    ) -> None:
        """Give the points of ``columns`` their canonical shape within an interval that holds nothing else;
        some of them are ``stored`` in sections already.

        What the builder remembers of emptied children stays where no point comes.
        """
        count = len(columns[0])
        if count == 0:
            return
        if count <= LEAF_CAPACITY:
            self.put_leaf(builder, index, span, columns, stored)
        elif span > 1:
            for at, part in halves(builder.node, index, span, columns):
                self.build(builder, at, span // 2, part, stored)
        elif builder.node.pointwidth == 0:
            chain = build_chain(
                builder.node.start + (index << LEVEL_SHIFT),
                (),
                columns,
                integer=self.source.integer,
                version=self.version,
            )
            self.put_chain(builder, index, chain)
        else:
            self.put_node(builder, index, self._build_node(builder, index, columns, stored))

    def settle(self, builder: NodeBuilder) -> None:
        """Restore the canonical rule in a node from which points were taken away.

        A changed interval that now fits a leaf becomes one, whatever it was, so an untouched sibling may be
        read.
        """
        for index, span in top_spans(builder.node.pointwidth):
            self._settle(builder, index, span)

    def _settle(self, builder: NodeBuilder, index: int, span: int) -> None:
        children = builder.children(index, span)
        if not children or not builder.changed(index, span):
            return
        fit = sum(child.count for child in children) <= LEAF_CAPACITY
        if not fit or not all(is_raw(self.source, child) for child in children):
            if span > 1:
                self._settle(builder, index, span // 2)
                self._settle(builder, index + span // 2, span // 2)
        elif children[0].span < span or children[0].kind not in LEAVES:
            columns = joined([self.points_below(child) for child in children])
            for child in children:
                self.forget_below(child)
            self.put_leaf(builder, index, span, columns)

    def points_below(self, child: Child) -> Columns:
        """All points below ``child``, where nothing is thinned, in order."""
        if child.kind in LEAVES:
            return self.source.leaf(child).points()
        if child.kind == ChildKind.CHAIN:
            return self.source.chain(child).points(self.source)
        if child.kind == ChildKind.THINNED:
            raise InternalError("Points were asked for that were thinned.")
        below = [c for c in self.source.node(child).children if c.kind]
        return joined([self.points_below(c) for c in below])

    def _build_node(self, above: NodeBuilder, index: int, columns: Columns, stored: Stored) -> Node:
        parent = above.node
        start = parent.start + (index << child_shift(parent.pointwidth))
        builder = NodeBuilder(empty_node(start, parent.pointwidth - LEVEL_SHIFT))
        emptied = above.emptied(index)
        if emptied:
            # Something was taken away somewhere below: where no point comes now, it may have been there.
            builder.empty(0, CHILDREN, emptied)
        for at, span, part in top_parts(builder.node, columns):
            self.build(builder, at, span, part, stored)
        return builder.finish()


def leaf_piece(node: Node, span: int, columns: Columns, *, integer: bool) -> Piece:
    """The rows a leaf over ``span`` children of ``node`` puts there."""
    shift = row_shift(node.pointwidth, span)
    piece = summarise_aligned(columns, integer, node.start, shift, SLOTS)
    return Piece(piece.slots << (shift - node.pointwidth), piece.rows)


def cut(columns: Columns, time: int) -> tuple[Columns, Columns]:
    """The points before ``time`` and those from it on."""
    at = kernels.bisect(columns[0], time)
    return (columns[0][:at], columns[1][:at]), (columns[0][at:], columns[1][at:])


def halves(node: Node, index: int, span: int, columns: Columns) -> list[tuple[int, Columns]]:
    """The two halves of an interval of children, each with its points."""
    middle = index + span // 2
    low, high = cut(columns, node.start + (middle << child_shift(node.pointwidth)))
    return [(index, low), (middle, high)]


def top_parts(node: Node, columns: Columns) -> list[tuple[int, int, Columns]]:
    """The node's widest leaf intervals (first child, span), each with its points."""
    tops = top_spans(node.pointwidth)
    if len(tops) == 1:
        return [(*tops[0], columns)]
    parts = halves(node, 0, 2 * tops[0][1], columns)
    return [(index, tops[0][1], part) for index, part in parts]
