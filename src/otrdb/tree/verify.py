"""Verify: is a tree what the canonical rule and its points say it must be?

Quick verification reads nodes only: shape, order, counts, version stamps, and every parent's rows against its
child nodes. Deep verification also reads every leaf, proves its pages and makes its rows again, which must
give the same bits. What an older version shares with a newer one need not be looked at again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from otrdb.errors import Damaged

from .edit import Edit, leaf_piece
from .geometry import LEAF_CAPACITY, LEVEL_SHIFT, SLOTS_PER_CHILD, child_shift, top_spans
from .leaves import joined, summarise_aligned
from .nodes import Child, ChildKind, Node, NodeBuilder, Piece
from .thinned import is_raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .chains import Chain, Link
    from .leaves import Columns
    from .sections import SectionedLeaf
    from .source import Source


class Fault(NamedTuple):
    """Something wrong, and the times ``[start, end)`` it concerns: damage by the medium, or else a bug of
    ours. ``place`` is the segment and offset of a damaged block."""

    start: int
    end: int
    text: str
    damage: bool = False
    place: tuple[int, int] | None = None


Step: TypeAlias = "Callable[[int], None]"
"""Is told how many points have been dealt with since the last time."""


def verify(
    source: Source,
    root: Node,
    version: int,
    *,
    deep: bool = False,
    newer: Node | None = None,
    step: Step = lambda points: None,
) -> Iterator[Fault]:
    """Yield every fault found below ``root``, which is version ``version`` of its stream.

    What lies in the same blocks below ``newer``, the root of another version that was verified, is left out.
    """
    yield from _Verify(source, deep, step).node(root, version, newer, is_root=True)


class _Verify:
    def __init__(self, source: Source, deep: bool, step: Step) -> None:
        self._source = source
        self._deep = deep
        self._step = step

    def node(
        self, node: Node, version: int, newer: Node | None = None, *, is_root: bool = False
    ) -> Iterator[Fault]:
        end = node.start + (1 << (node.pointwidth + 8))
        if not is_root and node.count <= LEAF_CAPACITY and self._is_raw(node.children):
            yield Fault(node.start, end, f"a node holds {node.count} points, which fit a leaf")
        if bool((np.diff(node.slots) <= 0).any()) or bool((node.rows[:, 0] <= 0).any()):
            yield Fault(node.start, end, "a node's rows are out of order or empty")
        yield from self._shape(node)
        for child in node.children:
            twin = None if newer is None else newer.table()[child.index][0]
            if child.version > version or newer is None or not _is_shared(node, child, newer, twin):
                yield from self._guarded(node, child, version, twin)
            if child.kind != ChildKind.NODE:
                self._step(child.count)

    def _shape(self, node: Node) -> Iterator[Fault]:
        taken = 0
        for child in node.children:
            mask = ((1 << child.span) - 1) << child.index
            if taken & mask or child.index % child.span:
                yield self._fault(node, child, "overlaps another child or is not aligned")
            taken |= mask
        for index, span in top_spans(node.pointwidth):
            yield from self._maximal(node, index, span)

    def _maximal(self, node: Node, index: int, span: int) -> Iterator[Fault]:
        inside = [c for c in node.children if c.kind and index <= c.index < index + span]
        if not inside or (len(inside) == 1 and inside[0].span == span):
            return
        if sum(child.count for child in inside) <= LEAF_CAPACITY and self._is_raw(inside):
            yield self._fault(node, inside[0], f"should be one leaf over {span} children")
        elif span > 1:
            yield from self._maximal(node, index, span // 2)
            yield from self._maximal(node, index + span // 2, span // 2)

    def _guarded(self, node: Node, child: Child, version: int, twin: Child | None) -> Iterator[Fault]:
        if child.version > version:
            yield self._fault(node, child, f"is of version {child.version}, newer than its tree")
        if not child.kind:
            return
        try:
            yield from self._child(node, child, twin)
        except Damaged as error:
            yield self._unreadable(node, child, error)

    def _child(self, node: Node, child: Child, twin: Child | None) -> Iterator[Fault]:
        stored = node.piece(child.index * SLOTS_PER_CHILD, (child.index + child.span) * SLOTS_PER_CHILD)
        if int(stored.rows[:, 0].sum()) != child.count:
            yield self._fault(node, child, "does not hold the number of points its rows count")
        if child.kind == ChildKind.NODE:
            below = self._source.node(child)
            yield from self._compare(node, child, stored, self._reduced(node, child, below))
            yield from self.node(below, child.version, self._twin(twin))
        elif child.kind == ChildKind.THINNED:
            yield from self._summary(node, child, stored, self._source.node(child))
        elif child.kind == ChildKind.CHAIN:
            yield from self._chain(node, child, stored, self._source.chain(child))
        elif child.kind == ChildKind.SECTIONS:
            yield from self._sections(node, child, stored, self._source.sections(child))
        elif self._deep:
            leaf = self._source.leaf(child)
            if (leaf.start, leaf.shift) != (node.child_start(child), node.child_shift(child)):
                yield self._fault(node, child, "was written for another interval")
            yield from self._leaf(node, child, stored, leaf.points())

    def _is_raw(self, children: Iterable[Child]) -> bool:
        """Whether nothing below is thinned; not, if that cannot be read."""
        try:
            return all(is_raw(self._source, child) for child in children)
        except Damaged:
            return False

    def _summary(self, node: Node, child: Child, stored: Piece, summary: Node) -> Iterator[Fault]:
        start, pointwidth = node.child_start(child), node.pointwidth - LEVEL_SHIFT
        if summary.children or (summary.start, summary.pointwidth) != (start, pointwidth) or child.span > 1:
            yield self._fault(node, child, "is not of its place, or has something below it")
        if bool((np.diff(summary.slots) <= 0).any()) or bool((summary.rows[:, 0] <= 0).any()):
            yield self._fault(node, child, "has rows that are out of order or empty")
        yield from self._compare(node, child, stored, self._reduced(node, child, summary))

    def _twin(self, twin: Child | None) -> Node | None:
        """The node at the same place in the newer version; None where that has none, or a damaged one."""
        if twin is None or twin.kind != ChildKind.NODE:
            return None
        try:
            return self._source.node(twin)
        except Damaged:
            return None

    def _reduced(self, node: Node, child: Child, below: Node) -> Piece:
        builder = NodeBuilder(Node(node.start, node.pointwidth, node.slots[:0], node.rows[:0], ()))
        Edit(self._source, child.version).put_node(builder, child.index, below)
        made = builder.finish()
        return Piece(made.slots, made.rows)

    def _leaf(self, node: Node, child: Child, stored: Piece, columns: Columns) -> Iterator[Fault]:
        times = columns[0]
        if len(times) != child.count or bool((np.diff(times) < 0).any()):
            yield self._fault(
                node, child, "holds another number of points than said, or they are out of order"
            )
        elif times[0] < node.child_start(child) or times[-1] >= node.child_end(child):
            yield self._fault(node, child, "holds points outside its interval")
        else:
            made = leaf_piece(node, child.span, columns, integer=self._source.integer)
            yield from self._compare(node, child, stored, made)

    def _sections(self, node: Node, child: Child, stored: Piece, leaf: SectionedLeaf) -> Iterator[Fault]:
        if leaf.count != child.count or leaf.start != node.child_start(child):
            yield self._fault(node, child, "has a directory that is not its own")
        parts: list[Columns] = []
        for at in range(len(leaf.sections)) if self._deep else ():
            try:
                parts.append(leaf.leaf(at).points())
            except Damaged as error:
                yield self._unreadable(node, child, error)
        if len(parts) == len(leaf.sections):
            told = [(section.first, section.size) for section in leaf.sections]
            if told != [(int(times[0]), len(times)) for times, _ in parts]:
                yield self._fault(node, child, "has a section of other points than its directory says")
            yield from self._leaf(node, child, stored, joined(parts))

    def _chain(self, node: Node, child: Child, stored: Piece, chain: Chain) -> Iterator[Fault]:
        if chain.count != child.count or child.count <= LEAF_CAPACITY or node.pointwidth != 0:
            yield self._fault(node, child, "is a chain that should not be one")
        made = chain.piece(self._source.integer, child.index * SLOTS_PER_CHILD)
        yield from self._compare(node, child, stored, made)
        for link in chain.links if self._deep else ():
            try:
                yield from self._link(node, child, chain, link)
            except Damaged as error:
                yield self._unreadable(node, child, error)

    def _link(self, node: Node, child: Child, chain: Chain, link: Link) -> Iterator[Fault]:
        columns = self._source.leaf(link.leaf).points()
        times = columns[0]
        ends = (len(times), int(times[0]), int(times[-1]))
        if ends != (link.leaf.count, link.first, link.last) or bool((np.diff(times) < 0).any()):
            yield self._fault(node, child, "has a block of other points than its directory says")
        else:
            made = summarise_aligned(columns, self._source.integer, chain.start, 0, SLOTS_PER_CHILD)
            yield from self._compare(node, child, link.piece, made)

    def _compare(self, node: Node, child: Child, stored: Piece, made: Piece) -> Iterator[Fault]:
        if not (np.array_equal(stored.slots, made.slots) and np.array_equal(stored.rows, made.rows)):
            yield self._fault(node, child, "has statistics that differ from what lies below")

    def _unreadable(self, node: Node, child: Child, error: Damaged) -> Fault:
        place = None if error.segment is None or error.offset is None else (error.segment, error.offset)
        fault = self._fault(node, child, f"cannot be read: {error.message}")
        return fault._replace(damage=True, place=place)

    @staticmethod
    def _fault(node: Node, child: Child, text: str) -> Fault:
        start = node.start + (child.index << child_shift(node.pointwidth))
        return Fault(start, node.child_end(child), f"{child.kind.name.lower()} {text}")


def _is_shared(node: Node, child: Child, newer: Node, twin: Child | None) -> bool:
    """Whether ``twin`` in another version is the same block, with the same rows above it."""
    if twin is None or child.address is None or twin.address != child.address:
        return False
    first, end = child.index * SLOTS_PER_CHILD, (child.index + child.span) * SLOTS_PER_CHILD
    mine, theirs = node.piece(first, end), newer.piece(first, end)
    return np.array_equal(mine.slots, theirs.slots) and np.array_equal(mine.rows, theirs.rows)
