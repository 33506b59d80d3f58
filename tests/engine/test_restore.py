"""Restoring: everything, or chosen streams as they were; whole under its name, or not there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

import otrdb
from otrdb.engine import restore as module
from otrdb.errors import (
    AmbiguousStream,
    Damaged,
    InvalidArgument,
    NoSuchStream,
    NotABackup,
    VersionNotAvailable,
    WriteFailed,
)
from otrdb.storage.backup_files import copy_backup
from otrdb.storage.backup_manifest import read_manifest
from otrdb.storage.directory import Directory
from otrdb.times import format_ns
from tests.engine.support import SECOND
from tests.support.backups import back_up, manifest_of
from tests.support.faulty import FaultyMedium
from tests.support.power_cuts import opened

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from otrdb.engine.restore import AsOf


class Kept(NamedTuple):
    """A backup, the uuids of its streams, and a version and a time between two commits of the first."""

    path: Path
    floats: UUID
    ints: UUID
    bools: UUID
    version: int
    time: int


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    path = tmp_path_factory.mktemp("kept")
    with otrdb.open(path / "a.otr") as archive:
        floats = archive.create("plant/line1", tags={"name": "heat", "unit": "C"}, annotations={"by": "us"})
        ints = archive.create("plant/line1", kind="int", tags={"name": "pulses"})
        bools = archive.create("plant/line2", kind="bool", tags={"name": "pump"})
        floats.insert(SECOND * np.arange(20_000), np.random.default_rng(1).normal(size=20_000))
        ints.insert([1, 2, 2, 3], [1 << 62, -(1 << 63), (1 << 63) - 1, 0])
        archive.set_retention("30d", prefix="mill/")
        archive.flush()
        version = floats.version
        time = max(stream.state.committed.time for stream in (floats, ints))
        floats.delete(0, SECOND * 10_000)
        floats.insert([5, 5], [-0.0, 5e-324])
        bools.insert([1, 2], [True, False])
        floats.update(annotations={"by": "them"})
        floats.update(tags={"place": "roof"})
        archive.backup(path / "backup")
    return Kept(path / "backup", floats.uuid, ints.uuid, bools.uuid, version, time)


def _same_stream(one: otrdb.Stream, other: otrdb.Stream) -> None:
    for name in ("uuid", "kind", "collection", "tags", "annotations", "property_version"):
        assert getattr(one, name) == getattr(other, name)
    assert one.values().times.tobytes() == other.values().times.tobytes()
    assert one.values().values.tobytes() == other.values().values.tobytes()


def test_chosen_streams_come_with_everything_that_is_theirs(kept: Kept, tmp_path: Path) -> None:
    with otrdb.open(kept.path, mode="r") as backup:
        chosen: list[UUID | str | otrdb.Stream] = [backup.stream(kept.floats), str(kept.ints), kept.ints]
        assert otrdb.restore(kept.path, tmp_path / "some.otr", streams=chosen) == 2
        with otrdb.open(tmp_path / "some.otr") as some:
            for uuid in (kept.floats, kept.ints):
                _same_stream(some.stream(uuid), backup.stream(uuid))
            assert some.stream(kept.floats).property_version == 3
            assert len(some.streams()) == 2
            assert some.info()["archive"] != backup.info()["archive"]
            assert list(some.check()) == []


def test_everything_is_a_copy(kept: Kept, tmp_path: Path) -> None:
    assert otrdb.restore(kept.path, tmp_path / "all.otr") == 3
    with otrdb.open(tmp_path / "all.otr") as again, otrdb.open(kept.path, mode="r") as backup:
        for stream in backup.streams():
            _same_stream(again.stream(stream.uuid), stream)
        assert again.stream(kept.floats).at(kept.version).count() == 20_000
        assert again.info()["archive"] == backup.info()["archive"]
        assert again.rules() == backup.rules() != []
    assert "backup.otb" not in os.listdir(tmp_path / "all.otr")


@pytest.mark.parametrize("how", ["version", "text", "numpy"])
def test_a_stream_comes_as_it_was(kept: Kept, tmp_path: Path, how: str) -> None:
    choices: dict[str, AsOf] = {
        "version": kept.version,
        "text": format_ns(kept.time),
        "numpy": np.datetime64(kept.time, "ns"),
    }
    otrdb.restore(kept.path, tmp_path / "old.otr", streams=[kept.floats], as_of=choices[how])
    with otrdb.open(tmp_path / "old.otr") as old, otrdb.open(kept.path, mode="r") as backup:
        expected = backup.stream(kept.floats).at(kept.version).values()
        found = old.stream(kept.floats).values()
        assert found.times.tobytes() == expected.times.tobytes()
        assert found.values.tobytes() == expected.values.tobytes()


def test_all_streams_come_as_they_were_at_a_time(kept: Kept, tmp_path: Path) -> None:
    as_of = np.datetime64(kept.time, "ns")
    assert otrdb.restore(kept.path, tmp_path / "old.otr", as_of=as_of) == 3
    with otrdb.open(tmp_path / "old.otr") as old:
        assert [stream.count() for stream in old.streams()] == [20_000, 4, 0]


def test_points_are_restored_in_pieces_of_their_order(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_POINTS", 700)
    told: list[tuple[int, int]] = []
    otrdb.restore(
        kept.path,
        tmp_path / "some.otr",
        streams=[kept.floats, kept.ints],
        progress=lambda *each: told.append(each),
    )
    assert len(told) > 15
    assert told[-1] == (10_006, 10_006)
    with otrdb.open(tmp_path / "some.otr") as some, otrdb.open(kept.path, mode="r") as backup:
        for uuid in (kept.floats, kept.ints):
            _same_stream(some.stream(uuid), backup.stream(uuid))


def test_what_makes_no_sense_is_refused_and_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    target = tmp_path / "new.otr"
    with pytest.raises(NotABackup, match="no backup"):
        otrdb.restore(tmp_path, target.with_name("elsewhere") / "x")
    with pytest.raises(NotABackup):
        otrdb.restore(kept.path.parent / "a.otr", target)
    with pytest.raises(NotABackup):
        otrdb.restore(kept.path.parent / "nowhere", target)
    with pytest.raises(InvalidArgument, match="each counts its own"):
        otrdb.restore(kept.path, target, as_of=kept.version)
    with pytest.raises(VersionNotAvailable):
        otrdb.restore(kept.path, target, streams=[kept.ints], as_of=99)
    with pytest.raises(NoSuchStream):
        otrdb.restore(kept.path, target, streams=["nothing"])
    with pytest.raises(AmbiguousStream):
        otrdb.restore(kept.path, target, streams=["plant/line1"])
    with pytest.raises(InvalidArgument, match="inside"):
        otrdb.restore(kept.path, kept.path / "new.otr")
    assert list(tmp_path.iterdir()) == []


def test_the_target_must_be_new(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "new.otr").mkdir()
    assert otrdb.restore(kept.path, tmp_path / "new.otr") == 3  # an empty directory is as good as none
    with pytest.raises(InvalidArgument, match="new directory"):
        otrdb.restore(kept.path, tmp_path / "new.otr")
    (tmp_path / "cut.otr.part").mkdir()
    with pytest.raises(InvalidArgument, match="cut off"):
        otrdb.restore(kept.path, tmp_path / "cut.otr")
    assert (tmp_path / "cut.otr.part").exists()


@pytest.mark.parametrize("chosen", [False, True])
def test_nothing_is_under_the_name_until_it_is_whole(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: bool
) -> None:
    """Whatever is changed on the disk: until the last rename the name is not there."""
    target, steps = tmp_path / "new.otr", [0]

    def watched(name: str) -> None:
        original = getattr(os, name)

        def step(*arguments: object, **named: object) -> object:
            steps[0] += 1
            assert not target.exists()
            return original(*arguments, **named)

        monkeypatch.setattr(os, name, step)

    for name in ("pwrite", "fdatasync", "replace", "ftruncate"):
        watched(name)
    otrdb.restore(kept.path, target, streams=[kept.floats] if chosen else None)
    assert steps[0] > 8
    assert target.exists()


@pytest.mark.parametrize("chosen", [False, True])
def test_a_disk_that_fails_leaves_nothing(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: bool
) -> None:
    original, left = os.fdatasync, [0]

    def failing(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(5, "Input/output error")
        original(descriptor)

    monkeypatch.setattr(os, "fdatasync", failing)
    for at in range(2):
        left[0] = at
        with pytest.raises(WriteFailed):
            otrdb.restore(kept.path, tmp_path / "new.otr", streams=[kept.floats] if chosen else None)
        assert list(tmp_path.iterdir()) == []


def test_a_copy_is_durable_when_it_says_so() -> None:
    source, target = FaultyMedium(), FaultyMedium()
    medium = FaultyMedium()
    with opened(medium) as archive:
        stream = archive.create("plant")
        stream.insert([1, 2], [1.0, 2.0])
        back_up(archive, source)
    copy_backup(source, manifest_of(source), target, lambda _: None)
    with opened(target.crash()) as again:
        assert again.stream(stream.uuid).count() == 2


def test_an_undamaged_stream_is_restored_beside_a_damaged_one(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        rng = np.random.default_rng(1)
        rotten, sound = (archive.create(f"line/{number}") for number in range(2))
        for stream in (rotten, sound):
            stream.insert(SECOND * np.arange(40_000), rng.normal(size=40_000))
        archive.backup(tmp_path / "backup")
    segment = tmp_path / "backup/segment-00000001.otr"
    data = bytearray(segment.read_bytes())
    data[100_000] ^= 4
    segment.write_bytes(data)
    for chosen in (None, [rotten.uuid]):
        with pytest.raises(Damaged):
            otrdb.restore(tmp_path / "backup", tmp_path / "new.otr", streams=chosen)
        assert not (tmp_path / "new.otr").exists()
    assert otrdb.restore(tmp_path / "backup", tmp_path / "new.otr", streams=[sound.uuid]) == 1
    with otrdb.open(tmp_path / "new.otr") as again:
        assert again.stream(sound.uuid).count() == 40_000


def test_a_backup_that_was_never_completed_is_none(kept: Kept, tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive, pytest.raises(KeyboardInterrupt):
        archive.backup(tmp_path / "backup", progress=_stumble)
    manifest = read_manifest(Directory(tmp_path / "backup", readonly=True))
    assert manifest is not None
    assert manifest.number == 0
    for use in (
        lambda: otrdb.restore(tmp_path / "backup", tmp_path / "new.otr"),
        lambda: otrdb.open(tmp_path / "backup", mode="r"),
    ):
        with pytest.raises(NotABackup, match="again"):
            use()
    with otrdb.open(tmp_path / "a.otr") as archive:
        archive.backup(tmp_path / "backup")
    assert otrdb.restore(tmp_path / "backup", tmp_path / "new.otr") == 0


def _stumble(_: int, __: int) -> None:
    raise KeyboardInterrupt
