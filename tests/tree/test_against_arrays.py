"""The tree answers like a plain sorted array, whatever was done to it, and always has its canonical shape."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from otrdb import tree
from otrdb.model import MAX_TIME, MIN_TIME, Kind, Merge
from tests.tree.harness import Harness, Words, aligned_truth, statistics_error, to_words

T0 = 1_700_000_000_000_000_000


def shaped_times(shape: str, size: int, seed: int) -> Words:
    """Times of one of the shapes machine data comes in."""
    random = np.random.default_rng(seed)
    index = np.arange(size, dtype=np.int64)
    if shape == "regular":
        return T0 + int(random.integers(0, 1 << 40)) + index * 10_000_000
    if shape == "jittered":
        return T0 + index * 1_000_000 + random.integers(0, 900_000, size)
    if shape == "shuffled":
        return T0 + random.integers(0, 1 << 42, size)
    if shape == "wide":
        return MIN_TIME + random.integers(0, (MAX_TIME - 2 - MIN_TIME) >> 20, size) * (1 << 20)
    if shape == "burst":
        return T0 + (1 << 50) * int(random.integers(0, 4)) + random.integers(0, 40, size)
    return np.full(size, T0 + int(random.integers(0, 3)), np.int64)


def model_merge(
    stored: list[tuple[int, int]], times: Words, words: Words, merge: Merge, kind: Kind
) -> list[tuple[int, int]]:
    """The contract's merge rules, a point at a time."""

    def same(a: int, b: int) -> bool:
        pair = np.array([a, b], np.int64)
        return bool(pair.view(np.float64)[0] == pair.view(np.float64)[1]) if kind is Kind.FLOAT else a == b

    by_time: dict[int, list[int]] = {}
    for time, word in stored:
        by_time.setdefault(time, []).append(word)
    for time, word in zip(times.tolist(), words.tolist(), strict=True):
        here = by_time.setdefault(time, [])
        if merge is Merge.REPLACE:
            here.clear()
        if merge is Merge.RETAIN and here:
            continue
        if merge is Merge.EQUAL and any(same(word, other) for other in here):
            continue
        here.append(word)
    return [(time, word) for time in sorted(by_time) for word in by_time[time]]


