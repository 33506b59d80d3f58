"""Thinned times: every answer is the one the points would have given, or a refusal; and the shape is kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from otrdb import tree
from otrdb.errors import Thinned
from otrdb.model import MAX_TIME, MIN_TIME, Kind, Merge
from otrdb.tree.nodes import ChildKind, Node
from tests.tree.harness import Harness, Words, aligned_truth, statistics_error, to_words

MILLISECOND = 1_000_000
T0 = (1_700_000_000_000_000_000 >> 44) << 44
WIDTHS = (24, 28, 32)
SPAN = 1 << 40
"""The part of time that is played with: 18 minutes."""


class Slot(NamedTuple):
    """A window of which statistics are all that is left."""

    start: int
    end: int
    pointwidth: int


class Summary(NamedTuple):
    """An interval that was thinned."""

    start: int
    end: int
    pointwidth: int


def summaries(source: tree.Source, node: Node) -> list[Summary]:
    """What is thinned below a node."""
    found = []
    for child in node.children:
        if child.kind == ChildKind.NODE:
            found += summaries(source, source.node(child))
        elif child.kind == ChildKind.THINNED:
            found.append(Summary(node.child_start(child), node.child_end(child), node.pointwidth - 4))
    return found


class Beside:
    """A tree and all points that were ever put in and not deleted, thinned or not."""

    def __init__(self, kind: Kind) -> None:
        self.harness = Harness(kind)
        self.times = np.empty(0, np.int64)
        self.words = np.empty(0, np.int64)

    @property
    def thinned(self) -> list[Summary]:
        return summaries(self.harness.source, self.harness.root)

    def is_thinned(self, times: Words) -> np.ndarray:
        inside = np.zeros(len(times), bool)
        for start, end, _ in self.thinned:
            inside |= (times >= start) & (times < end)
        return inside

    def slots(self) -> list[Slot]:
        """The windows of what was thinned that hold points."""
        found = set()
        for start, end, width in self.thinned:
            times = self.times[(self.times >= start) & (self.times < end)]
            found |= {
                Slot(start + (n << width), start + ((n + 1) << width), width)
                for n in np.unique((times - start) >> width).tolist()
            }
        return sorted(found)

    def insert(self, times: Words, words: Words) -> None:
        order = np.argsort(np.concatenate([self.times, times]), kind="stable")
        self.harness.insert(times, words)
        self.times = np.concatenate([self.times, times])[order]
        self.words = np.concatenate([self.words, words])[order]

    def thin(
        self, before: int, pointwidth: int, *, start: int = MIN_TIME, limit: int = 1 << 30
    ) -> tree.Thinnable:
        harness, thinning = self.harness, tree.Thinning(start, before, pointwidth)
        promised = tree.thinnable(harness.source, harness.root, thinning)
        version, edit = harness.version, harness._edit()
        root = tree.thin(edit, harness.root, thinning, limit)
        assert (root is harness.root) == (promised.points == 0)
        lost = sum(address[2] for address in edit.obsolete)
        harness._set(root, edit, save=True)
        assert lost >= promised.bytes or limit < 1 << 30
        assert tree.changes(harness.source, harness.root, version, 0) == []
        if limit == 1 << 30:
            assert tree.thinnable(harness.source, harness.root, thinning).points == 0
        return promised

    def check(self) -> None:
        assert self.harness.faults() == []
        assert self.harness.root.count == len(self.times)

    # --- questions

    def check_values(self, start: int, end: int) -> None:
        if any(slot.start < end and slot.end > start for slot in self.slots()):
            with pytest.raises(Thinned) as refusal:
                self.harness.values(start, end)
            assert refusal.value.start < end
            assert refusal.value.end > start
        else:
            inside = (self.times >= start) & (self.times < end)
            assert self.harness.values(start, end) == (
                self.times[inside].tolist(),
                self.words[inside].tolist(),
            )

    def check_nearest(self, time: int) -> None:
        slots, raw = self.slots(), self.times[~self.is_thinned(self.times)]
        source, root = self.harness.source, self.harness.root
        after = raw[raw >= time]
        hidden = [slot.start for slot in slots if slot.end > time]
        if hidden and not (len(after) and after[0] < hidden[0]):
            with pytest.raises(Thinned) as refusal:
                tree.first_from(source, root, time)
            assert refusal.value.start == hidden[0]
        else:
            found = tree.first_from(source, root, time)
            assert (found and found[0]) == (int(after[0]) if len(after) else None)
        before = raw[raw < time]
        hidden = [slot.end for slot in slots if slot.start < time]
        if hidden and not (len(before) and before[-1] >= hidden[-1]):
            with pytest.raises(Thinned) as refusal:
                tree.last_before(source, root, time)
            assert refusal.value.end == hidden[-1]
        else:
            found = tree.last_before(source, root, time)
            assert (found and found[0]) == (int(before[-1]) if len(before) else None)

    def check_aligned(self, start: int, end: int, pointwidth: int) -> None:
        low, high = ((time - MIN_TIME >> pointwidth << pointwidth) + MIN_TIME for time in (start, end))
        too_fine = [s for s in self.slots() if s.pointwidth > pointwidth and s.start < high and s.end > low]
        if too_fine and low < high:
            with pytest.raises(Thinned) as refusal:
                tree.aligned_windows(self.harness.source, self.harness.root, low, high, pointwidth)
            assert refusal.value.pointwidth in {slot.pointwidth for slot in too_fine}
            return
        piece = tree.aligned_windows(self.harness.source, self.harness.root, low, high, pointwidth)
        truth = aligned_truth(self.harness.kind, self.times, self.words, low, high, pointwidth)
        self._compare(piece, truth)

    def check_windows(self, edges: Words) -> None:
        cut = [s for s in self.slots() if ((edges > s.start) & (edges < s.end)).any()]
        if cut:
            with pytest.raises(Thinned) as refusal:
                tree.windows(self.harness.source, self.harness.root, edges)
            assert Slot(refusal.value.start, refusal.value.end, refusal.value.pointwidth) in cut
            return
        piece = tree.windows(self.harness.source, self.harness.root, edges)
        places = np.searchsorted(edges, self.times, side="right") - 1
        inside = (places >= 0) & (places < len(edges) - 1)
        truth = {
            number: self.words[inside & (places == number)] for number in np.unique(places[inside]).tolist()
        }
        self._compare(piece, truth)

    def _compare(self, piece: tuple[Words, Words], truth: dict[int, Words]) -> None:
        kind = self.harness.kind
        assert piece[0].tolist() == list(truth)
        for row, words in zip(piece[1], truth.values(), strict=True):
            values = words.view(np.float64) if kind is Kind.FLOAT else words
            ends = row[1:5].view(np.float64) if kind is Kind.FLOAT else row[1:5]
            assert row[0] == len(words)
            assert ends.tolist() == [values.min(), values.max(), values[0], values[-1]]
            assert max(statistics_error(kind, words[:400], row)) <= 1 or len(words) > 400


TIMES = st.integers(T0 - SPAN // 4, T0 + SPAN + SPAN // 4)
INSTANTS = st.one_of(
    TIMES,
    st.sampled_from([*WIDTHS, 36]).flatmap(lambda width: TIMES.map(lambda time: time >> width << width)),
)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.beside = Beside(Kind.FLOAT)

    @initialize(
        steps=st.lists(st.sampled_from([1, 2, 5, 13]), min_size=1, max_size=4),
        before=st.integers(0, SPAN),
        pointwidth=st.sampled_from(WIDTHS),
    )
    def begin(self, steps: list[int], before: int, pointwidth: int) -> None:
        """Runs of points, close or less so, of which some are thinned."""
        for seed, step in enumerate(steps):
            self.insert(T0 + seed * SPAN // 5, step, 20_000, seed)
        self.thin(T0 + before, pointwidth, 1 << 30)

    @rule(
        begin=INSTANTS,
        step=st.sampled_from([1, 3, 12, 100, 2_000]),
        size=st.sampled_from([1, 50, 3_000, 20_000]),
        seed=st.integers(0, 99),
    )
    def insert(self, begin: int, step: int, size: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        times = begin + MILLISECOND * (step * np.arange(size) + random.integers(0, step, size))
        times = times[~self.beside.is_thinned(times)]
        if len(times):
            self.beside.insert(times, to_words(Kind.FLOAT, random.normal(size=len(times)).round(3)))

    @precondition(lambda self: self.beside.thinned)
    @rule(data=st.data(), merge=st.sampled_from(Merge))
    def insert_into_what_was_thinned(self, data: st.DataObject, merge: Merge) -> None:
        interval = data.draw(st.sampled_from(self.beside.thinned))
        time = data.draw(st.integers(interval.start, interval.end - 1))
        harness = self.beside.harness
        edit = harness._edit()
        for times in ([time], [MIN_TIME, time, MAX_TIME - 2]):
            column = np.array(times, np.int64)
            with pytest.raises(Thinned) as refusal:
                tree.insert(edit, harness.root, (column, column), merge)
            assert refusal.value.start <= time < refusal.value.end
            with pytest.raises(Thinned):
                tree.refuse_points(harness.source, harness.root, column)

    @rule(start=INSTANTS, width=st.one_of(st.integers(1, SPAN), st.sampled_from([1 << 28, 1 << 32, 1 << 37])))
    def erase(self, start: int, width: int) -> None:
        beside, end = self.beside, start + width
        cut = [s for s in beside.slots() if s.start < start < s.end or s.start < end < s.end]
        if cut:
            root = beside.harness.root
            with pytest.raises(Thinned, match="Delete whole windows"):
                tree.erase(beside.harness._edit(), root, start, end)
            return
        beside.harness.erase(start, end)
        kept = (beside.times < start) | (beside.times >= end)
        beside.times, beside.words = beside.times[kept], beside.words[kept]

    @rule(before=INSTANTS, pointwidth=st.sampled_from(WIDTHS), limit=st.sampled_from([1, 3, 1 << 30]))
    def thin(self, before: int, pointwidth: int, limit: int) -> None:
        self.beside.thin(before, pointwidth, limit=limit)

    @rule(start=INSTANTS, width=st.integers(1, SPAN), pointwidth=st.integers(20, 44))
    def ask(self, start: int, width: int, pointwidth: int) -> None:
        self.beside.check_values(start, start + width)
        self.beside.check_nearest(start)
        self.beside.check_aligned(start, start + width, pointwidth)

    @rule(edges=st.lists(INSTANTS, min_size=2, max_size=5, unique=True))
    def ask_for_windows(self, edges: list[int]) -> None:
        self.beside.check_windows(np.array(sorted(edges), np.int64))

    @invariant()
    def is_sound(self) -> None:
        self.beside.check()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("step", [1, 4, 10, 15])
def test_every_wide_enough_window_is_what_it_was(kind: Kind, step: int) -> None:
    """Dense nodes, leaves of several children, and leaves that hang below with wider rows."""
    random = np.random.default_rng(step)
    beside = Beside(kind)
    dense = T0 + step * MILLISECOND * np.arange(100_000)
    sparse = T0 + 400 * MILLISECOND * np.arange(2_000) + 7
    times = np.sort(np.concatenate([dense, sparse]))
    values = random.normal(scale=1_000, size=len(times)).round(1)
    beside.insert(times, to_words(kind, values > 0 if kind is Kind.BOOL else values))
    questions = [(T0, T0 + SPAN, 28), (T0 - SPAN, T0 + 2 * SPAN, 33), (MIN_TIME, MAX_TIME, 40)]
    harness = beside.harness
    before = [tree.aligned_windows(harness.source, harness.root, *question) for question in questions]
    size = harness.blocks.size
    assert beside.thin(T0 + 2 * SPAN, 28).points > 50_000
    taken = sum(address[2] for address in harness.obsolete)
    assert kind is Kind.BOOL or harness.blocks.size - size < 0.75 * taken
    beside.check()
    for question, piece in zip(questions, before, strict=True):
        beside.check_aligned(*question)
        again = tree.aligned_windows(harness.source, harness.root, *question)
        assert again.slots.tolist() == piece.slots.tolist()
        assert np.array_equal(again.rows[:, :5], piece.rows[:, :5])


def test_points_that_are_few_for_their_windows_stay() -> None:
    beside = Beside(Kind.INT)
    times = T0 + 60 * MILLISECOND * np.arange(40_000)  # 4 or 5 in each window
    beside.insert(times, times)
    assert beside.thin(T0 + 2 * SPAN, 28).points == 0
    assert beside.thin(T0 + 2 * SPAN, 32).points > 0


def test_thinning_takes_only_what_lies_in_the_range() -> None:
    beside = Beside(Kind.INT)
    times = T0 + MILLISECOND * np.arange(400_000)
    beside.insert(times, times)
    beside.thin(T0 + 5 * (1 << 36) - 1, 28, start=T0 + 1)
    assert [(s.start - T0) / (1 << 36) for s in beside.thinned] == [1, 2, 3]
    beside.thin(T0 + 5 * (1 << 36), 28, limit=1)
    assert [(s.start - T0) / (1 << 36) for s in beside.thinned] == [0, 1, 2, 3]


def test_what_was_thinned_is_thinned_further_but_never_back() -> None:
    beside = Beside(Kind.INT)
    times = T0 + MILLISECOND * np.arange(1_500_000)
    beside.insert(times, times)
    beside.thin(T0 + SPAN, 28)
    assert {s.pointwidth for s in beside.thinned} == {28}
    assert beside.thin(T0 + SPAN, 24).points == 0
    beside.thin(T0 + SPAN, 32)
    assert {s.pointwidth for s in beside.thinned} == {32}
    beside.check()
    beside.check_aligned(T0, T0 + SPAN, 32)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 99_999), st.integers(1, 60_000))
def test_deleting_beside_what_was_thinned_leaves_it_alone(first: int, count: int) -> None:
    beside = Beside(Kind.INT)
    times = T0 + MILLISECOND * np.arange(110_000)
    beside.insert(times, times)
    beside.thin(T0 + (1 << 36), 28)
    start = max(T0 + first * MILLISECOND, T0 + (1 << 36))
    beside.harness.erase(start, start + count * MILLISECOND)
    kept = (beside.times < start) | (beside.times >= start + count * MILLISECOND)
    beside.times, beside.words = beside.times[kept], beside.words[kept]
    beside.check()
    beside.check_aligned(T0, T0 + SPAN, 28)


def test_a_summary_that_is_deleted_makes_room_for_points() -> None:
    beside = Beside(Kind.INT)
    times = T0 + MILLISECOND * np.arange(100_000)
    beside.insert(times, times)
    beside.thin(T0 + SPAN, 28)
    beside.harness.erase(T0, T0 + SPAN)
    assert beside.thinned == []
    beside.times, beside.words = np.empty(0, np.int64), np.empty(0, np.int64)
    beside.insert(times[:5], times[:5])
    beside.check()
    beside.check_values(T0, T0 + SPAN)
