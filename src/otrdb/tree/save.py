"""Save: write the blocks of trees that are only in memory, children first, and learn the roots' addresses.

Written blocks count only once the group they lie in is durable, so a save has two halves: `Save.tree` writes,
and either `Save.publish` makes the trees refer to what was written or `Save.abandon` makes them forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from .chains import Chain, encode_chain
from .habit import Habit
from .leaf_block import EncodedBlock, encode_leaf
from .leaves import ArrayLeaf, cache_points
from .node_block import encode_node
from .nodes import LEAVES, Address, Child, ChildKind, Node
from .sections import SectionedLeaf, encode_sections

if TYPE_CHECKING:
    from .source import BlockWriter, Source


class _Part(NamedTuple):
    """A leaf to be coded, or a section of one."""

    source: Source
    leaf: ArrayLeaf
    habit: Habit


class _Unwritten(NamedTuple):
    """A leaf to be written: its parts that are in no block yet, and where they were put."""

    child: Child
    parts: list[_Part]
    addresses: list[Address]


class _Tree(NamedTuple):
    """A tree that is to be written."""

    source: Source
    root: Node
    leaves: list[_Unwritten]


Mapper = Callable[[Callable[[_Part], EncodedBlock], Iterable[_Part]], Iterable[EncodedBlock]]
"""Applies a function to parts of leaves, in order: `map`, or the same over several threads."""

_NEWEST_BYTES = 2 << 20
"""Of the newest leaves of one save: more would only drive nodes out of the cache before they are needed."""

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
        self._taken: list[_Tree] = []
        self._waiting = 0
        """Leaves of these."""
        self._children: list[Child] = []
        self._decoded: list[tuple[Source, Address, Node | Chain]] = []
        self._newest: list[tuple[_Part, Address]] = []
        """What was written last of each tree: the next points are likely to join it."""

    def tree(self, source: Source, root: Node) -> Address:
        """Write every block of ``root``'s tree that has no address yet; returns the root's."""
        self.take(source, root)
        return self.write()[0]

    def take(self, source: Source, root: Node) -> None:
        """Have ``root``'s tree written by the next `write`, for which everything needed is read here."""
        habit = Habit()
        leaves = [_unwritten(source, child, habit) for child in _unsaved_leaves(source, root)]
        self._taken.append(_Tree(source, root, leaves))
        self._waiting += len(leaves)

    @property
    def full(self) -> bool:
        """Whether the trees taken have as many leaves as are coded at once: then it is time to `write`."""
        return self._waiting >= _LEAVES_AT_ONCE

    def write(self) -> list[Address]:
        """Write every block of the trees taken that has no address yet; returns the roots'.

        Leaves are coded through ``encode``, the dear step, those of several trees together; they are written
        in order of time, then the nodes above them, each root last.
        """
        trees, self._taken, self._waiting = self._taken, [], 0
        leaves = (leaf for tree in trees for leaf in tree.leaves)
        while batch := list(islice(leaves, _LEAVES_AT_ONCE)):
            self._leaves(batch)
        if self._keep:
            last = (tree.leaves[-1] for tree in trees if tree.leaves)
            self._newest += [(leaf.parts[-1], leaf.addresses[-1]) for leaf in last if leaf.parts]
        addresses = [self._node(tree.source, tree.root) for tree in trees]
        if not self._keep:
            self._children, self._decoded = [], []
        return addresses

    def early(self, source: Source) -> Callable[[Child], None]:
        """Takes leaves of a tree that nobody else has yet, writes them as they come, and drops their points.

        So the memory of a large change does not grow with it. The last ones are written by `tree`.
        """
        waiting: list[Child] = []
        habit = Habit()

        def take(child: Child) -> None:
            waiting.append(child)
            if len(waiting) == _LEAVES_AT_ONCE:
                self._leaves([_unwritten(source, child, habit) for child in waiting])
                for written in waiting:
                    written.block = None
                waiting.clear()

        return take

    def _leaves(self, leaves: list[_Unwritten]) -> None:
        """Write the leaves, of those in sections what is in no block yet."""
        blocks = iter(self._encode(_encoded, [part for leaf in leaves for part in leaf.parts]))
        for child, parts, addresses in leaves:
            addresses += [self._writer.add(*block) for block in islice(blocks, len(parts))]
            if child.kind == ChildKind.SECTIONS:
                sections = child.block.written(addresses)
                self._place(child, self._writer.add(*encode_sections(child.block, sections)))
            else:
                self._place(child, addresses[0])

    def publish(self) -> None:
        """The written blocks are durable: refer to them, drop the points, cache nodes and newest leaves."""
        for source, address, block in self._decoded:
            source.cache.put(address, block, block.memory)
        if 16 * sum(len(part.leaf.times) for part, _ in self._newest) <= _NEWEST_BYTES:
            for (source, leaf, _), address in self._newest:
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


def _unwritten(source: Source, child: Child, habit: Habit) -> _Unwritten:
    leaf: ArrayLeaf | SectionedLeaf = child.block
    leaves = leaf.unwritten() if isinstance(leaf, SectionedLeaf) else [leaf]
    return _Unwritten(child, [_Part(source, each, habit) for each in leaves], [])


def _encoded(part: _Part) -> EncodedBlock:
    source, leaf, habit = part
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
