"""Thinning in an archive: what the rule says goes, nothing acknowledged is stranded, and the rest stays."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest

import otrdb
from otrdb import tree
from otrdb.engine import commit
from otrdb.errors import Damaged, InvalidPointWidth, Thinned
from otrdb.model import MAX_TIME, MIN_TIME, Kind
from otrdb.results import ALL_COLUMNS
from otrdb.storage.blocks import HEADER_BYTES
from otrdb.testing.medium import FaultyMedium, nothing
from otrdb.testing.operations import create_all
from otrdb.testing.power_cuts import opened
from tests.engine.support import SECOND, core_of, flip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb import Archive, Stream

INTERVAL = 1 << 44
"""What is thinned as a whole, with windows of 69 s: 4.9 h."""

T0 = 1_700_000_000 * SECOND >> 45 << 45
DAYS = 5
OLD = T0 + DAYS * 86_400 * SECOND
"""Points before this are thinned by `thin`."""

BORDER = OLD >> 45 << 45
"""The leaves of `fill` hold two such intervals."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with otrdb.open(tmp_path / "a.otr") as archive:
        yield archive


def fill(stream: Stream, days: float = 7, start: int = T0) -> tuple[Any, Any]:
    """Points every 4 s: 17 to a window of 69 s, 4,398 to an interval."""
    times = start + 4 * SECOND * np.arange(int(days * 21_600))
    values = (np.arange(len(times)) * 7919 % 1_009).astype(stream.kind.dtype)
    stream.insert(times, values)
    return times, values


def thin(archive: Archive, before: int = OLD, *, dry_run: bool = False) -> list[otrdb.Expiry]:
    """Thin what lies before a time, by a rule of the archive."""
    archive.set_thinning(1)
    return archive.expire(now=before + 1, dry_run=dry_run)


def thinned(archive: Archive, days: float = 7) -> Stream:
    stream = archive.create("plant")
    fill(stream, days)
    assert thin(archive)
    return stream


def prune(archive: Archive) -> None:
    """Let go of all versions but the latest ones."""
    archive.set_thinning(None)
    archive.set_history("1ns,1ns,1ns")
    archive.expire()


def windows(reads: Any, pointwidth: int = 36) -> dict[str, list[Any]]:
    columns = reads.aligned_windows(MIN_TIME, MAX_TIME, pointwidth, columns=ALL_COLUMNS).to_numpy()
    return {name: column.tolist() for name, column in columns.items()}


@pytest.mark.parametrize("kind", Kind)
def test_expiry_thins_what_a_dry_run_says_and_answers_as_before(archive: Archive, kind: Kind) -> None:
    stream = archive.create("plant", kind=kind)
    times, values = fill(stream)
    before, version = windows(stream), stream.version
    promised = thin(archive, dry_run=True)
    assert stream.version == version
    assert thin(archive) == promised
    (expiry,) = promised
    assert (expiry.stream, expiry.before, expiry.pointwidth, expiry.snapshots) == (stream.uuid, OLD, 36, ())
    assert expiry.points == (times < BORDER).sum()
    assert stream.version > version
    assert stream.changes(version) == []
    after = windows(stream)
    for name in ("time", "count", "min", "max", "first", "last"):
        assert after[name] == before[name]
    assert np.allclose(after["mean"], before["mean"], rtol=0, atol=1e-9)
    assert np.allclose(after["stddev"], before["stddev"], rtol=0, atol=1e-9)
    if kind is not Kind.FLOAT:
        assert after["sum"] == before["sum"]
    assert stream.values(BORDER).to_numpy()[1].tobytes() == values[times >= BORDER].tobytes()
    assert stream.at(version).values().to_numpy()[0].tobytes() == times.tobytes()
    assert stream.count() == len(times)
    assert thin(archive) == []
    assert list(archive.check(deep=True)) == []


def test_the_bytes_promised_fall_away(archive: Archive) -> None:
    stream = archive.create("plant")
    fill(stream, 30)
    archive.flush()
    dead = archive.stats()["dead_bytes"]
    (expiry,) = thin(archive, T0 + 28 * 86_400 * SECOND)
    assert 0 < expiry.bytes <= archive.stats()["dead_bytes"] - dead
    prune(archive)
    size = archive.stats()["segment_bytes"]
    archive.compact()
    assert archive.stats()["segment_bytes"] < 0.75 * size


