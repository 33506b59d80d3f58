"""Backups: one state of all streams, nothing copied twice, and at any moment one that can be restored."""

from __future__ import annotations

import copy
import errno
import random
import threading
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest

import otrdb
from otrdb.engine import opening
from otrdb.engine.core import Budget
from otrdb.engine.opening import open_medium
from otrdb.errors import (
    ClosedArchive,
    Damaged,
    DiskFull,
    InvalidArgument,
    NotABackup,
    OtrError,
    ReadOnly,
    WriteFailed,
)
from otrdb.storage.backup_manifest import MANIFEST_NAME, read_manifest
from otrdb.storage.durability import Durability
from otrdb.storage.segments import SegmentStore
from otrdb.testing.medium import FaultyMedium, everything, nothing
from otrdb.testing.operations import create_all, operations, perform, uuid_of
from otrdb.testing.power_cuts import opened
from otrdb.testing.survival import newer_half, some, torn
from otrdb.testing.witness import Witness
from tests.engine.support import SECOND, engine_of, fill, pairs
from tests.support.backups import back_up, manifest_of, read, restored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb import Archive
    from otrdb.testing.medium import Fault, Step

SMALL = 40_000
"""Nominal size of segments where a test wants several."""


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "SegmentStore", lambda medium, **_: SegmentStore(medium, nominal=SMALL))


class CountingMedium(FaultyMedium):
    """Knows how many bytes were written to it."""

    written = 0

    def begin(self, step: Step, name: str, growth: int = 0) -> Fault | None:
        self.written += growth if step == "append" else 0
        return super().begin(step, name, growth)


# --- what is in a backup


@pytest.mark.parametrize("seed", range(4))
def test_a_restored_archive_is_what_it_was_when_it_was_backed_up(created: FaultyMedium, seed: int) -> None:
    """Points, metadata, versions, snapshots; and no version told before is given to another state."""
    medium, witness, target = created.crash(everything), Witness(), FaultyMedium()
    with opened(medium) as archive:
        history = operations(seed)
        for _ in range(4):
            for operation in islice(history, 25):
                witness.acknowledged(operation, perform(archive, operation))
            back_up(archive, target)
            with opened(restored(target)) as again:
                copy.deepcopy(witness).verify(again, None)
                assert list(again.check()) == []
                later = copy.deepcopy(witness)
                for operation in islice(operations(100 + seed), 8):
                    later.acknowledged(operation, perform(again, operation))
                later.verify(again, None)
            with read(target) as again:
                copy.deepcopy(witness).verify(again, None)
                assert list(again.check()) == []
        witness.verify(archive, None)


def test_a_reader_backs_up_what_the_writer_has_acknowledged(tmp_path: Path) -> None:
    witness = Witness()
    with otrdb.open(tmp_path / "a.otr") as archive:
        create_all(archive)
        for operation in islice(operations(3), 40):
            witness.acknowledged(operation, perform(archive, operation))
        with otrdb.open(tmp_path / "a.otr", mode="r") as reader:
            reader.backup(tmp_path / "backup")
        with otrdb.open(tmp_path / "backup", mode="r") as copied:
            copy.deepcopy(witness).verify(copied, None)
        otrdb.restore(tmp_path / "backup", tmp_path / "again.otr")
    with otrdb.open(tmp_path / "again.otr") as again:
        witness.verify(again, None)


def test_versions_of_a_restored_archive_are_above_all_that_were_told(created: FaultyMedium) -> None:
    """Also those only marked, in sessions that never closed; whoever made the backup."""
    medium = created.crash(everything)
    for _ in range(3):
        archive = opened(medium)
        fill(archive.stream(uuid_of(0)), 0, 1)
        told = archive.stream(uuid_of(0)).version
        targets = FaultyMedium(), FaultyMedium()
        back_up(archive, targets[0])
        with open_medium(
            medium, writable=False, durability=Durability("sync"), budget=Budget(32 << 20)
        ) as reader:
            back_up(reader, targets[1])
        for target in targets:
            with opened(restored(target)) as again:
                stream = again.stream(uuid_of(0))
                fill(stream, 1, 1)
                assert told < stream.version < told + (2 << 32)
        medium = medium.crash(everything)


