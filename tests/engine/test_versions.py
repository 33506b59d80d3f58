"""Versions: committed ones and marks stay what they were, numbers only grow and are never used twice."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otrdb
from otrdb.engine import commit, engine, marks
from otrdb.engine.history import DAY, HOUR, History
from otrdb.engine.marks import MARK_BYTES, MARK_SECONDS
from otrdb.engine.versions import Committed
from otrdb.errors import InvalidVersions, VersionNotAvailable
from otrdb.model import FIRST_VERSION
from otrdb.testing.medium import FaultyMedium, everything, nothing
from otrdb.testing.power_cuts import opened
from tests.engine.support import SECOND, core_of, engine_of, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb import Archive, Stream


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with otrdb.open(tmp_path / "a.otr") as archive:
        yield archive


@pytest.fixture
def stream(archive: Archive) -> Stream:
    return archive.create("plant")


class Clock:
    """Stands for the module `time` and for `now_ns`."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.wall = 1_700_000_000 * SECOND

    def monotonic(self) -> float:
        return self.seconds

    def now_ns(self) -> int:
        return self.wall


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(engine, "time", clock)
    monkeypatch.setattr(marks, "time", clock)
    monkeypatch.setattr(engine, "now_ns", clock.now_ns)
    monkeypatch.setattr(commit, "now_ns", clock.now_ns)
    return clock


# --- marks


def test_every_mark_keeps_its_own_state(stream: Stream) -> None:
    made = []
    for count in range(1, 6):
        fill(stream, count, 1)
        made.append((stream.version, count))
    stream.flush()
    fill(stream, 100, 7)
    assert [stream.at(mark).count() for mark, _ in made] == [count for _, count in made]
    assert all(older < newer for older, newer in pairwise(mark for mark, _ in made))


def test_a_mark_of_the_same_state_is_the_same(stream: Stream) -> None:
    fill(stream, 0, 3)
    assert stream.version == stream.version
    stream.flush()
    assert stream.version == stream.flush()


def test_a_mark_expires_and_another_does_not(clock: Clock, stream: Stream) -> None:
    fill(stream, 0, 1)
    first = stream.version
    clock.seconds += MARK_SECONDS / 2
    fill(stream, 1, 1)
    second = stream.version
    clock.seconds += MARK_SECONDS / 2
    with pytest.raises(VersionNotAvailable) as raised:
        stream.at(first)
    assert raised.value.code == "OTR-4500"
    assert raised.value.advice
    assert stream.at(second).count() == 2
    clock.seconds += MARK_SECONDS / 2
    with pytest.raises(VersionNotAvailable):
        stream.at(second)
    assert stream.version > second


def test_asking_again_renews_a_mark(clock: Clock, stream: Stream) -> None:
    fill(stream, 0, 1)
    mark = stream.version
    for _ in range(3):
        clock.seconds += MARK_SECONDS * 0.9
        assert stream.version == mark
    assert stream.at(mark).count() == 1


def test_an_expired_mark_is_let_go(clock: Clock, stream: Stream) -> None:
    for second in range(50):
        fill(stream, second, 1)
        assert stream.version
        clock.seconds += MARK_SECONDS / 10
    assert len(stream.state.marks) <= 11


def test_marks_take_no_more_memory_than_they_are_given(
    clock: Clock, archive: Archive, stream: Stream
) -> None:
    """A live stream that is asked by version again and again makes a mark each time."""
    marks = archive._engine.core.marks
    marks._budget = 100 * MARK_BYTES
    made = []
    for second in range(250):
        fill(stream, second, 1)
        made.append(stream.version)
        clock.seconds += 0.01
    assert len(stream.state.marks) == 100
    assert marks.memory == 100 * MARK_BYTES
    assert stream.at(made[-100]).count() == 151
    with pytest.raises(VersionNotAvailable):
        stream.at(made[-101])


def test_a_mark_that_is_asked_for_all_the_time_takes_the_memory_of_few(clock: Clock, stream: Stream) -> None:
    fill(stream, 0, 1)
    mark = stream.version
    for _ in range(10_000):
        clock.seconds += 1
        assert stream.version == mark
    assert stream.engine.core.marks.memory <= 20 * MARK_BYTES
    assert stream.at(mark).count() == 1


