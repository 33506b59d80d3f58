"""Chains: a finest interval (16 ns) that holds more points than a leaf may.

A device whose clock stands still can put a million points at one time. A chain keeps them in blocks of 16,384
in (time, arrival) order with a directory; an append rewrites the last block and the directory only. The
directory keeps the rows of every block, so the interval's rows are one fold over it. Layout:
``docs/format.md``, section "Chain".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.errors import Damaged
from otrdb.layout import Layout

from .geometry import LEAF_CAPACITY, SLOTS_PER_CHILD
from .leaf_block import EncodedBlock
from .leaves import ArrayLeaf, Columns, summarise_aligned
from .nodes import EMPTY_ROWS, EMPTY_SLOTS, Address, Child, ChildKind, Piece

if TYPE_CHECKING:
    from .source import Source

Words = NDArray[np.int64]

CHAIN_TYPE: Final = 4
CHAIN_SHIFT: Final = 4
"""A chain's interval is one child of a node of pointwidth 0."""

CHAIN_HEAD: Final = Layout(
    ("start", "q", "first time of the 16 ns interval"),
    ("blocks", "I", "entries"),
    ("rows", "I", "rows of all blocks together"),
)
CHAIN_ENTRY: Final = Layout(
    ("count", "I", "points in the block"),
    ("rows", "I", "rows of the block"),
    ("first", "q", "time of its first point"),
    ("last", "q", "time of its last point"),
    ("segment", "I", "address of the block"),
    ("offset", "I", ""),
    ("length", "I", ""),
    ("head", "I", ""),
)
_ENTRY: Final = CHAIN_ENTRY.dtype()


@dataclass(frozen=True, slots=True)
class Link:
    """One block of a chain: where its points are, their times' bounds, and their rows (slots of 1 ns)."""

    leaf: Child
    first: int
    last: int
    piece: Piece


class Chain:
    """The directory of one chain."""

    __slots__ = ("links", "start")

    def __init__(self, start: int, links: tuple[Link, ...]) -> None:
        self.start = start
        self.links = links

    @property
    def count(self) -> int:
        """Points in the chain."""
        return sum(link.leaf.count for link in self.links)

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about."""
        return 300 + sum(600 + 72 * len(link.piece.slots) for link in self.links)

    def piece(self, integer: bool, first_slot: int) -> Piece:
        """The rows of the interval: the blocks' rows of each nanosecond folded left to right."""
        slots = np.concatenate([link.piece.slots for link in self.links])
        rows = np.concatenate([link.piece.rows for link in self.links])
        order = slots.argsort(kind="stable")
        out_slots, out_rows = np.empty(SLOTS_PER_CHILD, np.int64), np.empty((SLOTS_PER_CHILD, 8), np.int64)
        filled = kernels.fold(slots[order], rows[order], integer, first_slot, 0, out_slots, out_rows, 0)
        return Piece(out_slots[:filled], out_rows[:filled])

    def within(self, start: int, end: int) -> list[Link]:
        """The blocks that may hold points of ``[start, end)``, in order."""
        return [link for link in self.links if link.first < end and link.last >= start]

    def points(self, source: Source) -> Columns:
        """All points, in (time, arrival) order."""
        return self.tail(source, 0)

    def tail(self, source: Source, index: int) -> Columns:
        """The points of the blocks from ``index`` on."""
        columns = [source.leaf(link.leaf).points() for link in self.links[index:]]
        if not columns:
            return EMPTY_SLOTS, EMPTY_SLOTS
        return np.concatenate([c[0] for c in columns]), np.concatenate([c[1] for c in columns])

    def block_for(self, time: int, *, after_equals: bool) -> int:
        """The first block that new points from ``time`` on can change; the last block for an append.

        With ``after_equals`` points of equal time go behind all stored ones, so blocks that end at ``time``
        stay.
        """
        for index, link in enumerate(self.links):
            if link.last > time or (link.last == time and not after_equals):
                return index
        return len(self.links) - 1


def build_chain(
    start: int, kept: tuple[Link, ...], columns: Columns, *, integer: bool, version: int
) -> Chain:
    """A chain of the blocks ``kept`` followed by ``columns`` cut in blocks of 16,384."""
    times, words = columns
    links = list(kept)
    for low in range(0, len(times), LEAF_CAPACITY):
        part = times[low : low + LEAF_CAPACITY], words[low : low + LEAF_CAPACITY]
        leaf = ArrayLeaf(start, CHAIN_SHIFT, *part)
        child = Child(0, 1, ChildKind.LEAF, version, len(part[0]), block=leaf)
        piece = summarise_aligned(part, integer, start, 0, SLOTS_PER_CHILD)
        links.append(Link(child, int(part[0][0]), int(part[0][-1]), piece))
    return Chain(start, tuple(links))


def encode_chain(chain: Chain) -> EncodedBlock:
    """The directory's bytes, once all blocks have been written."""
    entries = np.zeros(len(chain.links), _ENTRY)
    for at, link in enumerate(chain.links):
        address = link.leaf.address or (0, 0, 0, 0)
        entries[at] = (link.leaf.count, len(link.piece.slots), link.first, link.last, *address)
    slots = np.concatenate([EMPTY_SLOTS, *[link.piece.slots for link in chain.links]])
    rows = np.concatenate([EMPTY_ROWS, *[link.piece.rows for link in chain.links]])
    head = CHAIN_HEAD.pack(chain.start, len(chain.links), len(slots))
    body = entries.tobytes() + slots.astype(np.uint8).tobytes() + rows.astype("<i8", copy=False).tobytes()
    return EncodedBlock(CHAIN_TYPE, head + body, [])


def decode_chain(block: bytes) -> Chain:
    """Read a directory, whose checksum the storage layer has proved."""
    start, blocks, row_count = CHAIN_HEAD.unpack_from(block)
    slots_at = CHAIN_HEAD.size + blocks * CHAIN_ENTRY.size
    if len(block) != slots_at + 65 * row_count:
        raise Damaged("A chain's directory does not have the length its head gives it.")
    entries = np.frombuffer(block, _ENTRY, blocks, CHAIN_HEAD.size).tolist()
    slots = np.frombuffer(block, np.uint8, row_count, slots_at).astype(np.int64)
    data = block[slots_at + row_count :]
    rows = np.frombuffer(data, "<i8").reshape(row_count, 8).astype(np.int64)
    links = []
    at = 0
    for count, row_number, first, last, *address in entries:
        leaf = Child(0, 1, ChildKind.LEAF, 0, count, address=tuple(address))
        links.append(Link(leaf, first, last, Piece(slots[at : at + row_number], rows[at : at + row_number])))
        at += row_number
    return Chain(start, tuple(links))


def chain_addresses(chain: Chain) -> list[Address]:
    """The addresses of the written blocks of a chain."""
    return [link.leaf.address for link in chain.links if link.leaf.address is not None]
