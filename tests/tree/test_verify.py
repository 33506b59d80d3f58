"""Verify: finds summaries that differ from their points, and looks at what versions share once only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb import tree
from otrdb.model import Kind
from otrdb.tree.nodes import Child, ChildKind, Node
from tests.tree.harness import Harness

if TYPE_CHECKING:
    from otrdb.tree.chains import Chain

Place = tuple[int, int]


def history(changes: list[tuple[int, int]]) -> Harness:
    """A tree of several levels, and versions of it, each with a range of points less or some more."""
    harness = Harness(Kind.INT)
    harness.insert(np.arange(120_000, dtype=np.int64) << 24, np.arange(120_000, dtype=np.int64))
    for start, width in changes:
        if width % 2:
            harness.erase(start << 24, (start + width) << 24)
        else:
            times = (np.arange(width, dtype=np.int64) + start) << 24
            harness.insert(times, times)
    return harness


def break_leaf(harness: Harness, number: int) -> None:
    """Change a page of the ``number``-th leaf ever written."""
    leaves = [at for at, (_, body) in enumerate(harness.blocks._blocks) if body]
    at = leaves[number % len(leaves)]
    head, body = harness.blocks._blocks[at]
    harness.blocks._blocks[at] = head, bytes([body[0] ^ 1]) + body[1:]
    harness.source.cache.clear()


def places(faults: list[tree.Fault]) -> set[Place | None]:
    assert all(fault.damage for fault in faults)
    return {fault.place for fault in faults}


@settings(max_examples=30, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 120_000), st.integers(1, 20_000)), max_size=5),
    broken=st.lists(st.integers(0, 200), min_size=1, max_size=3),
)
def test_leaving_out_what_is_shared_misses_no_block(
    changes: list[tuple[int, int]], broken: list[int]
) -> None:
    harness = history(changes)
    for number in broken:
        break_leaf(harness, number)
    once, every = list[tree.Fault](), list[tree.Fault]()
    newer = None
    for version, root in sorted(harness.roots.items(), reverse=True):
        once += tree.verify(harness.source, root, version, deep=True, newer=newer)
        every += tree.verify(harness.source, root, version, deep=True)
        newer = root
    assert places(once) == places(every)
    assert len(once) <= len(every)


def test_what_is_shared_is_not_read_again() -> None:
    harness = history([(0, 1)])
    older, newer = harness.roots[11], harness.roots[12]
    harness.source.cache.clear()
    before = harness.blocks.reads
    assert list(tree.verify(harness.source, newer, 12, deep=True)) == []
    full = harness.blocks.reads - before
    assert list(tree.verify(harness.source, older, 11, deep=True, newer=newer)) == []
    assert harness.blocks.reads - before - full <= full // 2


def test_all_points_are_counted_on_the_way() -> None:
    harness = history([])
    for deep in (False, True):
        steps: list[int] = []
        assert list(tree.verify(harness.source, harness.root, 11, deep=deep, step=steps.append)) == []
        assert sum(steps) == harness.root.count


def nodes_below(harness: Harness, node: Node) -> list[Node]:
    found = [node]
    for child in node.children:
        if child.kind == ChildKind.NODE:
            found += nodes_below(harness, harness.source.node(child))
    return found


@pytest.mark.parametrize("word", range(8))
def test_every_word_of_a_summary_is_proved(word: int) -> None:
    harness = history([])
    node = next(each for each in nodes_below(harness, harness.root) if ChildKind.LEAF in kinds(each))
    node.rows[3, word] += 1 if word != 5 else 1 << 40
    assert list(tree.verify(harness.source, node, 11, deep=True)) != []


def kinds(node: Node) -> set[ChildKind]:
    return {child.kind for child in node.children}


def chained() -> tuple[Harness, Node, Child, Chain]:
    harness = Harness(Kind.INT)
    harness.insert(np.full(40_000, 5, np.int64), np.arange(40_000, dtype=np.int64))
    node = next(each for each in nodes_below(harness, harness.root) if ChildKind.CHAIN in kinds(each))
    (child,) = node.children
    return harness, node, child, harness.source.chain(child)


@pytest.mark.parametrize("word", range(8))
def test_every_word_of_a_chains_summaries_is_proved(word: int) -> None:
    harness, node, _, chain = chained()
    assert list(tree.verify(harness.source, node, 11, deep=True)) == []
    chain.links[1].piece.rows[0, word] += 1 if word != 5 else 1 << 40
    assert list(tree.verify(harness.source, node, 11, deep=True)) != []


def test_all_damaged_blocks_of_a_chain_are_found_and_located() -> None:
    harness, node, child, chain = chained()
    for number in (0, 2):
        break_leaf(harness, number)
    faults = list(tree.verify(harness.source, harness.root, 11, deep=True))
    expected = {link.leaf.address[:2] for link in (chain.links[0], chain.links[2]) if link.leaf.address}
    assert places(faults) == expected
    for place in expected:
        assert tree.locate(harness.source, harness.root, place) == (0, 16)
    assert node.child_start(child) == 0


def test_blocks_are_located_by_their_place() -> None:
    harness = history([])
    for node in nodes_below(harness, harness.root):
        for child in node.children:
            assert child.address is not None
            times = node.child_start(child), node.child_end(child)
            assert tree.locate(harness.source, harness.root, child.address[:2]) == times
    assert tree.locate(harness.source, harness.root, (0, 10_000)) is None
