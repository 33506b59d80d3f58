"""Pending points against a plain list of what was added, whatever is merged, absorbed or committed."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from otrdb.engine.moments import Moment, Moments
from otrdb.engine.pending import Pending, Run, combined
from otrdb.engine.state import Chunk, Prefix, StreamState
from otrdb.engine.versions import Committed
from otrdb.metadata import Metadata
from otrdb.model import Kind, Merge
from otrdb.tree import Cache, MemoryBlocks, Source

STREAMS = 4
MERGES = st.sampled_from([Merge.NEVER, Merge.NEVER, Merge.RETAIN])


class Point(NamedTuple):
    lsn: int
    time: int
    word: int
    merge: Merge


def listed(chunks: list[Chunk]) -> list[tuple[int, int, Merge]]:
    """The points in order, each with the policy it came under."""
    return [
        (int(time), int(word), chunk.merge)
        for chunk in chunks
        for time, word in zip(chunk.times, chunk.words, strict=True)
    ]


def plain(points: list[Point]) -> list[tuple[int, int, Merge]]:
    return [(point.time, point.word, point.merge) for point in points]


class Machine(RuleBasedStateMachine):
    """Streams 1 to 4: what was added to each, in order of LSN, is what is pending."""

    def __init__(self) -> None:
        super().__init__()
        self.pending = Pending()
        self.moments = Moments()
        source = Source(Kind.INT, MemoryBlocks(), Cache(1 << 20))
        metadata = [Metadata.new(UUID(int=number), Kind.INT, f"c/{number}") for number in range(STREAMS)]
        self.states = {
            number: StreamState(number, metadata[number - 1], source) for number in range(1, STREAMS + 1)
        }
        self.points: dict[int, list[Point]] = {number: [] for number in self.states}
        self.lsn = 0
        self.held: list[tuple[StreamState, Prefix, list[tuple[int, int, Merge]]]] = []
        self.moment: tuple[Moment, dict[int, list[Point]]] | None = None

    def _take(self, merge: Merge, count: int) -> list[Point]:
        self.lsn += 1
        return [Point(self.lsn, self.lsn % 7, 100 * self.lsn + at, merge) for at in range(count)]

    @rule(
        number=st.integers(1, STREAMS),
        count=st.integers(1, 3),
        merge=MERGES,
        times=st.sampled_from([1, 1, 5, 70]),
    )
    def add(self, number: int, count: int, merge: Merge, times: int) -> None:
        for _ in range(times):
            points = self._take(merge, count)
            columns = np.array([point.time for point in points]), np.array([point.word for point in points])
            self.pending.add(self.states[number], Chunk(self.lsn, self.lsn, *columns, merge))
            self.points[number] += points

    @rule(
        numbers=st.lists(st.integers(1, STREAMS), min_size=1, max_size=6),
        merge=MERGES,
        times=st.sampled_from([1, 1, 2, 20, 300]),
    )
    def add_wide(self, numbers: list[int], merge: Merge, times: int) -> None:
        for _ in range(times):
            points = self._take(merge, len(numbers))
            columns = np.array([point.time for point in points]), np.array([point.word for point in points])
            self.pending.add_wide(self.lsn, np.array(numbers, np.uint32), *columns, merge)
            for number, point in zip(numbers, points, strict=True):
                self.points[number].append(point)

    @rule(counts=st.dictionaries(st.integers(1, STREAMS), st.integers(1, 5), min_size=1), merge=MERGES)
    def add_parts(self, counts: dict[int, int], merge: Merge) -> None:
        points = self._take(merge, sum(counts.values()))
        times, words = np.array([point.time for point in points]), np.array([point.word for point in points])
        sizes = np.array(list(counts.values()), np.uint32)
        states = [self.states[number] for number in counts]
        self.pending.add_parts(states, self.lsn, sizes, times, words, merge)
        times[:] = words[:] = -1  # the caller's
        for number, count in counts.items():
            self.points[number] += points[:count]
            del points[:count]

    @rule()
    def sweep(self) -> None:
        self.pending.sweep()
        wanted = [self.pending._wanted(run).any() for tier in self.pending._runs for run in tier]
        assert all(wanted)

    @rule(
        number=st.integers(1, STREAMS),
        before=st.integers(0, 70),
        after=st.integers(0, 70),
        hold=st.booleans(),
    )
    def add_around_a_wide_batch(self, number: int, before: int, after: int, hold: bool) -> None:
        self.add(number, 1, Merge.NEVER, before)
        if hold:
            self.hold_a_moment()
        else:
            self.add_wide([number], Merge.NEVER, 1)
        self.add(number, 1, Merge.NEVER, after)

    @rule(number=st.integers(1, STREAMS))
    def read(self, number: int) -> None:
        state = self.states[number]
        self.pending.absorb(state)
        prefix = state.prefix()
        assert listed(prefix.chunks) == plain(self.points[number])
        assert [chunk.lsn for chunk in prefix.chunks] == sorted({chunk.lsn for chunk in prefix.chunks})
        assert prefix.lsn == (self.points[number][-1].lsn if self.points[number] else state.committed.applied)
        self.held = [*self.held[-5:], (state, prefix, plain(self.points[number]))]

    @rule()
    def hold_a_moment(self) -> None:
        self.moment = (
            self.moments.hold(self.lsn, STREAMS + 1),
            {number: list(points) for number, points in self.points.items()},
        )
        self.pending.barriers = self.moments.lsns()

    @rule(number=st.integers(1, STREAMS))
    def commit(self, number: int) -> None:
        state = self.states[number]
        self.pending.absorb(state)
        prefix = state.prefix()
        self.moments.pin(state)
        self.pending.release(state, prefix.chunks[: prefix.length])
        state.commit(Committed(state.committed.version + 1, None, prefix.lsn, 0), prefix.length)
        self.points[number].clear()

    @rule(number=st.integers(1, STREAMS), times=st.sampled_from([1, 70]), wide=st.sampled_from([1, 70]))
    def commit_while_points_arrive(self, number: int, times: int, wide: int) -> None:
        state = self.states[number]
        self.pending.absorb(state)
        prefix = state.prefix()
        done = len(self.points[number])
        state.planned = state.committed.version + 1
        self.add(number, 1, Merge.NEVER, times)
        self.add_wide([number, number % STREAMS + 1], Merge.NEVER, wide)
        self.pending.absorb(state)
        self.moments.pin(state)
        self.pending.release(state, prefix.chunks[: prefix.length])
        state.commit(Committed(state.committed.version + 1, None, prefix.lsn, 0), prefix.length)
        state.planned = 0
        del self.points[number][:done]

    @rule(number=st.integers(1, STREAMS))
    def consolidate(self, number: int) -> None:
        self.pending.consolidate(self.states[number], everything=True)

    @rule(number=st.integers(1, STREAMS))
    def drop(self, number: int) -> None:
        self.pending.drop(self.states[number])
        self.points[number].clear()
        # What somebody held of an obliterated stream is not asked for again.
        self.held = [held for held in self.held if held[0] is not self.states[number]]
        self.moment = None

    @invariant()
    def counts_are_right(self) -> None:
        for number in self.states:
            assert self.pending.counts[number] == len(self.points[number])
        assert self.pending.points == sum(map(len, self.points.values()))
        assert self.pending.chunks == sum(len(state.chunks) for state in self.states.values())
        numbers = [number for number in self.states if self.points[number]]
        assert sorted(self.pending.streams()) == numbers

    @invariant()
    def memory_is_that_of_what_is_held(self) -> None:
        chunks = [chunk for state in self.states.values() for chunk in state.chunks]
        runs = [run.numbers for tier in self.pending._runs for run in tier]
        in_runs = sum(map(len, [*runs, *(wide.numbers for wide in self.pending._waiting)]))
        points = 29 * in_runs + 16 * sum(len(chunk.times) for chunk in chunks)
        assert self.pending.memory == points + 400 * len(chunks)

    @invariant()
    def what_somebody_holds_stays(self) -> None:
        for _, prefix, expected in self.held:
            assert listed(prefix.chunks[: prefix.length]) == expected

    @precondition(lambda self: self.moment is not None)
    @rule(number=st.integers(1, STREAMS))
    def read_at_the_moment(self, number: int) -> None:
        assert self.moment is not None
        moment, points = self.moment
        state = self.states[number]
        self.pending.absorb(state)
        prefix = moment.prefix(state)
        assert listed(prefix.chunks[: prefix.length]) == plain(points[number])

    @invariant()
    def nothing_needed_is_older_than_said(self) -> None:
        """What a journal file may be freed by: the oldest LSN that is pending."""
        firsts = [state.chunks[0].first for state in self.states.values() if state.chunks]
        wide = self.pending.oldest_wide()
        oldest = min([*firsts, *([] if wide is None else [wide])], default=None)
        lsns = [point.lsn for points in self.points.values() for point in points]
        assert oldest == min(lsns, default=None)


TestPending = Machine.TestCase
TestPending.settings = settings(max_examples=60, stateful_step_count=30)


def test_a_run_gives_each_stream_its_records_in_order() -> None:
    numbers = np.array([3, 1, 3, 1, 2, 3], np.uint32)
    lsns = np.array([1, 1, 2, 2, 2, 2])
    run = Run(numbers, lsns, np.arange(6), np.arange(6) * 10, np.zeros(6, np.uint8))
    assert [(chunk.lsn, chunk.times.tolist()) for chunk in run.chunks(3, 0)] == [(1, [0]), (2, [2, 5])]
    assert [(chunk.lsn, chunk.times.tolist()) for chunk in run.chunks(3, 1)] == [(2, [2, 5])]
    assert run.chunks(3, 2) == []
    assert run.chunks(4, 0) == []


def test_a_chunk_of_several_records_keeps_the_oldest_place_and_the_newest_lsn() -> None:
    chunks = [Chunk(lsn, lsn + 1, np.array([lsn]), np.array([lsn]), Merge.EQUAL) for lsn in (3, 5, 9)]
    made = combined(chunks)
    assert (made.first, made.lsn, made.times.tolist(), made.merge) == (3, 10, [3, 5, 9], Merge.EQUAL)


@pytest.mark.parametrize("streams", [64, 65, 1_000, 200_000])
def test_there_is_room_for_any_number_of_streams(streams: int) -> None:
    pending = Pending()
    pending.reserve(streams)
    numbers = np.arange(1, streams + 1, dtype=np.uint32)
    pending.add_wide(1, numbers, np.zeros(streams, np.int64), np.zeros(streams, np.int64), Merge.NEVER)
    assert pending.points == streams
    assert pending.streams() == numbers.tolist()
