"""What the cache counts is what is held."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from otrdb import tree
from otrdb.model import Kind
from otrdb.tree import Source
from otrdb.tree.leaf_block import encode_leaf
from otrdb.tree.node_block import encode_node
from otrdb.tree.nodes import Address, Child, ChildKind, Node
from otrdb.tree.sections import SECTIONS_ENTRY, SECTIONS_HEAD

if TYPE_CHECKING:
    from otrdb.tree.sections import Leaf

MANY = 200
Question = Callable[[Source, Address], object]


@pytest.fixture(scope="module", autouse=True)
def frozen() -> Iterator[None]:
    """What is there already is not looked through for garbage, again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Copies:
    """Blocks that are the same at every address, in bytes of their own."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self._head, self._body = head, body

    def read_head(self, _: Address) -> bytes:
        return bytes(bytearray(self._head))

    def read_body(self, _: Address, start: int, length: int) -> bytes:
        return bytes(bytearray(self._body[start : start + length]))


def held_and_counted(blocks: Copies, question: Question) -> tuple[int, int]:
    """Bytes for each of many blocks about which the same was asked."""
    source = Source(Kind.INT, blocks, tree.Cache(1 << 30))
    question(source, (0, 0, 0, 0))
    source.cache.clear()
    gc.collect()
    tracemalloc.start()
    for number in range(1_000, 1_000 + MANY):
        question(source, (0, number, number + 5_000, number + 10_000))
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held // MANY, source.cache.size // MANY


def _use(source: Source, address: Address) -> None:
    node = source.node_at(address)
    node.table(), node.bounds(), node.coarsest()


@pytest.mark.parametrize(("rows", "children"), [(1, 1), (30, 2), (60, 16), (256, 16)])
def test_nodes(rows: int, children: int) -> None:
    summaries = np.ones((rows, 8), np.int64)
    below = [
        Child(at, 1, ChildKind.NODE, 1 << 40, 1 << 40, address=(1, 1 << 20, 1 << 20, 1 << 20))
        for at in range(children)
    ]
    head = encode_node(Kind.INT, Node(1 << 60, 30, np.arange(rows), summaries, tuple(below))).head
    held, counted = held_and_counted(Copies(head, b""), _use)
    assert held <= 1.1 * counted


@pytest.mark.parametrize("width", [8, 30])
@pytest.mark.parametrize("count", [1, 30, 1_500, 16_384])
@pytest.mark.parametrize(
    "question",
    [
        lambda leaf, _: None,
        lambda leaf, count: leaf.run(0, 1, count),
        lambda leaf, count: leaf.points() and leaf.run(count // 2, 1, count),
        lambda leaf, _: leaf.within(0, 1),
        lambda leaf, _: leaf.subslots(integer=True),
        lambda leaf, _: leaf.points(),
    ],
    ids=["head", "run", "run of all", "page", "sub-slots", "points"],
)
def test_leaves(question: Callable[[Leaf, int], object], count: int, width: int) -> None:
    random = np.random.default_rng(1)
    times = np.sort(random.integers(0, 1 << width, count))
    block = encode_leaf(Kind.INT, 0, 30, times, random.integers(0, 1 << 40, count))
    blocks = Copies(block.head, b"".join(block.body))
    held, counted = held_and_counted(blocks, lambda source, address: question(source.leaf_at(address), count))
    assert held <= 1.1 * counted


@pytest.mark.parametrize("sections", [2, 8])
def test_directories_of_leaves_in_sections(sections: int) -> None:
    head = SECTIONS_HEAD.pack(1 << 60, 30, sections, 0)
    for at in range(sections):
        head += SECTIONS_ENTRY.pack((1 << 60) + 1_000 * at, 5_000, 1 << 20, 1 << 20, 1 << 20, 1 << 20)
    held, counted = held_and_counted(
        Copies(head, b""),
        lambda source, address: source.sections(Child(0, 1, ChildKind.SECTIONS, 0, 0, address=address)),
    )
    assert held <= 1.1 * counted
