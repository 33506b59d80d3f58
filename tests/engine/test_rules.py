"""Rules: who is meant by which, that they last, and that upkeep drops what they say and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import otrdb
from otrdb.engine import commit, upkeep
from otrdb.engine.engine import Engine
from otrdb.engine.history import DAY, HOUR, History
from otrdb.engine.rules import HISTORY, RETENTION, Rules, scope_of
from otrdb.engine.upkeep import border
from otrdb.engine.versions import Committed
from otrdb.errors import DiskFull, InvalidArgument, InvalidPointWidth, ReadOnly, VersionNotAvailable
from otrdb.metadata import Metadata
from otrdb.model import MAX_TIME, MIN_TIME, Kind
from otrdb.testing.medium import FaultyMedium, everything, nothing
from otrdb.testing.operations import create_all
from otrdb.testing.power_cuts import opened
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb import Archive
    from otrdb.engine.state import StreamState

NOW = 1_700_000_000 * SECOND
ID = UUID(int=7)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with otrdb.open(tmp_path / "a.otr") as archive:
        yield archive


PREFIXES = st.sampled_from(["", "a", "a/", "a/b", "b"])


@given(
    st.dictionaries(PREFIXES, st.sampled_from(["1d", "2d", "forever"])),
    st.none() | st.sampled_from(["3d", "forever"]),
    st.sampled_from(["a", "a/b/c", "b", "c"]),
)
def test_the_most_specific_rule_holds(prefixes: dict[str, str], own: str | None, collection: str) -> None:
    rules = Rules()
    for prefix, age in prefixes.items():
        rules.put(scope_of(prefix, None), RETENTION, age)
    if own:
        rules.put(scope_of("", ID), RETENTION, own)
    fitting = sorted((prefix for prefix in prefixes if collection.startswith(prefix)), key=len)
    expected = own or (prefixes[fitting[-1]] if fitting else "forever")
    found = rules.retention(Metadata.new(ID, Kind.INT, collection, None, None))
    assert found == {"1d": DAY, "2d": 2 * DAY, "3d": 3 * DAY, "forever": None}[expected]


def test_a_rule_of_one_key_says_nothing_of_the_other() -> None:
    rules, metadata = Rules(), Metadata.new(ID, Kind.INT, "a/b", None, None)
    rules.put(scope_of("a/", None), RETENTION, "1d")
    rules.put(scope_of("", None), HISTORY, "all")
    assert rules.history(metadata, History()) == History.parse("all")
    assert rules.retention(metadata) == DAY


@pytest.mark.parametrize("text", ["all", "1h,1d,7d", "5min,5min,5min"])
def test_a_history_is_the_text_it_was_made_from(text: str) -> None:
    history = History.parse(text)
    assert History.parse(history.text) == history
    assert (text == "all") == (history.prunable([*_versions(9, DAY)], 10_000 * DAY) == [])


def _versions(count: int, step: int) -> Iterator[Committed]:
    return (Committed(11 + i, None, 0, i * step) for i in range(count))


@pytest.mark.parametrize("text", ["", "1h", "1h,1d", "1h,1d,7d,8d", "1d,1h,7d", "1h,1d,x", "0h,0d,0d"])
def test_what_is_no_history_is_refused(archive: Archive, text: str) -> None:
    with pytest.raises(InvalidArgument, match="no history"):
        archive.set_history(text)
    assert archive.rules() == []


@pytest.mark.parametrize("age", [0, -1, "soon", "90"])
def test_what_is_no_age_is_refused(archive: Archive, age: int | str) -> None:
    with pytest.raises(InvalidPointWidth):
        archive.set_retention(age)
    assert archive.rules() == []


def test_a_rule_is_for_a_prefix_or_a_stream(archive: Archive) -> None:
    stream = archive.create("a")
    with pytest.raises(InvalidArgument, match="prefix or for a stream"):
        archive.set_retention("1d", prefix="a", stream=stream)


def test_rules_last(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = archive.create("a")
        archive.set_retention("90d", prefix="a")
        archive.set_retention("forever", stream=stream)
        archive.set_retention("1d")
        archive.set_retention(None)
        archive.set_history("2h,2d,2d", prefix="b")
        rules = archive.rules()
        assert [(rule.key, rule.prefix, rule.stream) for rule in rules] == [
            ("retention", "a", None),
            ("history", "b", None),
            ("retention", None, str(stream.uuid)),
        ]
    for _ in range(2):  # from the catalog, then from the segments alone
        with otrdb.open(path, mode="r") as archive:
            assert archive.rules() == rules
        (path / "catalog.sqlite").unlink(missing_ok=True)


def test_a_reader_sees_new_rules_and_changes_none(tmp_path: Path) -> None:
    with otrdb.open(tmp_path) as writer, otrdb.open(tmp_path, mode="r") as reader:
        fill(writer.create("a"), 0, 10)
        writer.set_retention("1d")
        assert len(reader.rules()) == 1
        assert reader.expire(dry_run=True, now=NOW)[0].points == 10
        with pytest.raises(ReadOnly):
            reader.expire(now=NOW)
        with pytest.raises(ReadOnly):
            reader.set_retention("2d")


def test_a_dry_run_of_a_reader_knows_the_newest_rules_and_streams(tmp_path: Path) -> None:
    with otrdb.open(tmp_path) as writer, otrdb.open(tmp_path, mode="r") as reader:
        assert reader.expire(dry_run=True, now=NOW) == []
        fill(writer.create("a"), 0, 10)
        writer.set_retention("1d")
        assert [expiry.points for expiry in reader.expire(dry_run=True, now=NOW)] == [10]
        writer.set_retention(None)
        assert reader.expire(dry_run=True, now=NOW) == []


@given(st.integers(1, 1 << 62), st.integers(MIN_TIME, MAX_TIME - 1))
def test_points_get_an_eighth_older_at_most(retention: int, now: int) -> None:
    at = border(retention, now)
    assert at <= max(now - retention, MIN_TIME)
    assert at == MIN_TIME or now - at <= retention + retention // 8
    assert border(retention, min(now + retention // 32, MAX_TIME - 1)) >= at


@given(st.integers(16, 1 << 40))
def test_the_border_seldom_moves(retention: int) -> None:
    moments = range(NOW, NOW + retention, max(retention // 500, 1))
    assert len({border(retention, now) for now in moments}) <= 18


def test_expiry_drops_what_it_said_and_no_more(archive: Archive) -> None:
    old, kept, other = archive.create("plant/a"), archive.create("plant/b"), archive.create("other")
    times = NOW - HOUR * np.arange(100, 0, -1)
    for stream in (old, kept, other):
        stream.insert(times, np.arange(100.0))
    archive.set_retention("1d", prefix="plant/")
    archive.set_retention("forever", stream=kept)
    before = old.version
    promised = archive.expire(dry_run=True, now=NOW)
    assert (old.count(), old.version) == (100, before)
    assert archive.expire(now=NOW) == promised
    (expiry,) = promised
    assert expiry.stream == old.uuid
    assert expiry.points == (times < expiry.before).sum()
    assert old.values().times.tolist() == times[times >= expiry.before].tolist()
    assert old.earliest().time >= NOW - 27 * HOUR  # type: ignore[union-attr]
    assert kept.count() == other.count() == old.at(before).count() == 100
    assert archive.expire(now=NOW) == []


def test_an_expiry_counts_the_blocks_that_fall_away(archive: Archive) -> None:
    stream = archive.create("plant")
    times = NOW - SECOND * np.arange(200_000, 0, -1)
    stream.insert(times, np.arange(200_000.0))
    archive.set_retention("1d")
    dead = archive.stats()["dead_bytes"]
    (expiry,) = archive.expire(now=NOW)
    assert 0 < expiry.bytes <= archive.stats()["dead_bytes"] - dead


def test_named_snapshots_hold_what_expired(archive: Archive) -> None:
    stream, young = archive.create("plant"), archive.create("young")
    fill(stream, 0, 10)
    archive.snapshot("audit")
    fill(young, 0, 10)
    archive.set_retention("1d")
    holders = {expiry.stream: expiry.snapshots for expiry in archive.expire(now=NOW)}
    assert holders == {stream.uuid: ("audit",), young.uuid: ()}
    with archive.open_snapshot("audit") as snapshot:
        assert snapshot.view(stream).count() == 10


def test_streams_nobody_writes_to_are_pruned_too(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "now_ns", lambda: NOW)
    stream, held = archive.create("plant"), archive.create("held")
    for each in (stream, held):
        fill(each, 0, 1)
        each.flush()
    archive.snapshot("kept")
    for second in range(1, 4):
        for each in (stream, held):
            fill(each, second, 1)
            each.flush()
    archive.set_history("all", stream=held)
    assert archive.expire(now=NOW + 8 * DAY) == []
    assert [stream.at(version).count() for version in (11, 14)] == [1, 4]  # held by the snapshot, the latest
    for version in (12, 13):
        with pytest.raises(VersionNotAvailable):
            stream.at(version)
        assert held.at(version).count() == version - 10


def test_a_rule_decides_what_a_commit_prunes(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, other = archive.create("a"), archive.create("b")
    archive.set_history("1min,1min,1min", prefix="a")
    for minute in range(3):
        monkeypatch.setattr(commit, "now_ns", lambda minute=minute: NOW + 2 * minute * 60 * SECOND)
        for each in (stream, other):
            fill(each, minute, 1)
            each.flush()
    assert other.at(11).count() == 1
    with pytest.raises(VersionNotAvailable):
        stream.at(11)


def test_an_obliterated_stream_does_not_expire(archive: Archive) -> None:
    stream = archive.create("plant")
    fill(stream, 0, 10)
    archive.set_retention("1d", stream=stream)
    archive.set_retention("1d")
    stream.obliterate()
    assert archive.expire(now=NOW) == []


def test_a_stream_that_is_obliterated_while_it_expires_stops_no_other(archive: Archive) -> None:
    first, second = archive.create("first"), archive.create("second")
    for stream in (first, second):
        fill(stream, 0, 10)
    archive.set_retention("1d")
    real = Engine.delete

    def delete(engine: Engine, state: StreamState, start: int, end: int) -> int:
        if state is first.state:
            first.obliterate()
        return real(engine, state, start, end)

    with patch.object(Engine, "delete", delete):
        assert [expiry.stream for expiry in archive.expire(now=NOW)] == [second.uuid]
    assert second.count() == 0


def test_rules_and_expiry_are_durable_when_they_return(created: FaultyMedium) -> None:
    medium = created.crash(everything)
    with opened(medium) as archive:
        streams = archive.streams()
        for stream in streams:
            stream.insert(np.arange(10), np.zeros(10, stream.kind.dtype))
        archive.set_retention("1d")
        archive.expire(now=NOW)
        crashed = medium.crash(nothing)
    with opened(crashed) as archive:
        assert [rule.key for rule in archive.rules()] == ["retention"]
        assert [stream.count() for stream in archive.streams()] == [0] * len(streams)


def test_a_full_disk_changes_no_rule() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        create_all(archive)
        medium.capacity = medium.used
        with pytest.raises(DiskFull):
            archive.set_retention("1d")
        assert archive.rules() == []
        medium.capacity = None
        archive.set_retention("1d")
        assert core_of(archive).rules.retention(archive.streams()[0].state.metadata) == DAY


def test_the_wall_clock_is_the_time_unless_told(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "now_ns", lambda: NOW)
    stream = archive.create("plant")
    fill(stream, 0, 3)
    archive.set_retention("1d")
    assert archive.expire(dry_run=True) == archive.expire(dry_run=True, now=NOW)
