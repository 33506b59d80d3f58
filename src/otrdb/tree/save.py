"""Save: write the blocks of trees that are only in memory, children first, and learn the roots' addresses.

Written blocks count only once the group they lie in is durable, so a save has two halves: `Save.tree` writes,
and either `Save.publish` makes the trees refer to what was written or `Save.abandon` makes them forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from .chains import Chain, encode_chain
from .habit import Habit
from .leaf_block import EncodedBlock, encode_leaf
from .leaves import ArrayLeaf, cache_points
from .node_block import encode_node
from .nodes import LEAVES, Address, Child, ChildKind, Node
from .sections import SectionedLeaf, encode_sections

if TYPE_CHECKING:
    from .source import BlockWriter, Source

Mapper = Callable[[Callable[[ArrayLeaf], EncodedBlock], Iterable[ArrayLeaf]], Iterable[EncodedBlock]]
"""Applies a function to leaves, in order: `map`, or the same over several threads."""

_LEAVES_AT_ONCE = 64
"""Bounds what encoded leaves wait in memory for their turn to be written."""


class Save:
    """The writing of one or more trees through one writer.

    Trees that nobody else has need not be kept until they are published: then memory does not grow with them.
    """

    def __init__(self, writer: BlockWriter, encode: Mapper = map, *, keep: bool = True) -> None:
        self._writer = writer
        self._encode = encode
        self._keep = keep
        self._children: list[Child] = []
        self._decoded: list[tuple[Source, Address, Node | Chain]] = []
        self._newest: list[tuple[Source, Address, ArrayLeaf]] = []
        """What was written last of each tree: the next points are likely to join it."""

    def tree(self, source: Source, root: Node) -> Address:
        """Write every block of ``root``'s tree that has no address yet; returns the root's.

        Leaves are coded through ``encode``, the dear step; they are written in order of time, then the nodes
        above them, the root last.
        """
        leaves = _unsaved_leaves(source, root)
        newest: tuple[Address, ArrayLeaf] | None = None
        habit = Habit()
        while batch := list(islice(leaves, _LEAVES_AT_ONCE)):
            newest = self._leaves(source, batch, habit)
        if newest is not None:
            self._newest.append((source, *newest))
        address = self._node(source, root)
        if not self._keep:
            self._children, self._decoded, self._newest = [], [], []
        return address

    def early(self, source: Source) -> Callable[[Child], None]:
        """Takes leaves of a tree that nobody else has yet, writes them as they come, and drops their points.

        So the memory of a large change does not grow with it. The last ones are written by `tree`.
        """
        waiting: list[Child] = []
        habit = Habit()

        def take(child: Child) -> None:
            waiting.append(child)
            if len(waiting) == _LEAVES_AT_ONCE:
                self._leaves(source, waiting, habit)
                for written in waiting:
                    written.block = None
                waiting.clear()

        return take

    def _leaves(
        self, source: Source, children: list[Child], habit: Habit
    ) -> tuple[Address, ArrayLeaf] | None:
        """Write the leaves, of those in sections what is in no block yet; returns what came last."""
        parts = [_unwritten(child.block) for child in children]
        leaves = [leaf for part in parts for leaf in part]
        blocks = iter(self._encode(lambda leaf: _encoded(source, leaf, habit), leaves))
        for child, part in zip(children, parts, strict=True):
            addresses = [self._writer.add(*block) for block in islice(blocks, len(part))]
            if child.kind == ChildKind.SECTIONS:
                sections = child.block.written(addresses)
                self._place(child, self._writer.add(*encode_sections(child.block, sections)))
            else:
                self._place(child, addresses[0])
        return (addresses[-1], leaves[-1]) if addresses else None

    def publish(self) -> None:
        """The written blocks are durable: refer to them, drop the points, cache nodes and newest leaves."""
        for source, address, block in self._decoded:
            source.cache.put(address, block, block.memory)
        for source, address, leaf in self._newest:
            # Copies, since they may be the caller's.
            cache_points(source.cache, address, (leaf.times.copy(), leaf.words.copy()))
        for child in self._children:
            child.block = None

    def abandon(self) -> None:
        """The written blocks never happened: the trees are in memory only, as before."""
        for child in self._children:
            child.address = None

    def _place(self, child: Child, address: Address) -> None:
        child.address = address
        self._children.append(child)

    def _node(self, source: Source, node: Node) -> Address:
        for child in _unsaved(node):
            if child.kind in (ChildKind.NODE, ChildKind.THINNED):
                self._place(child, self._node(source, source.node(child)))
            elif child.kind == ChildKind.CHAIN:
                self._place(child, self._chain(source, source.chain(child)))
        address = self._writer.add(*encode_node(source.kind, node))
        self._decoded.append((source, address, node))
        return address

    def _chain(self, source: Source, chain: Chain) -> Address:
        address = self._writer.add(*encode_chain(chain))
        self._decoded.append((source, address, chain))
        return address


def _unwritten(leaf: ArrayLeaf | SectionedLeaf) -> list[ArrayLeaf]:
    return leaf.unwritten() if isinstance(leaf, SectionedLeaf) else [leaf]


def _encoded(source: Source, leaf: ArrayLeaf, habit: Habit) -> EncodedBlock:
    return encode_leaf(source.kind, leaf.start, leaf.shift, leaf.times, leaf.words, habit)


def _unsaved(node: Node) -> Iterator[Child]:
    return (child for child in node.children if child.address is None and child.block is not None)


def _unsaved_leaves(source: Source, node: Node) -> Iterator[Child]:
    for child in _unsaved(node):
        if child.kind in LEAVES:
            yield child
        elif child.kind == ChildKind.NODE:
            yield from _unsaved_leaves(source, source.node(child))
        elif child.kind == ChildKind.CHAIN:
            links = source.chain(child).links
            yield from (link.leaf for link in links if link.leaf.address is None)