class TreeMachine(RuleBasedStateMachine):
    """Random inserts and deletes on a tree, a list of points beside it."""

    @initialize(kind=st.sampled_from(list(Kind)))
    def start(self, kind: Kind) -> None:
        self.kind = kind
        self.tree = Harness(kind)
        self.points: list[tuple[int, int]] = []
        self.states = {10: list(self.points)}
        self.saved = False

    def _values(self, size: int, seed: int) -> Words:
        random = np.random.default_rng(seed)
        if self.kind is Kind.BOOL:
            return to_words(self.kind, random.integers(0, 2, size))
        if self.kind is Kind.INT:
            return to_words(self.kind, random.integers(-3, 3, size) * int(random.choice([1, 1 << 60])))
        return to_words(
            self.kind, np.round(random.normal(0, 2, size)) * float(random.choice([0.5, 1e200, 1e-300]))
        )

    @rule(
        shape=st.sampled_from(["regular", "jittered", "shuffled", "wide", "burst", "same"]),
        size=st.sampled_from([1, 2, 5, 300, 16_383, 16_385, 40_000]),
        seed=st.integers(0, 1 << 30),
        merge=st.sampled_from(list(Merge)),
        save=st.booleans(),
    )
    def insert(self, shape: str, size: int, seed: int, merge: Merge, save: bool) -> None:
        if merge is not Merge.NEVER:
            size = min(size, 300)
        self._insert(shaped_times(shape, size, seed), self._values(size, seed + 1), merge, save)

    @rule(
        gap=st.sampled_from([0, 1, 1 << 10, 1 << 24]),
        step=st.sampled_from([0, 1, 1 << 10, 1 << 24]),
        sizes=st.lists(st.sampled_from([1, 2, 30, 300, 3_000, 9_000]), min_size=1, max_size=6),
        seed=st.integers(0, 1 << 30),
        merge=st.sampled_from(list(Merge)),
        save=st.booleans(),
    )
    def append(self, gap: int, step: int, sizes: list[int], seed: int, merge: Merge, save: bool) -> None:
        """Points behind the newest: what makes a leaf grow in sections."""
        for size in sizes if merge is Merge.NEVER else [min(size, 300) for size in sizes]:
            newest = self.points[-1][0] if self.points else T0
            times = newest + gap + step * np.arange(size, dtype=np.int64)
            self._insert(np.minimum(times, MAX_TIME - 2), self._values(size, seed), merge, save)

    def _insert(self, times: Words, words: Words, merge: Merge, save: bool) -> None:
        self.tree.insert(times, words, merge, save=save)
        self.saved = save
        if merge is Merge.NEVER:
            self.points = sorted(
                [*self.points, *zip(times.tolist(), words.tolist(), strict=True)], key=lambda p: p[0]
            )
        else:
            self.points = model_merge(self.points, times, words, merge, self.kind)
        self.states[self.tree.version] = self.points

    @rule(data=st.data(), whole=st.booleans(), save=st.booleans())
    def erase(self, data: st.DataObject, whole: bool, save: bool) -> None:
        start, end = self._range(data)
        if whole and data.draw(st.integers(0, 3)) == 0:
            start, end = MIN_TIME, MAX_TIME
        self.tree.erase(start, end, save=save)
        self.saved = save
        self.points = [point for point in self.points if not start <= point[0] < end]
        self.states[self.tree.version] = self.points

    def _range(self, data: st.DataObject) -> tuple[int, int]:
        anchors = [self.points[i][0] for i in (0, len(self.points) // 2, -1)] if self.points else [T0]
        base = data.draw(st.sampled_from(anchors))
        low = max(base - data.draw(st.sampled_from([0, 1, 1 << 20, 1 << 45])), MIN_TIME)
        return low, min(low + data.draw(st.sampled_from([1, 7, 1 << 24, 1 << 38, 1 << 52])), MAX_TIME)

    @rule(data=st.data(), pointwidth=st.sampled_from([0, 1, 4, 17, 29, 33, 40, 52, 56, 61]))
    def windows(self, data: st.DataObject, pointwidth: int) -> None:
        start, end = self._range(data)
        start, end = ((t - MIN_TIME >> pointwidth << pointwidth) + MIN_TIME for t in (start, end))
        times, words = self._columns()
        truth = aligned_truth(self.kind, times, words, start, end, pointwidth)
        if len(truth) > 3_000:
            return
        piece = tree.aligned_windows(self.tree.source, self.tree.root, start, end, pointwidth)
        assert piece.slots.tolist() == sorted(truth)
        for slot, row in zip(piece.slots.tolist(), piece.rows, strict=True):
            check_row(self.kind, truth[slot], row)

    @rule(data=st.data(), number=st.integers(1, 40))
    def free_windows(self, data: st.DataObject, number: int) -> None:
        start, end = self._range(data)
        edges = np.unique(np.linspace(start, end, number + 1).astype(np.int64))
        if len(edges) < 2:
            return
        piece = tree.windows(self.tree.source, self.tree.root, edges)
        times, words = self._columns()
        positions = np.searchsorted(times, edges)
        counts = np.diff(positions)
        assert piece.slots.tolist() == np.flatnonzero(counts).tolist()
        for slot, row in zip(piece.slots.tolist(), piece.rows, strict=True):
            check_row(self.kind, words[positions[slot] : positions[slot + 1]], row)

    @rule(data=st.data())
    def values_and_nearest(self, data: st.DataObject) -> None:
        start, end = self._range(data)
        source, root = self.tree.source, self.tree.root
        times, words = tree.values(source, root, start, end)
        inside = [point for point in self.points if start <= point[0] < end]
        assert list(zip(times.tolist(), words.tolist(), strict=True)) == inside
        after = next((point for point in self.points if point[0] >= start), None)
        before = next((point for point in reversed(self.points) if point[0] < end), None)
        assert tree.first_from(source, root, start) == after
        assert tree.last_before(source, root, end) == before

    @rule(data=st.data(), resolution=st.sampled_from([0, 30, 44, 60]))
    def changes(self, data: st.DataObject, resolution: int) -> None:
        older = data.draw(st.sampled_from(sorted(self.states)))
        ranges = tree.changes(self.tree.source, self.tree.root, older, resolution)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(ranges))
        before, now = set(self.states[older]), set(self.points)
        for time, _ in before ^ now:
            assert any(start <= time < end for start, end in ranges)

    def _columns(self) -> tuple[Words, Words]:
        columns = np.array(self.points, np.int64).reshape(-1, 2)
        return columns[:, 0].copy(), columns[:, 1].copy()

    @invariant()
    def canonical(self) -> None:
        if hasattr(self, "tree"):
            assert self.tree.faults() == []
            assert self.tree.root.count == len(self.points)
            if self.saved:
                assert self.tree.live() == self.tree.reachable()


def check_row(kind: Kind, words: Words, row: Words) -> None:
    values = words.view(np.float64) if kind is Kind.FLOAT else words
    shown = row.view(np.float64) if kind is Kind.FLOAT else row
    assert row[0] == len(words)
    assert (shown[1], shown[2]) == (values.min(), values.max())
    assert (row[3], row[4]) == (words[0], words[-1])
    if len(words) <= 400:
        assert max(statistics_error(kind, words, row)) <= 1


TestTreeMachine = TreeMachine.TestCase
TestTreeMachine.settings = settings(
    max_examples=60,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(list(Kind)),
    shape=st.sampled_from(["regular", "jittered", "shuffled", "wide", "burst", "same"]),
    cuts=st.lists(st.integers(1, 50_000), max_size=6),
    seed=st.integers(0, 1 << 30),
)
def test_same_points_in_other_batches_give_the_same_bits(
    kind: Kind, shape: str, cuts: list[int], seed: int
) -> None:
    size = 50_000
    times = np.sort(shaped_times(shape, size, seed), kind="stable")
    words = to_words(kind, np.random.default_rng(seed).normal(0, 9, size) > 0)
    whole, parts = Harness(kind), Harness(kind)
    whole.insert(times, words)
    borders = sorted({0, size, *(cut for cut in cuts if cut < size)})
    pieces = list(itertools.pairwise(borders))
    repeats = len(np.unique(times)) < size  # then the order of arrival is part of the data
    for low, high in pieces if repeats else sorted(pieces, key=lambda piece: piece[1] % 7):
        parts.insert(times[low:high], words[low:high], save=bool(high % 2))
    assert_same_tree(whole, parts)


def assert_same_tree(one: Harness, other: Harness) -> None:
    assert shape_of(one, one.root) == shape_of(other, other.root)


def shape_of(harness: Harness, node: tree.Node) -> list[object]:
    """Everything of a tree but version stamps and addresses."""
    found: list[object] = [node.start, node.pointwidth, node.slots.tolist(), node.rows.tobytes()]
    for child in node.children:
        if child.kind == tree.ChildKind.NODE:
            found.append(shape_of(harness, harness.source.node(child)))
        elif child.kind in (tree.ChildKind.LEAF, tree.ChildKind.SECTIONS):
            times, words = harness.source.leaf(child).points()
            found.append((child.index, child.span, times.tobytes(), words.tobytes()))
        elif child.kind == tree.ChildKind.CHAIN:
            chain = harness.source.chain(child)
            found.append(
                (
                    child.index,
                    [link.leaf.count for link in chain.links],
                    chain.points(harness.source)[1].tobytes(),
                )
            )
    return found


@pytest.mark.parametrize("kind", list(Kind))
def test_delete_leaves_the_tree_the_remaining_points_alone_would_make(kind: Kind) -> None:
    times = shaped_times("jittered", 200_000, 5)
    words = to_words(kind, np.random.default_rng(5).integers(0, 2, len(times)))
    deleted, fresh = Harness(kind), Harness(kind)
    deleted.insert(times, words)
    start, end = int(times[20_000]), int(times[190_000])
    deleted.erase(start, end)
    kept = (times < start) | (times >= end)
    fresh.insert(times[kept], words[kept])
    assert_same_tree(deleted, fresh)
    assert deleted.faults() == []