def test_a_view_of_a_mark_outlives_the_mark(clock: Clock, stream: Stream) -> None:
    fill(stream, 0, 3)
    view = stream.at(stream.version)
    clock.seconds += 2 * MARK_SECONDS
    stream.delete(0, SECOND * 10)
    assert view.count() == 3
    assert view.values().times.tolist() == [0, SECOND, 2 * SECOND]


def test_a_mark_waits_for_the_commit_that_is_under_way(
    archive: Archive, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its number would be larger than the commit's, and its state older."""
    fill(stream, 0, 3)
    begun, go_on = threading.Event(), threading.Event()
    real = commit.Committer._write

    def slowly(*given: Any, **named: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return real(*given, **named)

    monkeypatch.setattr(commit.Committer, "_write", slowly)
    flushing = threading.Thread(target=stream.delete, args=(0, 2 * SECOND))
    flushing.start()
    assert begun.wait(10)
    fill(stream, 10, 1)
    asked: list[int] = []
    asking = threading.Thread(target=lambda: asked.append(stream.version))
    asking.start()
    asking.join(0.05)
    assert asking.is_alive()
    assert stream.count() == 4  # readers do not wait
    go_on.set()
    flushing.join(10)
    asking.join(10)
    assert asked[0] > stream.state.committed.version
    assert stream.at(asked[0]).count() == 2


# --- committed versions


def test_versions_up_to_the_first_are_empty(stream: Stream) -> None:
    fill(stream, 0, 5)
    stream.flush()
    for version in range(1, FIRST_VERSION + 1):
        view = stream.at(version)
        assert (view.version, view.count(), len(view.values())) == (version, 0, 0)


def test_a_version_that_was_not_made_yet_is_refused(stream: Stream) -> None:
    fill(stream, 0, 5)
    with pytest.raises(VersionNotAvailable):
        stream.at(stream.flush() + 1)
    with pytest.raises(VersionNotAvailable):
        stream.changes(FIRST_VERSION, 1_000)
    with pytest.raises(InvalidVersions):
        stream.at(-1)


def test_each_commit_adds_one(stream: Stream) -> None:
    for version in range(FIRST_VERSION + 1, FIRST_VERSION + 5):
        fill(stream, version, 1)
        assert stream.flush() == version
    assert stream.delete(0, 1) == version + 1
    fill(stream, 100, 1)
    assert stream.delete(0, 1) == version + 3


def test_as_of_finds_what_was_committed_then(clock: Clock, stream: Stream) -> None:
    moments = []
    for number in range(5):
        clock.wall += 60 * SECOND
        fill(stream, number, 1)
        moments.append((clock.wall, stream.flush(), number + 1))
    clock.wall += 60 * SECOND
    for moment, version, count in moments:
        for time_ in (moment, moment + 59 * SECOND):
            assert (stream.as_of(time_).version, stream.as_of(time_).count()) == (version, count)
    before = stream.as_of(moments[0][0] - 1)
    assert (before.version, before.count()) == (FIRST_VERSION, 0)


def test_as_of_now_includes_what_is_pending(stream: Stream) -> None:
    fill(stream, 0, 4)
    assert stream.as_of(time.time_ns() + 3600 * SECOND).count() == 4


# --- history


def committed_every(clock: Clock, stream: Stream, step: int, number: int) -> set[int]:
    """Commit again and again; the versions that must be left, history being thinned at every commit."""
    left: list[tuple[int, int]] = []
    for count in range(number):
        clock.wall += step
        fill(stream, count, 1)
        left.append((clock.wall, stream.flush()))
        kept = kept_by_rule(left, clock.wall)
        left = [each for each in left if each[1] in kept]
    return {version for _, version in left}


def available(stream: Stream) -> set[int]:
    """The versions above the first that can be asked for."""
    found = set()
    for version in range(FIRST_VERSION + 1, stream.version + 1):
        with suppress(VersionNotAvailable):
            stream.at(version)
            found.add(version)
    return found


def kept_by_rule(made: list[tuple[int, int]], now: int) -> set[int]:
    """All of the last hour, the newest of each hour of the last day, and of each day of the last seven."""
    kept: dict[Any, int] = {}
    for moment, version in made:
        age = now - moment
        if age < HOUR:
            kept[version] = version
        elif age < DAY:
            kept["hour", moment // HOUR] = version
        elif age < 7 * DAY:
            kept["day", moment // DAY] = version
    kept["latest"] = made[-1][1]
    return set(kept.values())


@pytest.mark.parametrize("step", [7 * 60 * SECOND, 40 * 60 * SECOND, 5 * HOUR])
def test_history_keeps_what_it_says(clock: Clock, archive: Archive, stream: Stream, step: int) -> None:
    left = committed_every(clock, stream, step, 60)
    assert available(stream) == left


def test_a_busy_stream_does_not_prune_at_every_commit(
    clock: Clock, archive: Archive, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    prunable = History.prunable

    def noted(self: History, *given: Any) -> list[int]:
        looks.append(clock.wall)
        return prunable(self, *given)

    monkeypatch.setattr(History, "prunable", noted)
    begin = clock.wall + SECOND
    committed_every(clock, stream, SECOND, 130)
    assert looks == [begin, begin + 60 * SECOND, begin + 120 * SECOND]
    clock.wall = begin - HOUR
    committed_every(clock, stream, SECOND, 1)
    assert looks[-1] == clock.wall  # a clock that was set back does not keep versions for ever


def test_what_was_pruned_stays_pruned(clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "b.otr"
    with otrdb.open(path) as archive:
        stream = archive.create("plant")
        committed_every(clock, stream, 20 * 60 * SECOND, 40)
        kept = available(stream)
    for catalog in (True, False):
        if not catalog:
            (path / "catalog.sqlite").unlink()
        with otrdb.open(path) as archive:
            assert available(archive.stream("plant")) == kept


def test_a_named_snapshot_keeps_its_versions(clock: Clock, archive: Archive, stream: Stream) -> None:
    fill(stream, 500, 3)
    archive.snapshot(name="early").close()
    version = stream.version
    committed_every(clock, stream, DAY, 20)
    with archive.open_snapshot("early") as early:
        assert early.view(stream).count() == 3
    assert stream.at(version).count() == 3
    archive.drop_snapshot("early")
    committed_every(clock, stream, DAY, 1)
    with pytest.raises(VersionNotAvailable):
        stream.at(version)


@given(
    ages=st.lists(st.integers(0, 9 * DAY), min_size=1, max_size=60),
    kept=st.sets(st.integers(11, 70)),
)
def test_pruning_never_takes_the_latest_or_a_kept_version(ages: list[int], kept: set[int]) -> None:
    now = 1_700_000_000 * SECOND
    moments = [now - age for age in sorted(ages, reverse=True)]
    versions = [Committed(11 + at, None, 0, moment) for at, moment in enumerate(moments)]
    pruned = set(History().prunable(versions, now, kept))
    assert not pruned & kept
    assert versions[-1].version not in pruned
    left = kept_by_rule([(version.time, version.version) for version in versions], now)
    numbers = {version.version for version in versions}
    assert numbers - pruned == left | (kept & numbers)


# --- numbers are never used twice

ACTIONS = ("insert", "ask", "flush", "delete", "free", "close", "die", "power cut")


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 1)), max_size=40),
    st.sampled_from(["sync", "off"]),
)
def test_a_number_never_stands_for_two_states(actions: list[tuple[str, int]], durability: str) -> None:
    """Over any number of sessions, however they end: a version told once never means something else."""
    medium = FaultyMedium()
    archive = opened(medium, durability)
    uuids = [archive.create(f"plant/{number}").uuid for number in range(2)]
    told: dict[tuple[int, int], list[int]] = {}
    newest = [0, 0]
    for turn, (action, number) in enumerate(actions):
        stream = archive.stream(uuids[number])
        if action == "insert":
            fill(stream, turn, 1)
        elif action == "free":
            engine_of(archive).pressure.relieve()
        elif action == "close":
            archive.close()
            archive = opened(medium, durability)
        elif action in ("die", "power cut"):
            medium = medium.crash(everything if action == "die" else nothing)
            archive = opened(medium, durability)
            if durability == "off" and action == "power cut":
                newest = [0, 0]  # points that were not synced are gone: back to the version without them
        else:
            version = _told(stream, action)
            content = stream.at(version).values().times.tolist()
            assert told.setdefault((number, version), content) == content
            assert version >= newest[number]
            newest[number] = version
    archive.close()


def _told(stream: Stream, action: str) -> int:
    if action == "ask":
        return stream.version
    return stream.flush() if action == "flush" else stream.delete(0, 5 * SECOND)


def test_marks_are_not_reused_after_a_clean_end_that_follows_an_unclean_one() -> None:
    medium = FaultyMedium()
    archive = opened(medium)
    stream = archive.create("plant")
    fill(stream, 0, 1)
    first = stream.version
    archive = opened(medium.crash(everything))
    archive.close()
    archive = opened(archive_medium(archive))
    stream = archive.stream("plant")
    fill(stream, 1, 1)
    assert stream.version > first
    archive.close()


def test_marks_are_not_reused_when_the_journal_of_earlier_sessions_is_given_up() -> None:
    """The epoch, which their numbers follow from, stands in the files that are freed."""
    medium = FaultyMedium()
    archive = opened(medium)
    stream = archive.create("plant")
    told: dict[int, int] = {}
    for turn in range(6):
        fill(stream, turn, 1)
        version = stream.version
        assert told.setdefault(version, turn) == turn
        assert version == max(told)
        medium = medium.crash(everything)
        archive = opened(medium)
        stream = archive.stream("plant")
        if turn % 2:
            stream.flush()
            engine_of(archive).pressure.relieve()
            medium = medium.crash(everything)
            archive = opened(medium)
            stream = archive.stream("plant")
    archive.close()


def archive_medium(archive: Archive) -> FaultyMedium:
    medium = core_of(archive).segments.medium
    assert isinstance(medium, FaultyMedium)
    return medium


# --- changes

EDITS = st.lists(
    st.tuples(st.sampled_from(("insert", "replace", "delete", "flush", "read")), st.integers(0, 40)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30)
@given(EDITS)
def test_changes_cover_what_differs_between_any_two_versions(edits: list[tuple[str, int]]) -> None:
    with opened(FaultyMedium()) as archive:
        stream = archive.create("plant")
        told = {10: np.empty(0, np.int64)}
        for turn, (edit, at) in enumerate(edits):
            _edit(stream, edit, at, float(turn))
            times, values = stream.values().to_numpy()
            told[stream.version] = (times << 4) + values.astype(np.int64)  # unique: a value for each turn
        for older, newer in combinations(sorted(told), 2):
            changed = np.setxor1d(told[older], told[newer]) >> 4
            borders = np.array(stream.changes(older, newer), np.int64).ravel()
            assert (np.diff(borders) > 0).all()
            assert (borders.searchsorted(changed, side="right") % 2 == 1).all()


def _edit(stream: Stream, edit: str, at: int, value: float) -> None:
    # Far apart, so that they lie in leaves of their own once there are enough of them.
    start = at * (1 << 57) // 16
    if edit == "insert":
        stream.insert(start + np.arange(6_000), np.full(6_000, value))
    elif edit == "replace":
        stream.insert(start, value, merge="replace")
    elif edit == "delete":
        stream.delete(start, start + 5)
    elif edit == "flush":
        stream.flush()
    else:
        assert stream.count() >= 0  # makes an overlay


def test_a_readers_marks_and_changes_follow_the_writer(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        written = archive.create("plant")
        fill(written, 0, 3)
        with otrdb.open(tmp_path / "a.otr", mode="r") as reader:
            stream = reader.stream("plant")
            first = stream.version
            assert stream.at(first).count() == 3
            written.delete(SECOND, 2 * SECOND)
            assert stream.version > first
            assert any(change.start <= SECOND < change.end for change in stream.changes(first))
            fill(written, 10, 1)
            assert stream.at(first).count() == 3
            assert stream.at(stream.version).count() == 3
            assert any(change.start <= 10 * SECOND < change.end for change in stream.changes(first))
