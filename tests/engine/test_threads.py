"""Threads: writers, readers, commits and deletions at once; nobody sees a part of anything."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otrdb
from otrdb import Wide
from otrdb.errors import ClosedArchive, NoSuchStream, VersionNotAvailable
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb import Archive, Stream

STREAMS = 40
SECONDS = 0.8
"""How long the threads of one test run."""


class Crew:
    """Threads that repeat something until time is up, and pass on the first error."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self.over = threading.Event()
        self.turns: dict[str, int] = {}

    def repeat(self, name: str, work: Callable[[int], None]) -> None:
        def run() -> None:
            turn = 0
            try:
                while not self.over.is_set():
                    work(turn)
                    turn += 1
                    self.turns[name] = turn
            except BaseException as error:  # noqa: BLE001  (told to the test)
                self._errors.append(error)
                self.over.set()

        self._threads.append(threading.Thread(target=run, name=name))

    def work(self, seconds: float = SECONDS) -> None:
        for thread in self._threads:
            thread.start()
        self.over.wait(seconds)
        self.over.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), f"{thread.name} hangs"
        if self._errors:
            raise self._errors[0]
        assert set(self.turns) == {thread.name for thread in self._threads}, "somebody never had a turn"


@pytest.fixture
def crew() -> Crew:
    return Crew()


@pytest.fixture(params=["sync", "off", pytest.param("interval=5ms", marks=pytest.mark.slow)])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    # Little journal and memory: files are freed, points carried over and trees committed all the time.
    with otrdb.open(tmp_path / "a.otr", durability=request.param, journal=1 << 20, memory=8 << 20) as archive:
        yield archive


@pytest.fixture
def streams(archive: Archive) -> tuple[Stream, ...]:
    return tuple(archive.create(f"plant/{number}") for number in range(STREAMS))


