"""Subscriptions: every acknowledged batch once, in order, as it was inserted; and no insert waits."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otrdb
from otrdb.errors import BadValue, ClosedArchive, DiskFull, FellBehind, NoSuchStream, ReadOnly, WriteFailed
from otrdb.testing.medium import FaultyFile, FaultyMedium
from otrdb.testing.power_cuts import opened
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb import Archive, Arrival, Stream, Subscription

LARGE = 20_000
"""Points that are a commit of their own."""


@pytest.fixture(params=["sync", "off", "interval=5ms"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with otrdb.open(tmp_path / "a.otr", durability=request.param, memory=64 << 20) as archive:
        yield archive


@pytest.fixture
def streams(archive: Archive) -> tuple[Stream, ...]:
    return tuple(archive.create(f"plant/{number}") for number in range(5))


def taken(subscription: Subscription) -> list[Arrival]:
    """All that waits."""
    found = []
    while (arrival := subscription.get(timeout=0)) is not None:
        found.append(arrival)
    return found


def plain(arrival: Arrival) -> dict[Stream, list[tuple[int, Any]]]:
    return {
        stream: list(zip(times.tolist(), values.tolist(), strict=True))
        for stream, (times, values) in arrival.points.items()
    }


def told(subscription: Subscription) -> list[dict[Stream, list[tuple[int, Any]]]]:
    return [plain(arrival) for arrival in taken(subscription)]


def test_points_are_told_as_they_were_inserted(archive: Archive) -> None:
    heat = archive.create("a")
    pulses = archive.create("b", kind="int")
    door = archive.create("c", kind="bool")
    with archive.subscribe([heat, pulses, door]) as subscription:
        heat.insert([3, 1, 3], [0.5, -0.0, 0.25], merge="retain")
        pulses.insert(7, 2**62 + 1)
        door.insert([(1, True), (2, False)])
        first, second, third = taken(subscription)
    assert plain(first) == {heat: [(3, 0.5), (1, -0.0), (3, 0.25)]}
    assert np.signbit(first.points[heat][1]).tolist() == [False, True, False]
    assert first.merge is otrdb.Merge.RETAIN
    assert plain(second) == {pulses: [(7, 2**62 + 1)]}
    assert plain(third) == {door: [(1, True), (2, False)]}
    assert [values.dtype for _, values in third.points.values()] == [np.dtype(bool)]


def test_every_way_in_is_told(archive: Archive, streams: tuple[Stream, ...]) -> None:
    a, b, c, d, _ = streams
    many = np.arange(LARGE)
    with archive.subscribe([a, b]) as subscription:
        a.insert(1, 1.0)
        archive.insert({a: ([2, 3], [2.0, 3.0]), c: (1, 1.0), b: (2, 2.5)})
        archive.insert_columns([1, 0, 2, 0], [4, 5, 6, 4], [0.0, 1.0, 2.0, 3.0], (a, b, c))
        a.insert(many, np.ones(LARGE))
        archive.insert({a: (many, np.ones(LARGE)), b: (7, 7.0), d: (many, np.ones(LARGE))})
        archive.insert_columns(np.zeros(LARGE, int), many, np.ones(LARGE), (b,))
        c.insert(1, 1.0)
        archive.insert({})
        a.insert([], [])
        found = told(subscription)
    large = [(time, 1.0) for time in many.tolist()]
    assert found == [
        {a: [(1, 1.0)]},
        {a: [(2, 2.0), (3, 3.0)], b: [(2, 2.5)]},
        {a: [(5, 1.0), (4, 3.0)], b: [(4, 0.0)]},
        {a: large},
        {a: large, b: [(7, 7.0)]},
        {b: large},
    ]


def test_nothing_is_told_of_what_failed(archive: Archive, streams: tuple[Stream, ...]) -> None:
    a, b, *_ = streams
    with archive.subscribe(streams) as subscription:
        with pytest.raises(BadValue):
            a.insert([1, 2], [1.0, float("nan")])
        with pytest.raises(BadValue):
            archive.insert({a: (1, 1.0), b: (1, float("inf"))})
        b.obliterate()
        with pytest.raises(NoSuchStream):
            archive.insert({a: (1, 1.0), b: (1, 1.0)})
        assert [arrival.points for arrival in taken(subscription)] == [{}]


@pytest.mark.parametrize(("step", "points"), [("write", 1), ("sync", 1), ("append", LARGE), ("sync", LARGE)])
def test_nothing_is_told_of_what_did_not_reach_the_disk(step: Any, points: int) -> None:
    medium = FaultyMedium()
    archive = opened(medium)
    stream = archive.create("plant")
    stream.insert(0, 0.0)
    with archive.subscribe([stream]) as subscription:
        medium.fail(step)
        with pytest.raises(WriteFailed):
            fill(stream, 1, points)
        with pytest.raises(WriteFailed):
            fill(stream, 1, points)
        assert taken(subscription) == []
        archive.close()
        assert taken(subscription) == []
        assert subscription.ended


def test_nothing_is_told_of_what_there_was_no_room_for() -> None:
    medium = FaultyMedium()
    archive = opened(medium)
    stream = archive.create("plant")
    stream.insert(0, 0.0)
    with archive.subscribe([stream]) as subscription:
        medium.capacity = medium.used
        with pytest.raises(DiskFull):
            fill(stream, 1, LARGE)
        assert taken(subscription) == []
        medium.capacity = None
        fill(stream, 1, LARGE)
        assert len(taken(subscription)) == 1


@pytest.mark.parametrize("points", [1, LARGE])
def test_nothing_is_told_before_it_is_acknowledged(points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = opened(FaultyMedium())
    stream = archive.create("plant")
    real, waiting = FaultyFile.sync, []
    with archive.subscribe([stream]) as subscription:

        def sync(file: FaultyFile) -> None:
            waiting.append(subscription.get(timeout=0))
            real(file)

        monkeypatch.setattr(FaultyFile, "sync", sync)
        fill(stream, 0, points)
        monkeypatch.undo()
        assert waiting
        assert set(waiting) == {None}
        assert len(taken(subscription)) == 1


def test_points_told_cannot_be_written_to(archive: Archive, streams: tuple[Stream, ...]) -> None:
    """They may be the pending ones."""
    with archive.subscribe(streams) as subscription:
        streams[0].insert([1, 2], [1.0, 2.0])
        archive.insert({streams[0]: (3, 3.0), streams[1]: (3, 3.0)})
        fill(streams[2], 0, LARGE)
        for arrival in taken(subscription):
            for columns in arrival.points.values():
                for column in columns:
                    with pytest.raises(ValueError, match="read-only"):
                        column[0] = 7
    assert streams[0].values().values.tolist() == [1.0, 2.0, 3.0]


def test_a_batch_of_the_callers_may_be_used_again(archive: Archive, streams: tuple[Stream, ...]) -> None:
    for count in (1, 100, LARGE):
        times, values = np.arange(count), np.ones(count)
        with archive.subscribe(streams[:1]) as subscription:
            streams[0].insert(times, values)
            times[:], values[:] = 0, 0.0
            (arrival,) = taken(subscription)
        assert plain(arrival) == {streams[0]: [(time, 1.0) for time in range(count)]}


def test_streams_come_and_go(archive: Archive, streams: tuple[Stream, ...]) -> None:
    a, b, *_ = streams
    with archive.subscribe([]) as subscription:
        a.insert(1, 1.0)
        subscription.add([a])
        subscription.add([a, b])
        assert set(subscription.streams) == {a, b}
        archive.insert({a: (2, 2.0), b: (2, 2.0)})
        subscription.remove([a, streams[2]])
        archive.insert({a: (3, 3.0), b: (3, 3.0)})
        assert told(subscription) == [{a: [(2, 2.0)], b: [(2, 2.0)]}, {b: [(3, 3.0)]}]
        late = archive.create("late")
        subscription.add([late])
        late.insert(1, 1.0)
        assert told(subscription) == [{late: [(1, 1.0)]}]
    assert not core_of(archive).subscribers.followed


def test_an_obliterated_stream_is_told_of_and_no_longer_followed(
    archive: Archive, streams: tuple[Stream, ...]
) -> None:
    a, b, c, *_ = streams
    with archive.subscribe([a, b]) as subscription, archive.subscribe([c]) as other:
        a.insert(1, 1.0)
        a.obliterate()
        b.insert(2, 2.0)
        before, end, after = taken(subscription)
        assert plain(before) == {a: [(1, 1.0)]}
        assert (end.points, end.obliterated) == ({}, (a,))
        assert plain(after) == {b: [(2, 2.0)]}
        assert subscription.streams == [b]
        subscription.add([a])
        assert [arrival.obliterated for arrival in taken(subscription)] == [(a,)]
        assert subscription.streams == [b]
        assert taken(other) == []


def test_a_closed_archive_ends_subscriptions_once_they_have_everything(tmp_path: Path) -> None:
    archive = otrdb.open(tmp_path / "a.otr", durability="off")
    stream = archive.create("plant")
    subscription = archive.subscribe([stream])
    got: list[Arrival] = []
    thread = threading.Thread(target=lambda: got.extend(subscription))
    thread.start()
    for turn in range(10):
        fill(stream, turn, 1)
    archive.close()
    thread.join(30)
    assert not thread.is_alive()
    assert [arrival.points[stream][0].tolist() for arrival in got] == [[turn * SECOND] for turn in range(10)]
    assert subscription.ended
    assert subscription.get() is None
    for change in (subscription.add, subscription.remove):
        with pytest.raises(ClosedArchive):
            change([])
    with pytest.raises(ClosedArchive):
        archive.subscribe([])


def test_closing_a_subscription_ends_whoever_waits(archive: Archive, streams: tuple[Stream, ...]) -> None:
    subscription = archive.subscribe(streams)
    waiting, got = threading.Event(), []

    def wait() -> None:
        waiting.set()
        got.append(subscription.get())

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    subscription.close()
    subscription.close()
    thread.join(30)
    assert got == [None]
    assert subscription.ended
    streams[0].insert(1, 1.0)
    assert subscription.get() is None
    with pytest.raises(ClosedArchive):
        subscription.add(streams)


def test_whoever_is_woken_finds_what_came(archive: Archive, streams: tuple[Stream, ...]) -> None:
    """Called when something has come to an empty subscription, and at its end."""
    calls: list[int] = []
    subscription = archive.subscribe(streams[:2], wake=lambda: calls.append(1))
    streams[0].insert(1, 1.0)
    assert len(calls) == 1
    streams[0].insert(2, 2.0)
    assert len(calls) == 1
    assert len(taken(subscription)) == 2
    fill(streams[0], 0, LARGE)
    assert len(calls) == 2
    taken(subscription)
    streams[1].obliterate()
    assert len(calls) == 3
    archive.close()
    assert len(calls) == 4
    taken(subscription)
    assert subscription.ended


def test_an_insert_does_not_fail_for_whoever_is_woken(archive: Archive, streams: tuple[Stream, ...]) -> None:
    def wake() -> None:
        raise LookupError("nobody at home")

    with archive.subscribe(streams, wake=wake) as subscription:
        streams[0].insert(1, 1.0)
        streams[0].insert(2, 2.0)
        assert streams[0].count() == 2
        with pytest.raises(LookupError, match="nobody at home"):
            subscription.get()
    assert not core_of(archive).subscribers.followed


def test_whoever_reads_an_archive_cannot_subscribe(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        archive.create("plant").insert(1, 1.0)
        with otrdb.open(tmp_path / "a.otr", mode="r") as reader:
            with pytest.raises(ReadOnly):
                reader.subscribe(reader.streams())


def test_a_child_process_is_told_that_the_archive_is_its_parents(archive: Archive) -> None:
    subscription = archive.subscribe([archive.create("plant")])
    child = os.fork()
    if not child:
        try:
            subscription.get(timeout=0)
        except ClosedArchive:
            subscription.close()
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# --- slow subscribers


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Archive]:
    """Half a megabyte may wait: 32,000 points."""
    with otrdb.open(tmp_path / "a.otr", durability="off", memory=8 << 20) as archive:
        yield archive


def test_a_slow_subscription_is_cut_off_and_a_fast_one_is_not(small: Archive) -> None:
    stream = small.create("plant")
    subscribers = core_of(small).subscribers
    limit = core_of(small).budget.subscriptions
    with small.subscribe([stream]) as slow, small.subscribe([stream]) as fast:
        for turn in range(200):
            fill(stream, turn * 1_000, 1_000)
            assert subscribers.bytes <= limit
            assert len(taken(fast)) == 1
        with pytest.raises(FellBehind) as caught:
            slow.get()
        assert caught.value.code == "OTR-4261"
        assert slow.ended
        with pytest.raises(FellBehind):
            slow.add([stream])
        assert subscribers.bytes == 0
        assert len(subscribers.followed) == 1
    assert stream.count() == 200_000


def test_a_batch_that_is_too_large_cuts_off_its_followers_only(small: Archive) -> None:
    stream, other = small.create("a"), small.create("b")
    with small.subscribe([stream]) as cut, small.subscribe([other]) as spared:
        other.insert(1, 1.0)
        taken(spared)
        fill(stream, 0, 50_000)
        other.insert(2, 2.0)
        with pytest.raises(FellBehind):
            cut.get()
        assert told(spared) == [{other: [(2, 2.0)]}]
    assert core_of(small).subscribers.bytes == 0


def test_who_waited_longest_is_cut_off_first(small: Archive) -> None:
    streams = [small.create(f"plant/{number}") for number in range(3)]
    subscriptions = [small.subscribe([stream]) for stream in streams]
    for number in (1, 0, 2):
        fill(streams[number], 0, 12_000)
    with pytest.raises(FellBehind):
        subscriptions[1].get()
    assert [len(taken(subscriptions[number])) for number in (0, 2)] == [1, 1]


def test_what_several_wait_for_is_kept_once(small: Archive) -> None:
    stream = small.create("plant")
    subscriptions = [small.subscribe([stream]) for _ in range(50)]
    fill(stream, 0, 12_000)
    assert [len(taken(subscription)) for subscription in subscriptions] == [1] * 50
    for subscription in subscriptions:
        subscription.close()
    assert core_of(small).subscribers.bytes == 0


def test_what_was_taken_last_counts_until_the_next_is_asked_for(small: Archive) -> None:
    stream = small.create("plant")
    subscription = small.subscribe([stream])
    fill(stream, 0, 10_000)
    assert subscription.get() is not None
    assert core_of(small).subscribers.bytes > 160_000
    assert subscription.get(timeout=0) is None
    assert core_of(small).subscribers.bytes == 0


def test_many_little_batches_are_bounded_too(small: Archive) -> None:
    stream = small.create("plant")
    with small.subscribe([stream]) as subscription:
        for turn in range(600):
            stream.insert(turn, 1.0)
        with pytest.raises(FellBehind):
            subscription.get()


# --- threads

THREADS = 4
TURNS = 300


def test_threads_are_told_in_the_order_of_arrival(archive: Archive, streams: tuple[Stream, ...]) -> None:
    """All points have one time, so the stream keeps them in the order in which they arrived."""
    core_of(archive).subscribers._limit = 1 << 40

    def write(number: int) -> None:
        for turn in range(TURNS):
            value = float(number * TURNS + turn)
            if turn % 3:
                streams[0].insert(5, value)
            else:
                archive.insert_columns([0, 1], [5, 5], [value, value], streams[:2])

    with archive.subscribe(streams[:2]) as subscription:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        got = [subscription.get(timeout=60) for _ in range(THREADS * TURNS)]
        for thread in threads:
            thread.join()
        assert subscription.get(timeout=0) is None
    for stream in streams[:2]:
        values = [value for arrival in got if arrival for _, value in plain(arrival).get(stream, [])]
        assert values == stream.values().values.tolist()


def test_large_and_small_batches_of_threads_are_told_once(
    archive: Archive, streams: tuple[Stream, ...]
) -> None:
    core_of(archive).subscribers._limit = 1 << 40

    def small(number: int) -> None:
        for turn in range(100):
            streams[turn % 2].insert(number * 1_000 + turn, 1.0)

    def large(number: int) -> None:
        for turn in range(4):
            times = ((10 * number + turn) << 40) + np.arange(LARGE)
            archive.insert({streams[0]: (times, np.ones(LARGE)), streams[1]: (times, np.ones(LARGE))})

    with archive.subscribe(streams[:2]) as subscription:
        threads = [
            threading.Thread(target=work, args=(n,)) for n, work in enumerate((small, small, large, large))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        arrivals = taken(subscription)
    assert len(arrivals) == 208
    for stream in streams[:2]:
        times = np.concatenate(
            [arrival.points[stream][0] for arrival in arrivals if stream in arrival.points]
        )
        assert np.sort(times).tolist() == stream.values().times.tolist()


def test_what_was_acknowledged_while_the_archive_closed_was_told(tmp_path: Path) -> None:
    for round_ in range(6):
        archive = otrdb.open(tmp_path / f"{round_}.otr", durability=["sync", "off"][round_ % 2])
        stream = archive.create("plant")
        acknowledged = [0] * THREADS
        subscription = archive.subscribe([stream])
        begun = threading.Barrier(THREADS + 1)

        def write(
            number: int,
            stream: Stream = stream,
            acknowledged: list[int] = acknowledged,
            begun: threading.Barrier = begun,
        ) -> None:
            begun.wait()
            with suppress(ClosedArchive):
                while True:
                    stream.insert(number, float(acknowledged[number]))
                    acknowledged[number] += 1

        threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        begun.wait()
        first = [subscription.get(timeout=30) for _ in range(20)]
        archive.close()
        for thread in threads:
            thread.join(30)
        counts = [0] * THREADS
        for arrival in [*first, *subscription]:
            assert arrival is not None
            counts[int(arrival.points[stream][0][0])] += 1
        assert counts == acknowledged


def test_subscribing_first_and_then_reading_leaves_nothing_out(
    archive: Archive, streams: tuple[Stream, ...]
) -> None:
    """However many are inserting meanwhile."""
    stream, over = streams[0], threading.Event()

    def write(number: int) -> None:
        turn = 0
        while not over.is_set():
            stream.insert(number + THREADS * turn, 1.0)
            turn += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        subscriptions = []
        for _ in range(20):
            subscription = archive.subscribe([stream])
            subscriptions.append((subscription, set(stream.values().times.tolist())))
    finally:
        over.set()
    for thread in threads:
        thread.join()
    everything = set(stream.values().times.tolist())
    for subscription, read in subscriptions:
        came = {time for arrival in taken(subscription) for time in arrival.points[stream][0].tolist()}
        assert read | came == everything
        subscription.close()
