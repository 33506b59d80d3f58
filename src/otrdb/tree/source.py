"""Where a tree's blocks come from and go to.

The tree knows no files: it reads through `BlockReader` and writes through `BlockWriter`, two small protocols
that the storage layer fulfils, and that a dictionary fulfils as well (`MemoryBlocks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from otrdb.errors import Damaged

from .chains import Chain, decode_chain
from .leaf_block import LeafHead
from .leaves import Columns, Leaf, StoredLeaf, cache_points
from .node_block import decode_node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otrdb.model import Kind

    from .cache import Cache
    from .nodes import Address, Child, Node


_Decoded = TypeVar("_Decoded")


class BlockReader(Protocol):
    """Reads blocks by address."""

    def read_head(self, address: Address) -> bytes:
        """The checksummed head of the block; raises `Damaged` if it fails its checksum."""

    def read_body(self, address: Address, start: int, length: int) -> bytes:
        """``length`` bytes of the body from ``start``, unproved."""


class BlockWriter(Protocol):
    """Appends blocks."""

    def add(self, block_type: int, head: bytes, body: Sequence[bytes] = ()) -> Address:
        """Append a block; its address may be used at once in later blocks."""


class Source:
    """The blocks of the streams of one kind, decoded and cached."""

    __slots__ = ("blocks", "cache", "integer", "kind")

    def __init__(self, kind: Kind, blocks: BlockReader, cache: Cache) -> None:
        self.kind = kind
        self.integer = kind.integer
        self.blocks = blocks
        self.cache = cache

    def node(self, child: Child) -> Node:
        """The node ``child`` refers to."""
        block = child.block
        if block is not None:
            return block  # type: ignore[no-any-return]
        return self.node_at(_written(child))

    def node_at(self, address: Address) -> Node:
        """The node written at ``address``."""
        node: Node | None = self.cache.get(address)
        if node is None:
            node = self._decoded(address, decode_node)
            self.cache.put(address, node, node.memory)
        return node

    def leaf(self, child: Child) -> Leaf:
        """The leaf ``child`` refers to."""
        block = child.block
        if block is not None:
            return block  # type: ignore[no-any-return]
        return self.leaf_at(_written(child))

    def leaf_at(self, address: Address) -> Leaf:
        """The leaf written at ``address``."""
        leaf: StoredLeaf | None = self.cache.get(address)
        if leaf is None:
            leaf = StoredLeaf(address, self._decoded(address, LeafHead), self.blocks, self.cache)
            self.cache.put(address, leaf, leaf.memory)
        return leaf

    def lost(self, damage: Damaged, start: int, end: int) -> None:
        """What is needed of ``[start, end)`` cannot be read: a question is not answered without it."""
        raise damage

    def salvaged(self, child: Child, damage: Damaged, start: int, end: int) -> Columns:
        """The points of ``[start, end)`` that a damaged leaf still gives: none are taken for all."""
        raise damage

    def keep_points(self, child: Child) -> None:
        """Cache the points of a leaf that was just written; a copy, since they may be the caller's."""
        if child.block is not None and child.address is not None:
            times, words = child.block.points()
            cache_points(self.cache, child.address, (times.copy(), words.copy()))

    def chain(self, child: Child) -> Chain:
        """The chain ``child`` refers to."""
        block = child.block
        if block is not None:
            return block  # type: ignore[no-any-return]
        address = _written(child)
        chain: Chain | None = self.cache.get(address)
        if chain is None:
            chain = self._decoded(address, decode_chain)
            self.cache.put(address, chain, chain.memory)
        return chain

    def _decoded(self, address: Address, decode: Callable[[bytes], _Decoded]) -> _Decoded:
        head = self.blocks.read_head(address)
        try:
            return decode(head)
        except Damaged as error:
            error.segment, error.offset = address[:2]
            raise


def _written(child: Child) -> Address:
    if child.address is None:
        raise Damaged(f"A reference leads nowhere: {child!r}.")
    return child.address


class MemoryBlocks:
    """Blocks in memory: both protocols over a list, for trees without an archive."""

    def __init__(self) -> None:
        self._blocks: list[tuple[bytes, bytes]] = []
        self.reads = 0

    def add(self, block_type: int, head: bytes, body: Sequence[bytes] = ()) -> Address:
        """Keep a block and return its address."""
        whole = b"".join(body)
        self._blocks.append((head, whole))
        return (0, len(self._blocks) - 1, len(head) + len(whole), len(head))

    def read_head(self, address: Address) -> bytes:
        """The head of the block."""
        self.reads += 1
        return self._blocks[address[1]][0]

    def read_body(self, address: Address, start: int, length: int) -> bytes:
        """A part of the body."""
        return self._blocks[address[1]][1][start : start + length]

    @property
    def size(self) -> int:
        """Bytes of all blocks."""
        return sum(len(head) + len(body) for head, body in self._blocks)
