"""Replay and carrying over: a small journal frees its files all the time, and forgets nothing.

Streams with few points are carried from file to file under their old LSN; sessions end anywhere, well or ill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb.engine.pressure import Pressure
from otrdb.model import Kind, Merge
from otrdb.storage.journal import Journal
from otrdb.testing import model
from otrdb.testing.medium import FaultyMedium, everything, nothing
from otrdb.testing.power_cuts import MEBIBYTE, opened
from tests.engine.support import SECOND, core_of, engine_of

if TYPE_CHECKING:
    from otrdb import Archive, Stream
    from otrdb.engine.state import StreamState

STREAMS = 40
BUSY = 150
"""Points of the busy stream, the first, in a round; all others get one or two."""

LATE = SECOND << 22
"""A time that no round uses."""

ENDS = ("go on", "close", "die", "power cut")


class Plant:
    """An archive and what must be in it."""

    def __init__(self, seed: int, durability: str = "sync") -> None:
        self.medium = FaultyMedium()
        self.durability = durability
        self.rng = np.random.default_rng(seed)
        self.archive = opened(self.medium, durability)
        self.uuids = [self.archive.create(f"plant/{number}").uuid for number in range(STREAMS)]
        self.states = [model.empty(Kind.FLOAT) for _ in self.uuids]
        self.turn = 0

    @property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(map(self.archive.stream, self.uuids))

    def write(self, rounds: int, merge: Any = "never") -> None:
        """Rounds over all streams, in each a batch for the busy one and a point more for two others."""
        for _ in range(rounds):
            self._insert_wide(merge)
            self._insert(0, BUSY, merge)
            for number in self.rng.integers(1, STREAMS, 2).tolist():
                self._insert(number, 1, merge)

    def _insert_wide(self, merge: Any) -> None:
        times = SECOND * self.rng.integers(0, 500, STREAMS)
        values = np.full(STREAMS, float(self.turn))
        self.archive.insert_columns(np.arange(STREAMS), times, values, self.streams, merge=merge)
        for number in range(STREAMS):
            part = slice(number, number + 1)
            self.states[number] = model.merged(self.states[number], times[part], values[part], merge)

    def _insert(self, number: int, count: int, merge: Any) -> None:
        self.turn += 1
        times = SECOND * self.rng.integers(0, 500 if count == 1 else 1 << 20, count)
        values = np.full(count, float(self.turn))
        self.streams[number].insert(times, values, merge=merge)
        self.states[number] = model.merged(self.states[number], times, values, merge)

    def end(self, how: str) -> None:
        if how == "close":
            self.archive.close()
        elif how != "go on":
            self.medium = self.medium.crash(everything if how == "die" else nothing)
        if how != "go on":
            self.archive = opened(self.medium, self.durability)

    def verify(self) -> None:
        for stream, state in zip(self.streams, self.states, strict=True):
            times, values = stream.values().to_numpy()
            assert np.array_equal(times, state.times)
            assert np.array_equal(values, state.values)
        pending = core_of(self.archive).pending
        assert pending.points == pending.counts.sum()


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The stream numbers that were carried over."""
    numbers: list[int] = []
    real = Journal.carry

    def carry(journal: Journal, parts: Any, *columns: Any) -> int:
        numbers.extend(parts.tolist())
        return real(journal, parts, *columns)

    monkeypatch.setattr(Journal, "carry", carry)
    return numbers


@pytest.mark.parametrize(
    ("merge", "end"),
    [
        ("never", "power cut"),
        ("equal", "close"),
        ("retain", "die"),
        ("replace", "power cut"),
        ("replace", "die"),
    ],
)
def test_what_was_carried_over_is_there_afterwards(carried: list[int], merge: str, end: str) -> None:
    plant = Plant(1)
    plant.write(450, merge)
    assert {stream.state.number for stream in plant.streams[1:]} <= set(carried)
    assert plant.archive.stats()["journal_bytes"] <= 1.3 * MEBIBYTE
    plant.end(end)
    plant.verify()
    plant.write(30, merge)
    plant.end(end)
    plant.archive.flush()
    plant.verify()
    plant.end(end)
    plant.verify()
    assert list(plant.archive.check()) == []
    plant.archive.close()


