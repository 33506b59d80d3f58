"""Compaction: nothing that can be asked for changes, what nobody needs is given back, at any moment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings

import otrdb
from otrdb.engine import compaction, paced
from otrdb.errors import DiskFull, Outdated, RecycledUuid, VersionNotAvailable
from otrdb.storage.segment_files import SEGMENT_NAMES
from otrdb.testing import (
    Compact,
    Create,
    Drop,
    FaultyMedium,
    Flush,
    Insert,
    Keep,
    Obliterate,
    Operation,
    Prune,
    Update,
    Witness,
    create_all,
    opened,
    perform,
    uuid_of,
)
from otrdb.testing.catalogs import Catalogs
from otrdb.testing.strategies import histories
from otrdb.testing.witness import digest
from otrdb.tree import ChildKind
from tests.crash.histories import SEGMENT, STREAMS, columns, small_leaves
from tests.engine.support import core_of, fill, flip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with otrdb.open(tmp_path / "a.otr") as archive:
        yield archive


def numbers(archive: Archive) -> list[int]:
    return core_of(archive).segments.numbers()


def size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.glob("*.otr"))


def everything(archive: Archive) -> dict[Any, Any]:
    """All that can be asked for, but for marks."""
    core = core_of(archive)
    answers: dict[Any, Any] = {
        (state.metadata.uuid, committed.version): digest(
            archive.stream(state.metadata.uuid).at(committed.version)
        )
        for state in core.streams
        for committed in core.versions(state)
    }
    answers["metadata"] = {state.metadata.uuid: state.metadata for state in core.streams}
    answers["latest"] = {stream.uuid: digest(stream) for stream in archive.streams()}
    answers["snapshots"] = dict(core.streams.snapshots)
    answers["rules"] = archive.rules()
    return answers


def test_what_was_obliterated_is_given_back(archive: Archive, tmp_path: Path) -> None:
    gone, kept = archive.create("gone"), archive.create("kept")
    fill(kept, 0, 1_000)
    rng = np.random.default_rng(1)
    gone.insert(np.arange(200_000), rng.normal(size=200_000))
    archive.flush()
    before = size(tmp_path / "a.otr")
    bits = digest(kept)
    gone.obliterate()
    done = archive.compact()
    assert (done.segments, done.waiting, done.findings) == (1, 0, [])
    assert size(tmp_path / "a.otr") < before / 20
    assert digest(kept) == bits
    assert list(archive.check(deep=True)) == []
    assert archive.compact().segments == 0, "what is left is needed"


def test_all_that_can_be_asked_for_stays(tmp_path: Path) -> None:
    medium = FaultyMedium()
    with opened(medium, segment=SEGMENT) as archive:
        streams = [archive.create(f"line/{number}", tags={"name": str(number)}) for number in range(3)]
        for turn in range(12):
            fill(streams[turn % 3], 200 * turn, 700, float(turn))
            archive.flush()
        archive.snapshot(name="middle").close()
        archive.set_retention("forever", prefix="line/")
        for turn in range(12):
            fill(streams[turn % 2], 100 * turn, 700, float(turn))
            archive.flush()
        archive.set_history("1ns,1ns,1ns")
        archive.expire()
        expected, before = everything(archive), medium.used
        done = archive.compact()
        assert done.segments > 3
        assert medium.used < before - done.bytes / 4
        assert everything(archive) == expected
        assert list(archive.check(deep=True)) == []
    for writable in (True, False):
        medium.writable = writable
        with opened(medium, segment=SEGMENT) as archive:  # its catalog is made anew
            assert everything(archive) == expected
            assert list(archive.check(deep=True)) == []


@settings(max_examples=25)
@given(histories(STREAMS, shortest=10, longest=40))
def test_any_history_with_compactions_keeps_its_promises(history: list[Operation]) -> None:
    """As `Witness` knows them; a compaction is made behind every few operations."""
    import tempfile
    from pathlib import Path

    medium, witness = FaultyMedium(), Witness(STREAMS)
    with tempfile.TemporaryDirectory() as directory, patch.object(paced, "LEAST", 1 << 10), small_leaves():
        catalogs = Catalogs(Path(directory))
        archive = opened(medium, segment=SEGMENT, catalog=catalogs.live)
        create_all(archive, STREAMS)
        for number, operation in enumerate(history):
            if isinstance(operation, otrdb.testing.Reopen):
                archive.close()
                catalogs.change(operation.catalog)
                archive = opened(medium, segment=SEGMENT, catalog=catalogs.live)
            else:
                witness.acknowledged(operation, perform(archive, operation))
            witness.look(archive)
            catalogs.note()
            if number % 6 == 5:
                witness.acknowledged(Prune(), perform(archive, Prune()))
                perform(archive, Compact())
                witness.verify(archive)
        assert list(archive.check(deep=True)) == []
        archive.close()
        with opened(medium, segment=SEGMENT) as archive:
            witness.verify(archive)
            assert list(archive.check(deep=True)) == []


def small_archive(medium: FaultyMedium) -> Archive:
    """Several segments, most of them of no use."""
    archive = opened(medium, segment=SEGMENT)
    create_all(archive, STREAMS)
    for turn in range(9):
        perform(archive, Insert("one", {turn % 3: columns(turn % 3, 50 * turn, 900)}))
        perform(archive, Flush(None))
    perform(archive, Prune())
    return archive


def test_marks_moments_and_held_snapshots_stay(tmp_path: Path) -> None:
    medium = FaultyMedium()
    archive = opened(medium, segment=SEGMENT)
    create_all(archive, STREAMS)
    stream = archive.stream(uuid_of(0))
    fill(stream, 0, 900)
    archive.flush()
    fill(stream, 5_000, 3)
    mark = stream.version
    moment = archive.snapshot()
    bits = digest(stream.at(mark))
    for turn in range(6):
        fill(stream, 300 * turn, 900, float(turn))
        archive.flush()
    perform(archive, Prune())
    assert archive.compact().segments
    core_of(archive).cache.clear()
    assert digest(stream.at(mark)) == bits
    assert digest(moment.view(stream)) == bits
    archive.close()


def test_pruned_versions_stay_gone_and_numbers_are_not_given_again() -> None:
    medium = FaultyMedium()
    archive = small_archive(medium)
    stream = archive.stream(uuid_of(0))
    version, made = stream.version, UUID(int=9)
    perform(archive, Create(made))
    perform(archive, Obliterate(made))
    perform(archive, Keep("a"))
    perform(archive, Keep("b"))
    perform(archive, Drop("a"))
    perform(archive, Update(1, "note"))
    for turn in range(4):
        perform(archive, Insert("one", {2: columns(2, 50 * turn, 900)}))
    perform(archive, Prune())
    assert archive.compact().segments
    next_number = core_of(archive).streams.next_number
    archive.close()
    with opened(medium, segment=SEGMENT) as archive:
        stream = archive.stream(uuid_of(0))
        assert stream.version == version
        assert archive.snapshots() == ["b"]
        assert archive.stream(uuid_of(1)).annotations["note"] == "note"
        assert core_of(archive).streams.next_number == next_number
        with pytest.raises(VersionNotAvailable):
            stream.at(11).count()
        with pytest.raises(RecycledUuid):
            archive.create("again", uuid=made)


@pytest.mark.parametrize("kind", [ChildKind.LEAF, ChildKind.SECTIONS, ChildKind.NODE])
def test_what_is_damaged_stays_and_stops_no_other(tmp_path: Path, kind: ChildKind) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive, patch.object(core_of(archive).segments, "_nominal", SEGMENT):
        streams = [archive.create(f"line/{number}") for number in range(2)]
        rng = np.random.default_rng(2)
        for turn in range(5):
            for stream in streams:
                stream.insert(10**9 * np.arange(3_000 * turn, 3_000 * turn + 3_000), rng.normal(size=3_000))
            archive.flush()
        streams[1].delete(0, 10**9 * 12_000)
        archive.set_history("1ns,1ns,1ns")
        archive.expire()
        segment, offset = address_of(streams[0], kind)
        expected, before = digest(streams[1]), numbers(archive)
    flip(path / SEGMENT_NAMES.name(segment), offset + (200 if kind == ChildKind.LEAF else 50))
    with otrdb.open(path) as archive:
        done = archive.compact()
        assert [finding.code for finding in done.findings] == ["OTR-5010"]
        assert segment in numbers(archive)
        if kind == ChildKind.LEAF:
            assert done.segments
        else:
            assert before == numbers(archive), "what lies below it is not known"
        assert digest(archive.stream(streams[1].uuid)) == expected


def address_of(stream: Any, kind: ChildKind) -> tuple[int, int]:
    """Where the newest leaf of a stream stands, which is in sections, or the first of these, or the node."""
    source, address = stream.state.source, stream.state.committed.root
    while True:
        child = [child for child in source.node_at(address).children if child.address][-1]
        if child.kind == ChildKind.SECTIONS:
            places: dict[ChildKind, Any] = {
                ChildKind.NODE: address,
                ChildKind.SECTIONS: child.address,
                ChildKind.LEAF: source.sections(child).sections[0].written,
            }
            segment, offset, _, _ = places[kind]
            return segment, offset
        address = child.address


def test_a_full_disk_leaves_all_as_it_was_and_it_can_be_repeated() -> None:
    medium = FaultyMedium()
    archive = small_archive(medium)
    expected = everything(archive)
    medium.capacity = medium.used + 2_000
    with pytest.raises(DiskFull):
        archive.compact()
    assert everything(archive) == expected
    medium.capacity = None
    assert archive.compact().segments
    assert everything(archive) == expected
    assert list(archive.check(deep=True)) == []
    archive.close()


class TestReaders:
    def test_a_reader_beside_it_is_always_right(self, tmp_path: Path) -> None:
        path = tmp_path / "a.otr"
        with otrdb.open(path) as archive:
            gone, kept = archive.create("gone"), archive.create("kept")
            fill(kept, 0, 3_000)
            fill(gone, 0, 100_000)
            archive.flush()
            with otrdb.open(path, mode="r") as reader:
                bits = digest(reader.stream("kept"))
                gone.obliterate()
                assert archive.compact().waiting == 1, "the reader may need it"
                assert numbers(archive) == [1, 2]
                assert digest(reader.stream("kept")) == bits  # it looks, and has seen that
                fill(kept, 3_000, 5)
                assert archive.compact().segments == 0
                assert numbers(archive) == [2]
                core_of(reader).cache.clear()
                assert reader.stream("kept").count() == 3_005
                assert list(reader.check(deep=True)) == []

    def test_a_reader_that_came_too_late_is_told_to_reopen(self, tmp_path: Path) -> None:
        path = tmp_path / "a.otr"
        with otrdb.open(path) as archive, patch.object(core_of(archive).segments, "_nominal", SEGMENT):
            with otrdb.open(path, mode="r") as reader, patch.object(compaction, "READER_SECONDS", -1):
                gone, kept = archive.create("gone"), archive.create("kept")
                for turn in range(4):
                    fill(gone, 30_000 * turn, 30_000)
                fill(kept, 0, 3_000)
                archive.flush()
                gone.obliterate()
                assert archive.compact().segments
                for _ in range(2):
                    with pytest.raises(Outdated):
                        reader.streams()
            with otrdb.open(path, mode="r") as reader:
                assert reader.stream("kept").count() == 3_000

    def test_readers_in_threads_never_notice(self, archive: Archive) -> None:
        streams = [archive.create(f"line/{number}") for number in range(4)]
        wrong: list[object] = []
        over = threading.Event()

        def read() -> None:
            least = 2_000
            while not over.is_set():
                with archive.snapshot() as snapshot:
                    points = snapshot.view(streams[0]).values()
                    if len(points) < least or set(points.values) != {1.0}:
                        wrong.append(points)
                    least = len(points)

        with patch.object(core_of(archive).segments, "_nominal", SEGMENT):
            for stream in streams[:2]:
                fill(stream, 0, 2_000)
            reading = [threading.Thread(target=read) for _ in range(2)]
            for thread in reading:
                thread.start()
            for turn in range(6):
                fill(streams[2], 700 * turn, 700)
                archive.flush()
                fill(streams[turn % 2], 2_000 + turn, 1)
                streams[2].delete(0, 10**9 * 350 * turn + 1)
                archive.set_history("1ns,1ns,1ns")
                archive.expire()
                archive.compact()
            over.set()
            for thread in reading:
                thread.join()
        assert wrong == []


def test_a_backup_goes_along(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        gone, kept = archive.create("gone"), archive.create("kept")
        fill(gone, 0, 100_000)
        fill(kept, 0, 5_000)
        archive.flush()
        archive.backup(tmp_path / "backup")
        gone.obliterate()
        assert archive.compact().segments == 1
        fill(kept, 5_000, 7)
        archive.backup(tmp_path / "backup")
        expected = digest(kept)
    assert not (tmp_path / "backup" / SEGMENT_NAMES.name(1)).exists()
    with otrdb.open(tmp_path / "backup", mode="r") as backup:
        assert digest(backup.stream("kept")) == expected
        assert list(backup.check(deep=True)) == []
    otrdb.restore(tmp_path / "backup", tmp_path / "b.otr")
    with otrdb.open(tmp_path / "b.otr") as restored:
        assert digest(restored.stream("kept")) == expected
        assert list(restored.check(deep=True)) == []


def test_files_left_behind_are_deleted_when_the_archive_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        gone = archive.create("gone")
        fill(gone, 0, 100_000)
        archive.flush()
        gone.obliterate()
        with core_of(archive).files_kept():
            assert archive.compact().waiting == 1
    with otrdb.open(path) as archive:
        assert numbers(archive) == [2]
        assert list(archive.check()) == []


@pytest.mark.parametrize("catalog", ["older", "gone"])
def test_a_catalog_from_before_is_made_anew(tmp_path: Path, catalog: str) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        archive.create("gone")
        fill(archive.create("kept"), 0, 900)
        archive.flush()
    old = (path / "catalog.sqlite").read_bytes()
    with otrdb.open(path) as archive:
        fill(archive.stream("gone"), 0, 100_000)
        archive.flush()
        archive.stream("gone").obliterate()
        assert archive.compact().segments == 1
        expected = everything(archive)
    (path / "catalog.sqlite").unlink()
    if catalog == "older":
        (path / "catalog.sqlite").write_bytes(old)
    with otrdb.open(path) as archive:
        assert everything(archive) == expected
        assert list(archive.check(deep=True)) == []
        assert core_of(archive).findings == []