def test_an_archive_without_anything(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        archive.backup(tmp_path / "backup")
    assert otrdb.restore(tmp_path / "backup", tmp_path / "again.otr") == 0
    with otrdb.open(tmp_path / "again.otr") as again:
        again.create("plant").insert(1, 1.0)
        assert list(again.check()) == []


def test_nothing_is_committed_for_a_backup(created: FaultyMedium) -> None:
    with opened(created.crash(everything)) as archive:
        stream = archive.stream(uuid_of(0))
        fill(stream, 0, 100)
        back_up(archive, FaultyMedium())
        assert stream.state.committed.version == 10
        assert archive.stats()["pending_points"] == 100


def test_pending_points_keep_their_merge_policies(created: FaultyMedium) -> None:
    target = FaultyMedium()
    with opened(created.crash(everything)) as archive:
        stream = archive.stream(uuid_of(0))
        stream.insert([1, 2], [1.0, 2.0])
        stream.insert([2, 3], [9.0, 3.0], merge="retain")
        stream.insert([1], [7.0], merge="replace")
        stream.insert([1], [8.0])
        expected = pairs(stream)
        back_up(archive, target)
    with opened(restored(target)) as again:
        assert pairs(again.stream(uuid_of(0))) == expected
        assert again.stream(uuid_of(0)).flush() > 1 << 32
        assert pairs(again.stream(uuid_of(0))) == expected


@pytest.mark.parametrize("who", ["the writer", "a reader"])
def test_threads_go_on_and_no_batch_is_in_a_backup_in_part(tmp_path: Path, who: str) -> None:
    path, failed, over = tmp_path / "a.otr", list[BaseException](), threading.Event()
    with otrdb.open(path, durability="off") as archive:
        streams = tuple(archive.create(f"line/{number}") for number in range(12))
        turns = [0, 0]

        def insert(thread: int) -> None:
            try:
                while not over.wait(0.001):
                    turns[thread] += 1
                    time = 2 * turns[thread] + thread
                    if turns[thread] % 3:
                        archive.insert({stream: (time, float(time)) for stream in streams})
                    else:
                        index = np.arange(len(streams))
                        archive.insert_columns(index, np.full(12, time), np.full(12, time / 1), streams)
                    if turns[thread] % 7 == 0:
                        streams[turns[thread] % 12].flush()
            except BaseException as error:  # noqa: BLE001  (told to the test)
                failed.append(error)

        threads = [threading.Thread(target=insert, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        source = archive if who == "the writer" else otrdb.open(path, mode="r")
        seen = [0]
        with suppress(ClosedArchive):
            for _ in range(6):
                source.backup(tmp_path / "backup")
                seen.append(_whole_batches(tmp_path / "backup", len(streams)))
        over.set()
        for thread in threads:
            thread.join()
        assert failed == []
        source.backup(tmp_path / "backup")
        assert seen == sorted(seen)
        assert _whole_batches(tmp_path / "backup", len(streams)) == sum(turns)
        source.close()


def _whole_batches(path: Path, streams: int) -> int:
    """How many batches the backup holds; every stream has each of them."""
    with otrdb.open(path, mode="r") as copied:
        found = [stream.values().to_numpy() for stream in copied.streams()]
    assert len(found) == streams
    for times, values in found:
        assert np.array_equal(times, found[0][0])
        assert np.array_equal(times.astype(float), values)
    times = found[0][0]
    for first in (2, 3):  # each thread's batches are there without a gap
        own = times[times % 2 == first % 2]
        assert np.array_equal(own, first + 2 * np.arange(len(own)))
    return len(times)


# --- nothing is copied twice


def test_what_is_there_is_not_copied_again(created: FaultyMedium, small_segments: None) -> None:
    medium, target = created.crash(everything), CountingMedium()
    with opened(medium) as archive:
        stream = archive.stream(uuid_of(0))
        copied = 0
        for turn in range(12):
            noise = np.random.default_rng(turn).normal(size=3_000)
            stream.insert(SECOND * (3_000 * turn + np.arange(3_000)), noise)
            stream.flush()
            before = target.written
            done = back_up(archive, target)
            manifest = manifest_of(target)
            assert done.copied == target.written - before - len(manifest.pack()) - (turn == 0) * 72
            copied += done.copied - manifest.journal
            assert copied == sum(row.size for row in manifest.segments)
            assert done.copied + done.reused == copied + manifest.journal
        assert len(manifest.segments) > 3
        again = back_up(archive, target)
        assert again.copied == manifest.journal
        assert again.reused == copied
        assert {name for name in target.list() if name.endswith(".otj")} == {manifest_of(target).journal_name}
    with opened(restored(target)) as again_open:
        assert list(again_open.check()) == []
        assert again_open.stream(uuid_of(0)).count() == 36_000


def test_progress_ends_with_all_of_it(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with otrdb.open(tmp_path / "a.otr") as archive:
        archive.create("plant").insert(np.arange(400_000), np.random.default_rng(1).normal(size=400_000))
        done = archive.backup(tmp_path / "backup", progress=lambda *each: told.append(each))
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (done.copied, done.copied)


# --- a backup is cut off, or its disk fails


def _first_and_second(created: FaultyMedium) -> tuple[FaultyMedium, FaultyMedium]:
    """An archive that has grown since it was backed up, and the backup."""
    medium, target = created.crash(everything), FaultyMedium()
    with opened(medium) as archive:
        _grow(archive, 0)
        back_up(archive, target)
        _grow(archive, 1)
    return medium, target


def _grow(archive: Archive, turn: int) -> None:
    """Every stream of a few gets the same number of points; what is committed differs."""
    streams = [archive.stream(uuid_of(number)) for number in range(4)]
    for part in range(3):
        batch = SECOND * (3_000 * turn + 1_000 * part + np.arange(1_000))
        archive.insert({stream: (batch, np.ones(1_000)) for stream in streams})
        streams[part].flush()


def _counts(medium: FaultyMedium) -> set[int]:
    with opened(restored(medium)) as archive:
        assert list(archive.check(deep=False)) == []
        return {archive.stream(uuid_of(number)).count() for number in range(4)}


@pytest.mark.parametrize("earlier", [False, True], ids=["the first backup", "a second backup"])
def test_a_backup_is_cut_off_anywhere(created: FaultyMedium, small_segments: None, earlier: bool) -> None:
    """The backup before is restored, or this one; and the next one completes."""
    medium, first = _first_and_second(created)
    with opened(medium) as archive:
        target = first.crash(everything) if earlier else FaultyMedium()
        known: dict[int, set[int]] = {1: {3_000}} if earlier else {}
        number = 2 if earlier else 1
        known[number] = {6_000}
        tried: list[int] = []

        def cut(*_: str) -> None:
            turn = len(tried)
            for survives in (nothing, everything, newer_half, some(turn), torn(turn)):
                left = target.crash(survives)
                manifest = read_manifest(left)
                if manifest is not None and manifest.number:
                    assert _counts(left) == known[manifest.number]
                else:
                    assert not earlier
                tried.append(manifest.number if manifest is not None else -1)
                back_up(archive, left)
                assert _counts(left.crash()) == {6_000}

        target.watch = cut
        back_up(archive, target)
        target.watch = None
        assert _counts(target.crash()) == {6_000}
        assert len(tried) >= 5 * 10
        assert set(tried) == ({1, 2} if earlier else {-1, 0, 1})


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", ["append", "sync", "truncate", "sync_directory"])
def test_the_disk_of_the_backup_fails(created: FaultyMedium, step: Step, code: int) -> None:
    medium, first = _first_and_second(created)
    failed = 0
    with opened(medium) as archive:
        for at in range(20):
            target = first.crash(everything)
            target.fail(step, after=at, code=code, partial=5)
            try:
                back_up(archive, target)
            except (DiskFull, WriteFailed):
                failed += 1
                assert _counts(target.crash(everything)) in ({3_000}, {6_000})
            target = target.crash(everything)
            back_up(archive, target)
            assert _counts(target.crash()) == {6_000}
        _grow(archive, 2)  # the archive itself goes on
    assert failed > (1 if step == "sync_directory" else 2)


# --- damage


def test_every_flipped_bit_of_a_backup_is_detected(created: FaultyMedium) -> None:
    """By a restore in every file; by a check wherever it would change an answer."""
    _, target = _first_and_second(created)
    rng, manifest = random.Random(1), manifest_of(target)
    unnoticed = 0
    for name, size in [*manifest.sizes.items(), (MANIFEST_NAME, len(manifest.pack()))]:
        for _ in range(40):
            left = target.crash()
            left.flip(name, rng.randrange(size), rng.randrange(8))
            with pytest.raises(OtrError):
                restored(left)
            try:
                with read(left) as archive:
                    unnoticed += not list(archive.check())
            except OtrError:
                pass
    assert unnoticed == 0


@pytest.mark.parametrize("name", ["segment", "journal"])
def test_files_of_a_backup_that_are_missing_or_cut_off_are_noticed(tmp_path: Path, name: str) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        archive.create("plant").insert(np.arange(100_000), np.ones(100_000))
        archive.stream("plant").insert(7, 7.0)
        archive.backup(tmp_path / "backup")
        (file,) = (tmp_path / "backup").glob(f"{name}-*")
        whole = file.read_bytes()
        file.write_bytes(whole[:-1])
        with otrdb.open(tmp_path / "backup", mode="r") as copied:
            assert "OTR-5010" in {finding.code for finding in copied.check()}
        for chosen in (None, ["plant"]):
            with pytest.raises(Damaged):
                otrdb.restore(tmp_path / "backup", tmp_path / "again.otr", streams=chosen)
        assert not (tmp_path / "again.otr").exists()
        assert not (tmp_path / "again.otr.part").exists()
        if name == "segment":
            with pytest.raises(Damaged, match="new directory"):
                archive.backup(tmp_path / "backup")
        else:
            archive.backup(tmp_path / "backup")
            assert otrdb.restore(tmp_path / "backup", tmp_path / "again.otr") == 1


def test_damage_of_the_archive_is_backed_up_and_told(created: FaultyMedium) -> None:
    medium, target = created.crash(everything), FaultyMedium()
    with opened(medium) as archive:
        fill(archive.stream(uuid_of(0)), 0, 20_000)
        archive.flush()
        begin = medium.open("segment-00000001.otr").size() // 2
        fill(archive.stream(uuid_of(1)), 0, 20_000)
        archive.flush()
    medium.flip("segment-00000001.otr", begin)
    with opened(medium) as archive:
        done = back_up(archive, target)
        assert [finding.code for finding in done.findings] == ["OTR-5010"]
        assert back_up(archive, target).findings == []
    with opened(restored(target)) as again:
        assert list(again.check()) != []
        intact = [number for number in range(2) if _readable(again, number)]
        assert len(intact) == 1


def _readable(archive: Archive, number: int) -> bool:
    try:
        return len(archive.stream(uuid_of(number)).values()) == 20_000
    except Damaged:
        return False


def test_what_the_disk_of_the_archive_does_not_give_is_told(created: FaultyMedium) -> None:
    medium, target = created.crash(everything), FaultyMedium()
    with opened(medium) as archive:
        fill(archive.stream(uuid_of(0)), 0, 20_000)
        archive.flush()
        medium.spoil("segment-00000001.otr", 5_000, 5_001)
        done = back_up(archive, target)
        assert any("cannot be read" in finding.message for finding in done.findings)
        assert manifest_of(target).number == 1


class LyingMedium(FaultyMedium):
    """Says that a segment is on the disk, and keeps something else."""

    @contextmanager
    def step(self, step: Step, name: str, growth: int = 0) -> Iterator[None]:
        with super().step(step, name, growth):
            yield
        if step == "sync" and name.startswith("segment"):
            self._live[name].live[-1_000] ^= 1


def test_a_disk_that_does_not_keep_what_it_takes_is_found_out(created: FaultyMedium) -> None:
    medium, first = _first_and_second(created)
    with opened(medium) as archive:
        target = LyingMedium(first.crash()._live)
        with pytest.raises(Damaged, match="not what was written"):
            back_up(archive, target)
        assert manifest_of(target).number == 1


# --- what is refused


def test_a_place_that_is_no_place_for_a_backup_is_refused(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive, otrdb.open(tmp_path / "b.otr") as other:
        for inside in (tmp_path / "a.otr", tmp_path / "a.otr/backup"):
            with pytest.raises(InvalidArgument, match="beside"):
                archive.backup(inside)
        (tmp_path / "full").mkdir()
        (tmp_path / "full/notes.txt").write_text("mine")
        for taken in ("full", "full/notes.txt", "b.otr"):
            with pytest.raises(NotABackup, match="new or empty directory"):
                archive.backup(tmp_path / taken)
        assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
        archive.backup(tmp_path / "backup")
        with pytest.raises(NotABackup, match="needs its own"):
            other.backup(tmp_path / "backup")
        other.create("plant")
        other.backup(tmp_path / "deep/down/backup")
    assert otrdb.restore(tmp_path / "deep/down/backup", tmp_path / "c.otr") == 1


def test_a_backup_of_another_history_is_refused(created: FaultyMedium) -> None:
    medium, target = _first_and_second(created)
    again = restored(target)
    with opened(again) as other:
        archive_count = other.stream(uuid_of(0)).count()
        other.flush()
        fill(other.stream(uuid_of(0)), 90_000, 10)
        other.flush()
        back_up(other, target)  # it goes on from the backup
        assert _counts(target.crash()) == {archive_count, archive_count + 10}
    with opened(medium) as archive, pytest.raises(NotABackup, match="another history"):
        back_up(archive, target)


def test_a_backup_is_not_written_to(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        stream = archive.create("plant")
        archive.backup(tmp_path / "backup")
        for use in (otrdb.open, otrdb.repair):
            with pytest.raises(ReadOnly, match="restore"):
                use(tmp_path / "backup")
        with otrdb.open(tmp_path / "backup", mode="r") as copied:
            with pytest.raises(ReadOnly):
                copied.stream(stream.uuid).insert(1, 1.0)
            for change in ("sync_directory", "free_bytes"):
                medium = engine_of(copied).core.segments.medium
                with suppress(ReadOnly):
                    assert getattr(medium, change)() == 0
    with pytest.raises(ClosedArchive):
        archive.backup(tmp_path / "other")
    assert not (tmp_path / "other").exists()
