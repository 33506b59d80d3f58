"""Leaves on the medium answer from pages: the right points whatever is cached, in as few reads as can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb import tree
from otrdb.errors import Damaged
from otrdb.model import Kind
from otrdb.tree.leaf_block import encode_leaf
from otrdb.tree.leaves import StoredLeaf

POINTS = 5_000
PAGES = 5
rng = np.random.default_rng(3)
TIMES = np.sort(rng.integers(0, 3 * POINTS, POINTS))
WORDS = rng.integers(0, 1 << 40, POINTS)
BLOCK = encode_leaf(Kind.INT, 0, 14, TIMES, WORDS)
SUBSLOT_COUNTS = [count for count in np.bincount(TIMES >> 6).tolist() if count]
times_of_leaf = st.integers(-2, 3 * POINTS + 2)


class CountedBlocks(tree.MemoryBlocks):
    def __init__(self) -> None:
        super().__init__()
        self.bodies = list[int]()

    def read_body(self, address: tree.Address, start: int, length: int) -> bytes:
        self.bodies.append(length)
        return super().read_body(address, start, length)


def stored() -> tuple[StoredLeaf, CountedBlocks]:
    blocks = CountedBlocks()
    address = blocks.add(*BLOCK)
    leaf = tree.Source(Kind.INT, blocks, tree.Cache(1 << 20)).leaf_at(address)
    assert isinstance(leaf, StoredLeaf)
    return leaf, blocks


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["within", "from", "before", "points", "run", "subslots"]),
            times_of_leaf,
            times_of_leaf,
        )
    )
)
def test_pages_give_the_points_of_the_leaf(questions: list[tuple[str, int, int]]) -> None:
    leaf, _ = stored()
    for question, a, b in questions:
        start, end = sorted((a, b))
        low, high = TIMES.searchsorted((start, end)).tolist()
        if question == "within":
            times, words = leaf.within(start, end)
            assert (times.tolist(), words.tolist()) == (TIMES[low:high].tolist(), WORDS[low:high].tolist())
        elif question == "from":
            assert leaf.first_from(start) == ((TIMES[low], WORDS[low]) if low < POINTS else None)
        elif question == "before":
            assert leaf.last_before(start) == ((TIMES[low - 1], WORDS[low - 1]) if low else None)
        elif question == "run":
            first, last = max(0, min(start, POINTS - 1)), max(1, min(end + 1, POINTS))
            times, words = leaf.run(first, last - first, POINTS)
            assert (times.tolist(), words.tolist()) == (
                TIMES[first:last].tolist(),
                WORDS[first:last].tolist(),
            )
        elif question == "subslots":
            assert leaf.subslots(integer=True).rows[:, 0].tolist() == SUBSLOT_COUNTS
        else:
            assert [column.tolist() for column in leaf.points()] == [TIMES.tolist(), WORDS.tolist()]


@pytest.mark.parametrize("cached", [(), (1,), (0, 2), (0, 1, 2)])
def test_neighbouring_pages_are_one_read(cached: tuple[int, ...]) -> None:
    leaf, blocks = stored()
    size = POINTS // PAGES
    for page in cached:
        leaf.within(int(TIMES[page * size + 9]), int(TIMES[page * size + 19]))
    blocks.bodies.clear()
    leaf.within(int(TIMES[9]), int(TIMES[2 * size + 9]))
    assert len(blocks.bodies) == (len(cached) < 3)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("count", [1, 23, 24, 255, 256, 257, 1_024, 1_025, 16_384])
def test_any_run_of_any_codec(kind: Kind, count: int) -> None:
    """Raw, packed and coded pages, decoded no further than the run reaches."""
    times = np.sort(rng.integers(0, 1 << 20, count))
    words = rng.integers(0, 2, count) if kind is Kind.BOOL else rng.normal(size=count).view(np.int64)
    blocks = tree.MemoryBlocks()
    address = blocks.add(*encode_leaf(kind, 0, 20, times, words))
    for first, end in {
        (0, 1),
        (0, count),
        (count - 1, count),
        (count // 3, count // 2 + 1),
        (0, min(count, 256)),
    }:
        leaf = tree.Source(kind, blocks, tree.Cache(1 << 20)).leaf_at(address)
        found = leaf.run(first, end - first, count)
        assert [column.tolist() for column in found] == [times[first:end].tolist(), words[first:end].tolist()]


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("counted", [POINTS - 1, POINTS + 1])
def test_a_node_and_a_leaf_that_count_differently_are_damage(counted: int, cached: bool) -> None:
    leaf, _ = stored()
    if cached:
        leaf.points()
    with pytest.raises(Damaged, match="another number of points"):
        leaf.run(0, 2, counted)


def test_sub_slots_leave_no_points_in_the_cache() -> None:
    leaf, blocks = stored()
    leaf.subslots(integer=True)
    blocks.bodies.clear()
    leaf.subslots(integer=True)
    assert not blocks.bodies
    leaf.points()
    assert len(blocks.bodies) == 1