def test_a_batch_over_many_streams_is_seen_whole(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    """Every batch gives each stream as many points."""
    everyone = np.arange(STREAMS)

    def write_wide(turn: int) -> None:
        archive.insert_columns(everyone, np.full(STREAMS, turn * SECOND), np.full(STREAMS, 1.0), streams)

    def write_many(turn: int) -> None:
        batch = {stream: (np.array([-turn * SECOND, turn]), np.ones(2)) for stream in streams}
        archive.insert(batch)

    def write_thick(turn: int) -> None:
        times = np.tile((turn << 40) - np.arange(1, 51), STREAMS)
        archive.insert_columns(np.repeat(everyone, 50), times, np.ones(len(times)), streams)
        time.sleep(0.01)

    def write_large(turn: int) -> None:
        times = (turn << 40) + np.arange(17_000 // STREAMS + 1)
        archive.insert({stream: (times, np.ones(len(times))) for stream in streams})
        time.sleep(0.05)

    def read_snapshot(turn: int) -> None:
        with archive.snapshot() as snapshot:
            chosen = np.random.default_rng(turn).permutation(STREAMS)[:8]
            counts = {snapshot.view(streams[number]).count() for number in chosen.tolist()}
            assert len(counts) == 1, "part of a batch"

    def read_joined(_: int) -> None:
        joined = archive.values(streams[:4], -SECOND, 30 * SECOND)
        assert isinstance(joined, Wide)
        held = {len(column) - int(np.isnan(column).sum()) for column in joined.columns}
        assert len(held) == 1, "part of a batch"

    def keep(turn: int) -> None:
        with archive.snapshot(name=str(turn)) as snapshot:
            counts = {snapshot.view(stream).count() for stream in streams}
            assert len(counts) == 1, "part of a batch"
        archive.drop_snapshot(str(turn))
        time.sleep(0.05)

    def flush(turn: int) -> None:
        streams[turn % STREAMS].flush()
        time.sleep(0.002)

    for number, work in enumerate(
        (
            write_wide,
            write_many,
            write_thick,
            write_large,
            read_snapshot,
            read_snapshot,
            read_joined,
            keep,
            flush,
        )
    ):
        crew.repeat(f"{work.__name__} {number}", work)
    crew.work(2 * SECONDS)
    assert list(archive.check()) == []


def test_statistics_are_those_of_the_points_of_the_same_snapshot(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    stream = streams[0]

    def write(turn: int) -> None:
        fill(stream, 7 * turn % 5_000, 1 + turn % 50, float(turn))

    def delete(turn: int) -> None:
        start = 13 * turn % 5_000
        stream.delete(start * SECOND, (start + 100) * SECOND)
        time.sleep(0.005)

    def read(_: int) -> None:
        with archive.snapshot() as snapshot:
            view = snapshot.view(stream)
            times, values = view.values().to_numpy()
            assert view.count() == len(times)
            assert (np.diff(times) >= 0).all()
            windows = view.windows(0, 5_000 * SECOND, 500 * SECOND)
            edges = times.searchsorted(np.arange(0, 5_001, 500) * SECOND)
            assert windows.count.tolist() == np.diff(edges).tolist()
            for index in np.flatnonzero(windows.count).tolist():
                part = values[edges[index] : edges[index + 1]]
                assert (windows.min[index], windows.max[index]) == (part.min(), part.max())
                assert windows.mean[index] == pytest.approx(part.mean(), rel=1e-12)

    def read_latest(_: int) -> None:
        points = stream.values()
        assert (np.diff(points.times) >= 0).all()

    for number, work in enumerate((write, write, delete, read, read, read_latest)):
        crew.repeat(f"{work.__name__} {number}", work)
    crew.work()
    assert list(archive.check()) == []


def test_counts_only_grow_and_versions_never_go_back(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    def write(turn: int) -> None:
        fill(streams[turn % 3], turn, 1)

    def write_large(turn: int) -> None:
        fill(streams[turn % 3], turn << 20, 17_000)
        time.sleep(0.02)

    def reader() -> Callable[[int], None]:
        newest, most = [0] * 3, [0] * 3

        def read(turn: int) -> None:
            number = turn % 3
            version = streams[number].version
            count = streams[number].at(version).count()
            told = streams[number].values(0, SECOND).version
            assert version >= newest[number]
            assert count >= most[number]
            assert told >= newest[number]
            assert streams[number].count() >= count
            newest[number], most[number] = version, count

        return read

    def flush(turn: int) -> None:
        before = streams[turn % 3].version
        assert streams[turn % 3].flush() >= before
        time.sleep(0.003)

    crew.repeat("write", write)
    crew.repeat("write large", write_large)
    crew.repeat("flush", flush)
    for number in range(3):
        crew.repeat(f"read {number}", reader())
    crew.work()


def test_marks_and_changes_while_others_write_and_delete(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    """A follower who reads only what `changes` names has the whole stream in the end."""
    stream = streams[0]
    copy: dict[str, Any] = {"version": 10, "times": np.empty(0, np.int64)}

    def follow(_: int) -> None:
        version = stream.version
        now = stream.at(version)
        times = copy["times"]
        for start, end in stream.changes(copy["version"], version):
            kept = times[(times < start) | (times >= end)]
            times = np.sort(np.concatenate([kept, now.values(start, end).times]))
        assert times.tolist() == now.values().times.tolist(), "changes were missed"
        copy.update(version=version, times=times)

    def write(turn: int) -> None:
        fill(stream, 31 * turn % 3_000, 1 + turn % 9)

    def write_large(turn: int) -> None:
        fill(stream, 100_000 * (turn % 5), 17_000)
        time.sleep(0.05)

    def delete(turn: int) -> None:
        start = (17 * turn % 30) * 20_000
        stream.delete(start * SECOND, (start + 18_000) * SECOND)
        time.sleep(0.01)

    def flush(_: int) -> None:
        stream.flush()
        time.sleep(0.003)

    for work in (follow, write, write_large, delete, flush):
        crew.repeat(work.__name__, work)
    crew.work(2 * SECONDS)


def test_streams_come_and_go_while_others_write(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    def live_and_die(name: str) -> Callable[[int], None]:
        def work(turn: int) -> None:
            stream = archive.create(f"short/{name}/{turn}")
            fill(stream, 0, 50)
            archive.insert({stream: (1, 1.0), streams[0]: (1, 1.0)})
            stream.update(annotations={"turn": str(turn)})
            if turn % 2:
                stream.flush()
            assert stream.count() == 51
            stream.obliterate()
            with pytest.raises(NoSuchStream):
                stream.insert(1, 1.0)
            with pytest.raises(NoSuchStream):
                stream.count()

        return work

    def write(turn: int) -> None:
        archive.insert_columns(np.arange(STREAMS), np.full(STREAMS, turn), np.ones(STREAMS), streams)

    def look(_: int) -> None:
        for stream in archive.streams("short/"):
            try:
                assert stream.count() <= 51
                assert stream.annotations.get("turn", "0").isdigit()
            except NoSuchStream:
                continue
        with archive.snapshot() as snapshot:
            assert len(snapshot.streams()) >= STREAMS

    crew.repeat("one", live_and_die("one"))
    crew.repeat("another", live_and_die("another"))
    crew.repeat("write", write)
    crew.repeat("look", look)
    crew.work()
    assert archive.collections("short/") == []
    assert list(archive.check()) == []


def test_an_obliterated_stream_in_a_batch_stores_nothing_of_it(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    """A batch over a stream that is just obliterated is refused as a whole, or stored as a whole before."""
    stored = [0]

    def kill(turn: int) -> None:
        stream = archive.create(f"victim/{turn}")
        killer = threading.Thread(target=stream.obliterate)
        killer.start()
        try:
            for _ in range(20):
                archive.insert({streams[0]: (turn, 1.0), stream: (turn, 1.0)})
                stored[0] += 1
        except NoSuchStream:
            pass
        killer.join()

    crew.repeat("kill", kill)
    crew.work()
    assert streams[0].count() == stored[0]


def test_closing_while_others_write_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    for round_ in range(12):
        acknowledged = [0] * 4
        archive = otrdb.open(tmp_path / "a.otr", durability=["sync", "off"][round_ % 2], journal=1 << 20)
        streams = [archive.create(f"round/{round_}/{number}") for number in range(4)]

        def write(number: int, streams: Any = streams, acknowledged: list[int] = acknowledged) -> None:
            with _until_closed():
                while True:
                    fill(streams[number], acknowledged[number], 1)
                    acknowledged[number] += 1

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.02 + 0.01 * round_)
        archive.close()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        with otrdb.open(tmp_path / "a.otr") as archive:
            found = [archive.stream(f"round/{round_}/{number}").count() for number in range(4)]
            assert found == acknowledged
            assert list(archive.check(deep=False)) == []


@contextmanager
def _until_closed() -> Iterator[None]:
    with pytest.raises(ClosedArchive):
        yield


def test_pending_counts_are_right_in_the_end(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    def write(turn: int) -> None:
        fill(streams[turn % STREAMS], turn, 1 + turn % 30)

    def wide(turn: int) -> None:
        archive.insert_columns(np.arange(STREAMS), np.full(STREAMS, turn), np.ones(STREAMS), streams)

    def flush(turn: int) -> None:
        streams[turn % STREAMS].flush()

    for work in (write, wide, flush):
        crew.repeat(work.__name__, work)
    crew.work()
    pending = core_of(archive).pending
    assert pending.points == pending.counts.sum() >= 0
    archive.flush()
    assert pending.points == 0
    assert not pending.counts.any()
    assert archive.stats()["pending_points"] == 0


def test_a_snapshot_held_long_stays_what_it_was(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    for number, stream in enumerate(streams):
        fill(stream, 0, 100 + number)
    with archive.snapshot() as held:

        def write(turn: int) -> None:
            fill(streams[turn % STREAMS], 3 * turn, 2)

        def delete(turn: int) -> None:
            streams[turn % STREAMS].delete(0, 50 * SECOND)
            time.sleep(0.002)

        def look(turn: int) -> None:
            number = turn % STREAMS
            assert held.view(streams[number]).count() == 100 + number

        for work in (write, delete, look):
            crew.repeat(work.__name__, work)
        crew.work(SECONDS / 2)
        assert [held.view(stream).count() for stream in streams] == [100 + n for n in range(STREAMS)]


def test_an_expired_or_unknown_version_is_no_crash_under_load(
    archive: Archive, streams: tuple[Stream, ...], crew: Crew
) -> None:
    def ask(turn: int) -> None:
        version = streams[0].version
        with pytest.raises(VersionNotAvailable):
            streams[0].at(version + 100_000 + turn)

    def write(turn: int) -> None:
        fill(streams[0], turn, 1)

    crew.repeat("ask", ask)
    crew.repeat("write", write)
    crew.work(SECONDS / 3)