@settings(max_examples=4)
@given(
    st.integers(0, 1 << 20),
    st.lists(
        st.tuples(
            st.sampled_from([1, 10, 150]),
            st.sampled_from(["never", "never", "retain", "replace", "equal"]),
            st.sampled_from(["nothing", "flush one", "flush some", "read", "delete"]),
            st.sampled_from(ENDS),
        ),
        min_size=3,
        max_size=8,
    ),
    st.sampled_from(["sync", "off"]),
)
def test_any_sessions(seed: int, sessions: list[tuple[int, str, str, str]], durability: str) -> None:
    plant = Plant(seed, durability)
    for rounds, merge, then, end in sessions:
        plant.write(rounds, merge)
        chosen = plant.rng.integers(0, STREAMS, 5).tolist()
        if then == "flush one":
            plant.streams[chosen[0]].flush()
        elif then == "flush some":
            for number in chosen:
                plant.streams[number].flush()
        elif then == "read":
            assert [plant.streams[number].count() for number in chosen]
        elif then == "delete":
            plant.streams[chosen[0]].delete(0, 100 * SECOND)
            plant.states[chosen[0]] = model.erased(plant.states[chosen[0]], 0, 100 * SECOND)
        if durability == "sync" or end != "power cut":
            plant.end(end)
        plant.verify()
    assert list(plant.archive.check()) == []
    plant.archive.close()


def test_many_streams_with_few_points_do_not_make_the_journal_run_in_circles() -> None:
    """More is pending than half the journal holds: carrying all of it would free nothing."""
    medium = FaultyMedium()
    with opened(medium, "off", memory=128 << 20) as archive:
        streams = tuple(archive.create(f"plant/{number}") for number in range(1_200))
        everyone = np.arange(len(streams))
        written = medium.counts["write"]
        for turn in range(120):
            archive.insert_columns(everyone, np.full(len(streams), turn), np.ones(len(streams)), streams)
        assert medium.counts["write"] - written < 120 * 8
        assert archive.stats()["journal_bytes"] < 2 * MEBIBYTE
        assert {stream.count() for stream in streams} == {120}


def test_points_that_arrive_while_files_are_freed_are_neither_lost_nor_out_of_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the look at what is old and the carrying of it, another thread inserts: by both ways."""
    plant = Plant(3)
    stream = plant.streams[1]
    arrived = []
    real = Pressure.commit

    def commit_while_points_arrive(pressure: Pressure, states: list[StreamState]) -> Any:
        plant.archive.insert_columns([0], [LATE], [1.0], [stream])
        core = core_of(plant.archive)
        with core.lock:
            journal = core.writable()
            columns = np.array([LATE]), np.array([2.0]).view(np.int64)
            engine_of(plant.archive).writer._journal(stream.state.numbers, None, *columns, Merge.NEVER)
            assert journal is core.journal
        stream.insert(LATE, 3.0)
        arrived.extend([1.0, 2.0, 3.0])
        return real(pressure, states)

    monkeypatch.setattr(Pressure, "commit", commit_while_points_arrive)
    monkeypatch.setattr(Pressure, "admit", lambda _pressure: None)
    settle = Pressure.settle
    monkeypatch.setattr(Pressure, "settle", lambda _pressure: None)
    while plant.archive.stats()["journal_bytes"] < 1.1 * MEBIBYTE:
        plant.write(5)
    settle(engine_of(plant.archive).pressure)
    assert arrived
    monkeypatch.undo()
    plant.end("power cut")
    late = plant.streams[1].values(LATE, LATE + 1).values.tolist()
    assert late == arrived
    plant.write(300)
    plant.end("die")
    assert plant.streams[1].values(LATE, LATE + 1).values.tolist() == arrived


def test_a_stream_that_was_obliterated_does_not_come_back() -> None:
    plant = Plant(4)
    plant.write(20)
    gone = plant.streams[3]
    gone.obliterate()
    plant.end("die")
    assert len(plant.archive.streams()) == STREAMS - 1
    assert core_of(plant.archive).pending.counts[gone.state.number] == 0
    fresh = plant.archive.create("plant/3")
    plant.end("die")
    assert plant.archive.stream(fresh.uuid).count() == 0


def test_more_in_the_journal_than_memory_allows_is_committed_on_opening() -> None:
    medium = FaultyMedium()
    journal = 8 * MEBIBYTE
    with opened(medium, "off", journal=journal, memory=256 << 20) as archive:
        streams = tuple(archive.create(f"plant/{number}") for number in range(200))
        for turn in range(1_500):
            archive.insert_columns(np.arange(200), np.full(200, turn), np.ones(200), streams)
    with opened(medium, "off", journal=journal, memory=8 << 20) as archive:
        core = core_of(archive)
        assert core.pending.memory <= core.budget.pending
        assert {stream.count() for stream in archive.streams()} == {1_500}


def test_an_archive_that_was_replayed_often_is_the_same() -> None:
    plant = Plant(5)
    plant.write(100)
    for _ in range(6):
        plant.end("die")
    plant.verify()
    assert core_of(plant.archive).pending.points == sum(len(state.times) for state in plant.states)


def _replayed(archive: Archive) -> int:
    return int(core_of(archive).pending.points)


def test_what_is_committed_is_not_replayed() -> None:
    plant = Plant(6)
    plant.write(30)
    plant.archive.flush()
    plant.end("die")
    assert _replayed(plant.archive) == 0
    plant.write(1)
    plant.end("die")
    assert _replayed(plant.archive) == STREAMS + BUSY + 2
    plant.verify()
