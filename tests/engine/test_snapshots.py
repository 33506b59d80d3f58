"""Snapshots: one moment of all streams, whatever becomes of them afterwards; batches are in it whole."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otrdb
from otrdb.errors import ClosedArchive, InvalidArgument, NoSuchSnapshot, NoSuchStream
from otrdb.testing.medium import FaultyMedium, everything
from otrdb.testing.operations import STREAMS, Keep, Obliterate, create_all, operations, perform, uuid_of
from otrdb.testing.power_cuts import opened
from otrdb.testing.witness import Witness
from tests.engine.support import SECOND, core_of, engine_of, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb import Archive, Snapshot, Stream


@pytest.fixture
def archive() -> Iterator[Archive]:
    with opened(FaultyMedium()) as archive:
        yield archive


@pytest.fixture
def stream(archive: Archive) -> Stream:
    return archive.create("plant")


def held(snapshot: Snapshot, stream: Stream) -> list[Any]:
    view = snapshot.view(stream)
    columns = [column.tolist() for column in view.values().to_numpy()]
    return [view.count(), view.earliest(), view.latest(), *columns]


# --- of a moment


def test_nothing_that_comes_later_changes_it(archive: Archive, stream: Stream) -> None:
    fill(stream, 0, 100)
    with archive.snapshot() as snapshot:
        before = held(snapshot, stream)
        changes: list[Callable[[], object]] = [
            lambda: fill(stream, 50, 100, 2.0),
            lambda: stream.insert(0, 5.0, merge="replace"),
            lambda: archive.insert_columns([0], [1], [1.0], [stream]),
            lambda: stream.flush(),
            lambda: stream.delete(10 * SECOND, 20 * SECOND),
            lambda: fill(stream, 0, 20_000),
            lambda: archive.flush(),
            lambda: stream.delete(0, 1 << 60),
        ]
        for change in changes:
            change()
            assert held(snapshot, stream) == before
            assert stream.values().times.tolist() != before[3]


@pytest.mark.parametrize("before", [0, 1, 40, 63, 64, 100])
@pytest.mark.parametrize("after", [1, 40, 64, 200])
def test_merging_small_inserts_does_not_move_its_border(
    archive: Archive, stream: Stream, before: int, after: int
) -> None:
    for second in range(before):
        fill(stream, second, 1)
    with archive.snapshot() as snapshot:
        for second in range(after):
            fill(stream, 1_000 + second, 1)
        assert snapshot.view(stream).count() == before
        archive.insert_columns([0] * 5, range(5), np.ones(5), [stream])
        core_of(archive).pending.consolidate(stream.state, everything=True)
        assert snapshot.view(stream).count() == before
        stream.flush()
        assert snapshot.view(stream).count() == before
    assert stream.count() == before + after + 5


def test_several_moments(archive: Archive, stream: Stream) -> None:
    snapshots = []
    for second in range(200):
        fill(stream, second, 1)
        if second % 30 == 0:
            snapshots.append((archive.snapshot(), second + 1))
        if second % 70 == 69:
            stream.flush()
    assert [snapshot.view(stream).count() for snapshot, _ in snapshots] == [count for _, count in snapshots]


def test_streams_created_later_are_not_in_it(archive: Archive, stream: Stream) -> None:
    with archive.snapshot() as snapshot:
        later = archive.create("later")
        fill(later, 0, 1)
        assert snapshot.streams() == [stream]
        with pytest.raises(NoSuchStream):
            snapshot.view(later)
        with pytest.raises(NoSuchStream):
            snapshot.values([stream, later])


def test_an_obliterated_stream_is_in_no_snapshot(archive: Archive, stream: Stream) -> None:
    fill(stream, 0, 3)
    with archive.snapshot() as snapshot, archive.snapshot(name="kept") as named:
        stream.obliterate()
        for each in (snapshot, named):
            assert each.streams() == []
            with pytest.raises(NoSuchStream):
                each.view(stream)


def test_a_closed_snapshot_says_so(archive: Archive, stream: Stream) -> None:
    snapshot = archive.snapshot()
    view = snapshot.view(stream)
    snapshot.close()
    for question in (lambda: snapshot.view(stream), view.count):
        with pytest.raises(ClosedArchive) as raised:
            question()
        assert raised.value.advice


def test_a_snapshot_let_go_keeps_nothing_alive(archive: Archive, stream: Stream) -> None:
    for _ in range(50):
        fill(stream, 0, 10)
        with archive.snapshot() as snapshot:
            assert snapshot.view(stream).count()
    del snapshot
    assert core_of(archive).moments.lsns() == []


def test_a_held_state_that_is_too_large_for_memory_becomes_a_version(
    archive: Archive, stream: Stream
) -> None:
    """Late points everywhere need an overlay as large as the stream: they are committed before the rest."""
    fill(stream, 0, 400_000)
    base = stream.state.committed.version
    late = np.random.default_rng(1).integers(0, 400_000, 2_000) * SECOND
    stream.insert(late, np.zeros(2_000))
    with archive.snapshot() as first:
        stream.insert(late, np.zeros(2_000))
        with archive.snapshot() as second:
            stream.insert(late, np.zeros(2_000))
            assert stream.flush() == base + 3
            assert first.view(stream).count() == 402_000
            assert second.view(stream).count() == 404_000
            assert stream.count() == 406_000
            assert core_of(archive).roots.memory <= core_of(archive).budget.overlays
    assert list(archive.check()) == []


def test_a_held_state_too_large_for_memory_can_be_asked_before_any_commit(
    archive: Archive, stream: Stream
) -> None:
    fill(stream, 0, 400_000)
    late = np.random.default_rng(1).integers(0, 400_000, 2_000) * SECOND
    stream.insert(late, np.zeros(2_000))
    with archive.snapshot() as snapshot:
        stream.insert(late, np.zeros(2_000))
        assert snapshot.view(stream).count() == 402_000
        assert core_of(archive).roots.memory <= core_of(archive).budget.overlays
        assert stream.count() == 404_000


@settings(max_examples=15)
@given(st.integers(0, 1 << 20), st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_snapshots_taken_anywhere_in_a_history_hold_what_was_there(seed: int, places: list[int]) -> None:
    medium = FaultyMedium()
    with opened(medium, "off") as archive:
        create_all(archive)
        witness, snapshots = Witness(), []
        history = (each for each in operations(seed) if not isinstance(each, Obliterate))
        for number, operation in enumerate(islice(history, 60)):
            witness.acknowledged(operation, perform(archive, operation))
            if number in places:
                states = [witness.state(stream) for stream in range(STREAMS)]
                snapshots.append((archive.snapshot(), states))
        for snapshot, states in snapshots:
            for stream, state in enumerate(states):
                times, values = snapshot.view(archive.stream(uuid_of(stream))).values().to_numpy()
                assert np.array_equal(times, state.times)
                assert np.array_equal(values, state.values)


# --- kept under a name


def test_a_named_snapshot_survives_reopening(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = archive.create("plant")
        archive.create("empty")
        fill(stream, 0, 10)
        archive.snapshot(name="morning").close()
        fill(stream, 20, 10)
        stream.delete(0, 5 * SECOND)
        archive.snapshot(name="noon").close()
        fill(stream, 50, 10)
    for catalog in (True, False):
        if not catalog:
            (path / "catalog.sqlite").unlink()
        for mode in ("w", "r"):
            with otrdb.open(path, mode=mode) as archive:
                assert archive.snapshots() == ["morning", "noon"]
                stream = archive.stream("plant")
                with archive.open_snapshot("morning") as morning, archive.open_snapshot("noon") as noon:
                    assert morning.view(stream).count() == 10
                    assert noon.view(stream).count() == 15
                    assert morning.view(archive.stream("empty")).count() == 0
                assert stream.count() == 25
    with otrdb.open(path) as archive:
        archive.drop_snapshot("morning")
    with otrdb.open(path) as archive:
        assert archive.snapshots() == ["noon"]


def test_names(archive: Archive, stream: Stream) -> None:
    archive.snapshot(name="a").close()
    with pytest.raises(InvalidArgument):
        archive.snapshot(name="a")
    for question in (archive.open_snapshot, archive.drop_snapshot):
        with pytest.raises(NoSuchSnapshot) as raised:
            question("b")
        assert raised.value.advice
    archive.drop_snapshot("a")
    archive.snapshot(name="a").close()
    assert archive.snapshots() == ["a"]


def test_a_batch_that_arrives_while_a_snapshot_is_kept_is_in_it_whole(
    archive: Archive, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It touches one stream that was to be committed anyhow, and one that had nothing pending."""
    other = archive.create("other")
    fill(stream, 0, 1)
    engine = engine_of(archive)
    real = type(engine).flush

    def flush_and_then_a_batch(self: Any) -> None:
        real(self)
        fill(stream, 5, 1)
        archive.insert({stream: (1, 1.0), other: (1, 1.0)})

    monkeypatch.setattr(type(engine), "flush", flush_and_then_a_batch)
    with archive.snapshot(name="kept") as kept:
        assert (kept.view(stream).count(), kept.view(other).count()) == (3, 1)


def test_a_crash_while_a_snapshot_is_kept_leaves_it_whole_or_not_at_all() -> None:
    medium = FaultyMedium()
    archive = opened(medium)
    streams = [archive.create(f"plant/{number}") for number in range(5)]
    archive.insert(dict.fromkeys(streams, (1, 1.0)))
    medium.fail("append", after=2, stays=True)
    with suppress(otrdb.OtrError):
        for number in range(3):
            perform(archive, Keep(str(number)))
    with opened(medium.crash(everything)) as reopened:
        for name in reopened.snapshots():
            with reopened.open_snapshot(name) as kept:
                assert [kept.view(stream).count() for stream in reopened.streams()] == [1] * 5
