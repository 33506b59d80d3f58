"""Batches over many streams: which are commits of their own, and what becomes of those that wait for more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from otrdb.engine.state import COMMIT_POINTS
from otrdb.engine.writer import STREAM_POINTS
from otrdb.model import Kind, Merge
from otrdb.testing import model
from otrdb.testing.medium import FaultyMedium, everything, nothing
from otrdb.testing.power_cuts import MEBIBYTE, opened
from tests.engine.support import core_of

if TYPE_CHECKING:
    from otrdb import Archive, InsertedBatch, Stream

MERGES = tuple(Merge)


def made(archive: Archive, streams: int) -> tuple[Stream, ...]:
    return tuple(archive.create(f"plant/{number:04}") for number in range(streams))


def insert(way: str, archive: Archive, streams: tuple[Stream, ...], first: int, each: int) -> InsertedBatch:
    """``each`` points for every stream, by one of the two ways."""
    times = np.arange(first, first + each)
    if way == "mapping":
        return archive.insert(dict.fromkeys(streams, (times, times / 2)))
    index = np.repeat(np.arange(len(streams)), each)
    columns = np.tile(times, len(streams)), np.tile(times / 2, len(streams))
    return archive.insert_columns(index, *columns, streams)


@pytest.mark.parametrize("way", ["mapping", "columns"])
@pytest.mark.parametrize(
    ("streams", "each", "committed"),
    [
        (1, COMMIT_POINTS, True),
        (1, COMMIT_POINTS - 1, False),
        (2, COMMIT_POINTS // 2, True),
        (10, STREAM_POINTS, True),
        (10, STREAM_POINTS - 1, False),
        (300, 100, False),
    ],
)
def test_a_commit_of_its_own_brings_enough_points_to_each_stream(
    way: str, streams: int, each: int, committed: bool
) -> None:
    with opened(FaultyMedium(), "off", journal=32 * MEBIBYTE, memory=64 * MEBIBYTE) as archive:
        inserted = insert(way, archive, made(archive, streams), 0, each)
        assert core_of(archive).pending.points == (0 if committed else streams * each)
        assert inserted == (streams * each, streams, committed)


@pytest.mark.parametrize("way", ["mapping", "columns"])
@pytest.mark.parametrize(
    ("journal", "memory", "each"),
    [(MEBIBYTE, 64 * MEBIBYTE, 110), (32 * MEBIBYTE, 8 * MEBIBYTE, 1_312)],
    ids=["the journal", "memory"],
)
def test_so_is_one_that_fits_nowhere_else(way: str, journal: int, memory: int, each: int) -> None:
    with opened(FaultyMedium(), "off", journal=journal, memory=memory) as archive:
        streams = made(archive, 80)
        assert not insert(way, archive, streams, 0, each // 2).durable
        assert core_of(archive).pending.points > 0
        assert insert(way, archive, streams, each, each).durable
        assert core_of(archive).pending.points == 0
        assert {stream.count() for stream in streams} == {each + each // 2}


def test_what_waits_is_committed_many_points_at_a_time_and_within_the_memory() -> None:
    streams, each, rounds = 100, 250, 40
    with opened(FaultyMedium(), "off", journal=32 * MEBIBYTE, memory=8 * MEBIBYTE) as archive:
        live, core = made(archive, streams), core_of(archive)
        for turn in range(rounds):
            insert("columns", archive, live, turn * each, each)
            assert core.pending.memory <= core.budget.pending
        commits = [len(core.versions(stream.state)) for stream in live]
        done = streams * each * rounds - core.pending.points
        assert done / sum(commits) > 4 * each
        assert {stream.count() for stream in live} == {each * rounds}


def test_batches_of_every_shape_stay_within_the_memory() -> None:
    """However many streams they are over, and whether these are read or committed in between."""
    rng = np.random.default_rng(7)
    with opened(FaultyMedium(), "off", journal=32 * MEBIBYTE, memory=8 * MEBIBYTE) as archive:
        live, core = made(archive, 400), core_of(archive)
        counts = np.zeros(len(live), np.int64)
        for turn in range(150):
            chosen = rng.choice(len(live), int(rng.choice([1, 7, 60, 400])), replace=False)
            index = rng.permutation(np.repeat(chosen, int(rng.choice([1, 20, 40, 200]))))
            archive.insert_columns(index, np.full(len(index), turn), np.ones(len(index)), live)
            assert core.pending.memory <= core.budget.pending
            counts += np.bincount(index, minlength=len(live))
            for number in rng.choice(len(live), 20).tolist():
                assert live[number].count() == counts[number]
            live[turn].flush()
        assert [stream.count() for stream in live] == counts.tolist()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("survives", [nothing, everything])
def test_points_of_one_time_stay_in_order_of_arrival(seed: int, survives: Any) -> None:
    """Small and large batches over some streams or one, under every merge policy, and power cuts."""
    rng = np.random.default_rng(seed)
    medium = FaultyMedium()
    archive = opened(medium)
    uuids = [archive.create(f"plant/{number}").uuid for number in range(6)]
    states = [model.empty(Kind.FLOAT) for _ in uuids]
    for turn in range(60):
        streams = tuple(map(archive.stream, uuids))
        size, merge = int(rng.choice([1, 5, 240, 400, 9_000], p=[0.3, 0.2, 0.2, 0.2, 0.1])), MERGES[turn % 4]
        index, times = rng.integers(0, rng.integers(1, 7), size), rng.integers(0, 800, size)
        values = np.full(size, float(turn))
        archive.insert_columns(index, times, values, streams, merge=merge)
        for number in range(6):
            mine = index == number
            states[number] = model.merged(states[number], times[mine], values[mine], merge.value)
        if turn % 10 == 9:
            streams[turn % 6].flush()
            medium = medium.crash(survives)
            archive = opened(medium)
        for uuid, state in zip(uuids, states, strict=True):
            times, values = archive.stream(uuid).values().to_numpy()
            assert np.array_equal(times, state.times)
            assert np.array_equal(values, state.values)
    assert list(archive.check()) == []


def test_a_journal_full_of_wide_batches_is_replayed_within_reason() -> None:
    """A point that is replayed takes no more memory than when it was inserted."""
    medium = FaultyMedium()
    with opened(medium, "off", journal=32 * MEBIBYTE, memory=64 * MEBIBYTE) as archive:
        live = made(archive, 200)
        for turn in range(12):
            insert("columns", archive, live, 250 * turn, 250)
        before = core_of(archive).pending
        assert before.points == 200 * 12 * 250
        with opened(medium.crash(everything), "off", journal=32 * MEBIBYTE, memory=64 * MEBIBYTE) as again:
            pending = core_of(again).pending
            assert (pending.points, pending.chunks) == (before.points, before.chunks)
            assert pending.memory == before.memory
            assert {stream.count() for stream in again.streams()} == {3_000}
