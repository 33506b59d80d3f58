"""Shapes of data that strain a tree: borders of capacity, far-apart points, clocks that stand still."""

from __future__ import annotations

import numpy as np
import pytest

from otrdb import tree
from otrdb.model import MAX_TIME, MIN_TIME, Kind
from otrdb.tree.geometry import LEAF_CAPACITY
from tests.tree.harness import Harness, Words, to_words

T0 = 1_700_000_000_000_000_000


def steps(size: int, start: int = T0, step: int = 10_000_000) -> Words:
    return start + step * np.arange(size, dtype=np.int64)


def ramp(size: int) -> Words:
    return to_words(Kind.FLOAT, np.arange(size) * 0.25)


def test_a_stream_of_up_to_16384_points_is_one_leaf_below_the_root() -> None:
    harness = Harness()
    harness.insert(steps(LEAF_CAPACITY), ramp(LEAF_CAPACITY))
    (child,) = harness.root.children
    assert (child.kind, child.span, child.count) == (tree.ChildKind.LEAF, 4, LEAF_CAPACITY)


def test_oscillation_across_the_capacity_splits_and_collapses() -> None:
    harness = Harness()
    harness.insert(steps(LEAF_CAPACITY), ramp(LEAF_CAPACITY))
    extra = int(steps(1, T0 + 5)[0])
    for _ in range(3):
        harness.insert(np.array([extra]), ramp(1))
        assert [child.kind for child in harness.root.children if child.kind] == [tree.ChildKind.NODE]
        assert harness.faults() == []
        harness.erase(extra, extra + 1)
        assert [child.kind for child in harness.root.children if child.kind] == [tree.ChildKind.LEAF]
        assert harness.faults() == []


def test_one_point_per_2_54_ns_over_all_of_time() -> None:
    harness = Harness()
    times = np.arange(MIN_TIME, MAX_TIME - 1, 1 << 54, dtype=np.int64)
    harness.insert(times, ramp(len(times)))
    piece = tree.aligned_windows(harness.source, harness.root, MIN_TIME, MAX_TIME, 54)
    assert piece.rows[:, 0].tolist() == [1] * 256
    assert tree.aligned_windows(harness.source, harness.root, MIN_TIME, MAX_TIME, 62).rows[0, 0] == 256


def test_alternating_far_apart_inserts() -> None:
    harness = Harness()
    for turn in range(20):
        for start in (MIN_TIME + (1 << 40), T0, MAX_TIME - (1 << 41)):
            harness.insert(steps(2_000, start + turn * 2_000 * 10_000_000), ramp(2_000))
    assert harness.faults() == []
    assert harness.root.count == 20 * 3 * 2_000


def test_a_delete_collapses_several_levels() -> None:
    harness = Harness()
    dense = T0 + np.arange(20_000, dtype=np.int64)
    harness.insert(np.concatenate([dense, [T0 + (1 << 55)]]), ramp(20_001))
    assert depth(harness, harness.root) >= 10
    harness.erase(int(dense[10]), int(dense[-5]))
    assert depth(harness, harness.root) == 1
    assert harness.root.count == 16
    assert harness.faults() == []


def depth(harness: Harness, node: tree.Node) -> int:
    nodes = [harness.source.node(child) for child in node.children if child.kind == tree.ChildKind.NODE]
    return 1 + max((depth(harness, node) for node in nodes), default=0)


@pytest.mark.parametrize("batches", [61, pytest.param(610, marks=pytest.mark.slow)])
def test_a_million_points_at_one_time(batches: int) -> None:
    harness = Harness(Kind.INT, cache_bytes=1 << 22)
    total = batches * LEAF_CAPACITY
    words = np.random.default_rng(1).integers(-(1 << 40), 1 << 40, total)
    written = []
    for batch in range(batches):
        part = words[batch * LEAF_CAPACITY : (batch + 1) * LEAF_CAPACITY]
        harness.insert(np.full(LEAF_CAPACITY, T0, np.int64), part)
        written.append(harness.blocks.size)
    # Linear: an append writes one block of points and the directory, not the points before.
    assert written[-1] - written[-2] < 1.5 * (written[2] - written[1])
    assert harness.faults() == []
    assert tree.values(harness.source, harness.root, T0, T0 + 1)[1].tolist() == words.tolist()
    row = tree.aligned_windows(harness.source, harness.root, T0, T0 + 1, 0).rows[0]
    total_sum = (int(row[7]) << 64) + int(row[6:7].view(np.uint64)[0])
    assert (row[0], row[1], row[2], total_sum) == (total, words.min(), words.max(), sum(words.tolist()))
    assert tree.first_from(harness.source, harness.root, T0) == (T0, int(words[0]))
    assert tree.last_before(harness.source, harness.root, T0 + 1) == (T0, int(words[-1]))


def test_a_chain_takes_late_points_and_deletes() -> None:
    harness = Harness(Kind.INT)
    start = MIN_TIME + ((T0 - MIN_TIME) >> 4 << 4)
    late = start + np.repeat(np.arange(16, dtype=np.int64), 3_000)
    words = np.arange(len(late), dtype=np.int64)
    harness.insert(late[24_000:], words[24_000:])
    harness.insert(late[:24_000], words[:24_000])
    assert harness.faults() == []
    assert tree.values(harness.source, harness.root, start, start + 16)[1].tolist() == words.tolist()
    harness.erase(start + 3, start + 4)
    assert harness.faults() == []
    assert harness.root.count == 45_000
    harness.erase(start + 5, start + 16)
    assert harness.root.children[0].kind == tree.ChildKind.LEAF
    assert harness.faults() == []


@pytest.mark.parametrize("hertz", [60, 120, 333, 950])
def test_a_view_reads_few_blocks_at_every_zoom(hertz: int) -> None:
    harness = Harness()
    size = 600_000
    harness.insert(steps(size, step=1_000_000_000 // hertz), ramp(size))
    first, last = T0, T0 + size * (1_000_000_000 // hertz)
    for pointwidth in range(12, 50):
        span = min(last - first, 1_000 << pointwidth)
        start = (first + (last - first - span) // 2 - MIN_TIME >> pointwidth << pointwidth) + MIN_TIME
        end = start + (span >> pointwidth << pointwidth)
        harness.source.cache.clear()
        harness.blocks.reads = 0
        windows = len(tree.aligned_windows(harness.source, harness.root, start, end, pointwidth).slots)
        assert harness.blocks.reads <= 12 + max(windows, 1) / 31


def test_a_leaf_that_lost_points_and_then_grows_into_nodes_remembers_where() -> None:
    harness = Harness()
    harness.insert(steps(16_000), ramp(16_000))
    before = harness.version
    lost = int(steps(16_000)[12_000])
    harness.erase(lost, MAX_TIME)
    harness.insert(steps(11_000, T0 + 1), ramp(11_000))
    ranges = tree.changes(harness.source, harness.root, before, 0)
    assert any(start <= lost < end for start, end in ranges)


def test_what_grows_where_all_was_deleted_remembers_the_deletion() -> None:
    harness = Harness()
    harness.insert(steps(40_000), ramp(40_000))
    before = harness.version
    harness.erase(MIN_TIME, MAX_TIME)
    harness.insert(steps(40_000, T0, step=1_000), ramp(40_000))
    ranges = tree.changes(harness.source, harness.root, before, 0)
    assert any(start <= T0 and end > int(steps(40_000)[-1]) for start, end in ranges)
    assert harness.faults() == []