def test_a_lot_is_thinned_in_several_commits(archive: Archive) -> None:
    stream = archive.create("plant")
    fill(stream)
    version = stream.version
    with patch.object(commit, "THINNED_AT_ONCE", 3), patch("otrdb.engine.engine.THINNED_AT_ONCE", 3):
        (expiry,) = thin(archive)
    assert expiry.points > 0
    assert stream.version > version + 1
    assert thin(archive) == []


def refused(act: Callable[[], object]) -> Thinned:
    with pytest.raises(Thinned) as refusal:
        act()
    return refusal.value


def test_what_needs_the_points_is_refused(archive: Archive) -> None:
    stream = thinned(archive)
    error = refused(lambda: stream.values(T0 + INTERVAL // 2))
    assert (error.start, error.pointwidth) == (T0 + INTERVAL // 2, 36)
    for act in (
        stream.values,
        stream.earliest,
        lambda: stream.nearest(T0 + 5),
        lambda: stream.nearest(BORDER, backward=True),
        lambda: stream.count(T0 + 1, MAX_TIME),
        lambda: stream.windows(T0, BORDER, "1min"),
        lambda: stream.aligned_windows(T0, BORDER, 35),
        lambda: archive.values([stream]),
        lambda: stream.delete(T0, T0 + 1),
    ):
        refused(act)
    assert stream.latest() is not None
    assert stream.nearest(BORDER) is not None
    assert stream.count(T0, BORDER) == (BORDER - T0 + 4 * SECOND - 1) // (4 * SECOND)
    assert len(stream.windows(T0, BORDER, 1 << 36)) == (BORDER - T0) >> 36


def test_zoom_shows_what_is_left(archive: Archive) -> None:
    stream = thinned(archive)
    assert stream.zoom(points=100_000).width == 1 << 36
    assert int(stream.zoom(points=100_000).count.sum()) == stream.count()
    assert stream.zoom(T0 + 1, T0 + 10, points=5).count.tolist() == [18]
    assert stream.zoom(BORDER, BORDER + 1_000, points=10).width < 1_000


@pytest.mark.parametrize("merge", ["never", "equal", "retain", "replace"])
def test_points_for_thinned_times_are_refused_and_nothing_of_their_batch_is_stored(
    archive: Archive, merge: Any
) -> None:
    other, stream = archive.create("other"), thinned(archive)
    before = (other.count(), stream.count(), archive.stats()["pending_points"])
    late, large = T0 + 5, T0 + SECOND * np.arange(40_000)
    spread = np.array([BORDER + 1, late])
    streams = (other, stream)
    for act in (
        lambda: stream.insert(late, 1.0, merge=merge),
        lambda: stream.insert(spread, [1.0, 2.0], merge=merge),
        lambda: stream.insert(large, np.zeros(40_000), merge=merge),
        lambda: archive.insert({other: (late, 1.0), stream: (late, 1.0)}, merge=merge),
        lambda: archive.insert({other: (large, np.zeros(40_000)), stream: (late, 1.0)}, merge=merge),
        lambda: archive.insert_columns([0, 1], [late, late], [1.0, 1.0], streams, merge=merge),
        lambda: archive.insert_columns(np.arange(40_000) % 2, large, np.zeros(40_000), streams, merge=merge),
    ):
        error = refused(act)
        assert error.start <= late < error.end
        assert (other.count(), stream.count(), archive.stats()["pending_points"]) == before
    assert list(archive.check()) == []


def test_older_and_newer_points_are_taken_where_nothing_is_thinned(archive: Archive) -> None:
    other, stream = archive.create("other"), thinned(archive)
    count = stream.count()
    stream.insert([T0 - 1, BORDER + 1], [1.0, 2.0])
    stream.insert(T0 - INTERVAL + SECOND * np.arange(100), np.ones(100))
    archive.insert({stream: (T0 - 7, 1.0), other: (T0 + 5, 1.0)})
    archive.insert_columns([0, 1, 1], [T0 - 9, T0 + 9, T0 - 9], [1.0, 1.0, 1.0], (stream, other))
    stream.insert(T0 - 2 * INTERVAL + np.arange(20_000), np.ones(20_000))
    assert stream.count() == count + 20_104
    archive.flush()
    assert stream.count(MIN_TIME, T0) == 20_103
    assert len(stream.values(MIN_TIME, T0)) == 20_103
    assert list(archive.check(deep=True)) == []


def test_pending_points_are_committed_before_their_times_are_thinned(archive: Archive) -> None:
    stream = thinned(archive)
    old = T0 - INTERVAL
    stream.insert(old + SECOND * np.arange(9_000), np.ones(9_000))
    stream.insert(BORDER + 1, 3.0)
    assert archive.stats()["pending_points"] > 0
    (expiry,) = thin(archive)
    assert expiry.points == 9_000
    assert stream.count(old, T0) == 9_000
    refused(lambda: stream.insert(old, 1.0))
    archive.flush()
    assert list(archive.check(deep=True)) == []


def test_points_that_come_while_others_are_thinned(archive: Archive) -> None:
    """New ones are taken at once; late ones wait and are refused: none is acknowledged and then stranded."""
    stream = archive.create("plant")
    times, _ = fill(stream)
    outcome: list[object] = []
    threads: list[threading.Thread] = []

    def insert_late() -> None:
        try:
            outcome.append(stream.insert(T0 + 3, 1.0))
        except Thinned as error:
            outcome.append(error)

    def insert_new() -> None:
        stream.insert(OLD + 3, 1.0)

    real = tree.thin

    def thin_slowly(*arguments: Any) -> Any:
        for target in (insert_late, insert_new):
            threads.append(threading.Thread(target=target))
            threads[-1].start()
        threads[1].join()
        return real(*arguments)

    with patch.object(commit, "thin", thin_slowly):
        thin(archive)
    threads[0].join()
    assert isinstance(outcome[0], Thinned)
    assert stream.count() == len(times) + 1
    archive.flush()
    assert list(archive.check(deep=True)) == []


def test_a_late_point_that_comes_before_a_thinning_is_in_its_statistics(archive: Archive) -> None:
    stream = archive.create("plant")
    fill(stream)
    real = core_of(archive).rules.bar

    def bar(*arguments: Any) -> Any:
        stream.insert(T0 + 3, 1.0)  # by the same thread: it holds what others would wait for
        return real(*arguments)

    with patch.object(core_of(archive).rules, "bar", bar):
        thin(archive)
    assert stream.count(T0, T0 + (1 << 36)) == 19
    refused(lambda: stream.values(T0, T0 + 9))


def test_whole_windows_can_be_deleted(archive: Archive) -> None:
    stream = thinned(archive)
    count, window = stream.count(), 1 << 36
    version = stream.version
    stream.delete(T0 + window, T0 + 3 * window)
    assert stream.count() == count - stream.at(version).count(T0 + window, T0 + 3 * window)
    assert [(change.start, change.end) for change in stream.changes(version)] == [(T0, T0 + INTERVAL)]
    refused(lambda: stream.insert(T0 + window, 1.0))
    stream.delete(T0, T0 + INTERVAL)
    stream.insert(T0 + window, 1.0)
    assert stream.count(T0, T0 + INTERVAL) == 1
    assert list(archive.check(deep=True)) == []


def test_retention_drops_what_was_thinned(archive: Archive) -> None:
    stream = thinned(archive)
    archive.set_retention(1)
    count = stream.count()
    (expiry,) = archive.expire(now=T0 + (5 << 36) + 7)
    assert expiry.before == T0 + (5 << 36)
    assert expiry.points == count - stream.count() > 0
    assert stream.zoom().time[0] == T0 + (5 << 36) >> 36 << 36 or stream.zoom().width > 1 << 36
    assert list(archive.check(deep=True)) == []


def test_retention_goes_before_thinning(archive: Archive) -> None:
    stream = archive.create("plant")
    fill(stream)
    archive.set_retention(BORDER - T0 - 2 * INTERVAL)
    archive.set_thinning(1)
    promised = archive.expire(now=BORDER + 1, dry_run=True)
    assert archive.expire(now=BORDER + 1) == promised
    assert [expiry.pointwidth for expiry in promised] == [None, 36]
    assert stream.count() == 7 * 21_600 - promised[0].points
    assert promised[1].points == stream.count(promised[0].before + INTERVAL >> 45 << 45, BORDER)


def test_named_snapshots_hold_the_points(archive: Archive) -> None:
    stream = archive.create("plant")
    fill(stream)
    archive.snapshot("audit")
    (expiry,) = thin(archive)
    assert expiry.snapshots == ("audit",)
    archive.snapshot("later")
    with archive.open_snapshot("audit") as audit, archive.open_snapshot("later") as later:
        assert len(audit.view(stream).values()) == stream.count()
        refused(later.view(stream).values)
    archive.set_retention(1)
    (expiry,) = archive.expire(now=OLD, dry_run=True)
    assert expiry.snapshots == ("audit", "later")


def test_views_and_marks_from_before_keep_the_points(archive: Archive) -> None:
    stream = archive.create("plant")
    times, _ = fill(stream)
    stream.insert(times[0] + 1, 5.0)
    with archive.snapshot() as moment:
        mark = stream.version
        thin(archive)
        stream.insert(BORDER + 1, 1.0)
        assert len(moment.view(stream).values()) == len(stream.at(mark).values()) == len(times) + 1
    assert stream.count() == len(times) + 2


def test_what_was_thinned_is_so_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        uuid = thinned(archive).uuid
        rules = archive.rules()
        assert [(rule.key, rule.value) for rule in rules] == [("thin", "1ns,36")]
    for _ in range(2):  # by the catalog, then by the segments alone
        with otrdb.open(path) as archive:
            stream = archive.stream(uuid)
            assert archive.rules() == rules
            refused(partial(stream.insert, T0 + 5, 1.0))
            stream.insert(T0 - 5, 1.0)
        (path / "catalog.sqlite").unlink()
    with otrdb.open(path, mode="r") as archive:
        assert archive.stream(uuid).count(T0 - 10, T0) == 2
        refused(archive.stream(uuid).values)


def test_compaction_says_again_what_was_thinned(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = thinned(archive, 5)
        prune(archive)
        before = windows(stream)
        assert archive.compact().segments == 1
        assert windows(stream) == before
        assert list(archive.check(deep=True)) == []
    (path / "catalog.sqlite").unlink()
    with otrdb.open(path) as archive:
        stream = archive.stream(stream.uuid)
        assert windows(stream) == before
        refused(lambda: stream.insert(T0 + 5, 1.0))
        assert list(archive.check(deep=True)) == []


def test_a_reader_follows(tmp_path: Path) -> None:
    with otrdb.open(tmp_path) as writer, otrdb.open(tmp_path, mode="r") as reader:
        stream = writer.create("plant")
        fill(stream)
        stream.insert(BORDER + 1, 1.0)
        mirrored = reader.stream(stream.uuid)
        assert len(mirrored.values()) == stream.count()
        thin(writer)
        stream.insert(BORDER + 2, 1.0)
        refused(mirrored.values)
        assert mirrored.count() == stream.count()
        assert windows(mirrored) == windows(stream)


def test_a_backup_holds_what_was_thinned(archive: Archive, tmp_path: Path) -> None:
    stream = thinned(archive)
    archive.backup(tmp_path / "backup")
    otrdb.restore(tmp_path / "backup", tmp_path / "again.otr")
    with otrdb.open(tmp_path / "again.otr") as again:
        copy = again.stream(stream.uuid)
        assert windows(copy) == windows(stream)
        refused(lambda: copy.insert(T0 + 5, 1.0))
        assert list(again.check(deep=True)) == []
    error = refused(lambda: otrdb.restore(tmp_path / "backup", tmp_path / "one.otr", streams=[stream.uuid]))
    assert "Restore everything" in str(error)
    assert not (tmp_path / "one.otr").exists()


def test_an_obliterated_stream_is_not_thinned(archive: Archive) -> None:
    stream = thinned(archive)
    stream.obliterate()
    assert thin(archive, OLD + 2 * INTERVAL) == []


def test_a_slow_stream_stays_as_it_came(archive: Archive) -> None:
    stream = archive.create("slow")
    times = T0 + 60 * SECOND * np.arange(5 * 1_440)
    stream.insert(times, np.ones(len(times)))
    assert thin(archive) == []
    assert len(stream.values()) == len(times)
    stream.insert(T0 + 1, 1.0)
    assert stream.count() == len(times) + 1


def test_the_most_specific_rule_holds_and_forever_keeps_points(archive: Archive) -> None:
    streams = [archive.create(f"plant/{name}") for name in "abc"]
    for stream in streams:
        fill(stream)
    archive.set_thinning(1, prefix="plant/")
    archive.set_thinning("forever", prefix="plant/b")
    archive.set_thinning(1, pointwidth=40, stream=streams[2])
    found = {expiry.stream: expiry.pointwidth for expiry in archive.expire(now=OLD + 1)}
    assert found == {streams[0].uuid: 36, streams[2].uuid: 40}
    archive.set_thinning(None, prefix="plant/")
    assert archive.expire(now=OLD + 10 * INTERVAL) == []


@pytest.mark.parametrize(
    ("pointwidth", "advice"),
    [(37, "36 or 40"), (15, "16"), (3, "16"), (53, "52"), (62, "52"), (38, "36 or 40")],
)
def test_widths_that_are_none_of_the_tree_are_refused(archive: Archive, pointwidth: int, advice: str) -> None:
    with pytest.raises(InvalidPointWidth, match=f"Take {advice}\\."):
        archive.set_thinning("1d", pointwidth=pointwidth)
    assert archive.rules() == []


@pytest.mark.parametrize("pointwidth", [36.0, "36", None, True, -4, 64])
def test_what_is_no_pointwidth_is_refused(archive: Archive, pointwidth: Any) -> None:
    with pytest.raises(InvalidPointWidth):
        archive.set_thinning("1d", pointwidth=pointwidth)
    assert archive.rules() == []


@pytest.mark.parametrize("age", [0, -1, "soon"])
def test_what_is_no_age_is_refused(archive: Archive, age: Any) -> None:
    with pytest.raises(InvalidPointWidth):
        archive.set_thinning(age)


def test_a_thinning_is_durable_when_it_returns() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        create_all(archive, [0])
        stream = archive.streams()[0]
        fill(stream)
        thin(archive)
        before = windows(stream)
        crashed = medium.crash(nothing)
    with opened(crashed) as archive:
        stream = archive.streams()[0]
        assert windows(stream) == before
        refused(lambda: stream.insert(T0 + 5, 1.0))


def test_points_pending_at_a_crash_after_a_thinning_are_replayed(tmp_path: Path) -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        create_all(archive, [0])
        stream = archive.streams()[0]
        times, _ = fill(stream)
        stream.insert(T0 + 1, 1.0)
        thin(archive)
        stream.insert(T0 - 1, 1.0)
        stream.insert(BORDER + 1, 1.0)
        crashed = medium.crash(nothing)
    with opened(crashed) as archive:
        stream = archive.streams()[0]
        assert stream.count() == len(times) + 3
        archive.flush()
        assert stream.count(T0 - 1, T0) == 1
        assert list(archive.check(deep=True)) == []


def statistics_blocks(stream: Stream) -> list[tree.Address]:
    """Where the statistics of a stream's thinned times are written."""
    found, waiting = [], [root_of(stream)]
    while waiting:
        for child in waiting.pop(0).children:
            if child.kind == tree.ChildKind.NODE:
                waiting.append(stream.state.source.node(child))
            elif child.kind == tree.ChildKind.THINNED and child.address is not None:
                found.append(child.address)
    return found


def root_of(stream: Stream) -> tree.Node:
    return stream.engine.latest(stream.state).root


def test_damaged_statistics_are_told_and_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = thinned(archive)
        before, uuid = windows(stream)["time"], stream.uuid
        _, offset, _, _ = statistics_blocks(stream)[0]
    flip(next(path.glob("*.otr")), offset + HEADER_BYTES + 20)
    with otrdb.open(path) as archive:
        stream = archive.stream(uuid)
        with pytest.raises(Damaged) as damage:
            windows(stream)
        assert (damage.value.stream, damage.value.start, damage.value.end) == (uuid, T0, T0 + INTERVAL)
        sound = stream.leaving_out_damage()
        assert windows(sound)["time"] == [time for time in before if time >= T0 + INTERVAL]
        assert [(each.start, each.end) for each in sound.left_out] == [(T0, T0 + INTERVAL)]
        findings = list(archive.check())
        assert {(each.stream, each.start) for each in findings if each.start is not None} == {(uuid, T0)}
        stream.insert(OLD + 1, 1.0)
        assert stream.latest() is not None


def lose_the_thinning(path: Path) -> None:
    """Break the record of the group that thinned, and remove the catalog, which has it."""
    segment = next(path.glob("*.otr"))
    flip(segment, segment.read_bytes().index(b"thinned"))
    (path / "catalog.sqlite").unlink()


def test_late_points_are_refused_also_where_the_group_that_thinned_is_lost(tmp_path: Path) -> None:
    """A later commit has the tree. Were they acknowledged, nothing of the stream could be read any more."""
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        other, stream = archive.create("other"), thinned(archive)
        stream.insert(OLD + 3, 1.0)
        stream.flush()
        before = windows(stream)
    lose_the_thinning(path)
    for _ in range(2):  # when the loss is met, and by the catalog that was made then
        with otrdb.open(path) as archive:
            other, stream = archive.stream(other.uuid), archive.stream(stream.uuid)
            refused(partial(stream.insert, T0 + 5, 1.0))
            refused(partial(archive.insert, {other: (T0 + 5, 1.0), stream: (T0 + 5, 1.0)}))
            assert windows(stream) == before
            assert other.count() == 0
    otrdb.repair(path)
    with otrdb.open(path) as archive:
        refused(partial(archive.stream(stream.uuid).insert, T0 + 5, 1.0))
        assert windows(archive.stream(stream.uuid)) == before


def test_without_room_to_say_so_late_points_are_refused_all_the_same(tmp_path: Path) -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        create_all(archive, [0])
        stream = archive.streams()[0]
        fill(stream)
        thin(archive)
        stream.insert(OLD + 3, 1.0)
        stream.flush()
    name = "segment-00000001.otr"
    medium.flip(name, medium.contents()[name].index(b"thinned"), 0)
    medium.capacity = medium.used
    with opened(medium) as archive:
        medium.capacity = None
        refused(lambda: archive.streams()[0].insert(T0 + 5, 1.0))


def leaves_before(stream: Stream, time: int) -> list[tree.Address]:
    """The blocks of the plain leaves that begin before a time."""
    found, waiting = list[tree.Address](), [root_of(stream)]
    while waiting:
        node = waiting.pop(0)
        for child in node.children:
            if child.kind == tree.ChildKind.NODE:
                waiting.append(stream.state.source.node(child))
            elif child.kind == tree.ChildKind.LEAF and node.child_start(child) < time:
                assert child.address is not None
                found.append(child.address)
    return found


def test_a_wider_view_lacks_nothing_that_only_a_finer_one_would_need(tmp_path: Path) -> None:
    """A view of raw and thinned times gets as wide as it must be; a damaged page is in nobody's way then."""
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = thinned(archive)
        stream.insert(T0 - 2 * INTERVAL + SECOND // 10 * np.arange(100_000), np.zeros(100_000))
        stream.flush()
        asked = (T0 - 2 * INTERVAL, T0 + INTERVAL, 1 << 23)
        before = stream.zoom(*asked)
        _, offset, length, _ = leaves_before(stream, T0)[1]
    flip(next(path.glob("*.otr")), offset + HEADER_BYTES + length - 1)
    with otrdb.open(path) as archive:
        sound = archive.stream(stream.uuid).leaving_out_damage()
        assert sound.values(T0 - 2 * INTERVAL, T0).left_out
        found = sound.zoom(*asked)
        assert (found.width, found.time.tolist()) == (before.width, before.time.tolist())
        assert found.left_out == ()


def test_a_view_that_begins_with_what_was_thinned_tells_of_damage_before_that(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = thinned(archive)
        stream.insert(T0 - 2 * INTERVAL + SECOND * np.arange(300), np.zeros(300))
        stream.flush()
        [(_, offset, _, _)] = leaves_before(stream, T0)
    flip(next(path.glob("*.otr")), offset + HEADER_BYTES + 20)
    with otrdb.open(path) as archive:
        found = archive.stream(stream.uuid).leaving_out_damage().zoom()
        assert found.time[0] >= T0
        [gap] = found.left_out
        assert gap.start <= T0 - 2 * INTERVAL < gap.end <= T0
