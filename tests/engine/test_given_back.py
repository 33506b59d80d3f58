"""What an archive says once some of its segments, and not those beside them, were given back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import otrdb
from otrdb.engine import compaction
from otrdb.engine.compaction import _Leaving
from otrdb.engine.core import now_ns
from otrdb.errors import WriteFailed
from otrdb.storage.segment_files import SEGMENT_NAMES
from otrdb.testing import FaultyMedium, opened
from tests.engine.support import core_of, fill

if TYPE_CHECKING:
    from otrdb import Archive
    from otrdb.engine.core import Core


def give_back(archive: Archive, *segments: int) -> None:
    """Give these segments back, whatever is in them."""
    for segment in segments:
        core = core_of(archive)
        if segment == core.segments.numbers()[-1]:
            core.segments.seal()
        _Leaving(core, segment, lambda _: None).run()
    archive._engine.compactor.delete_freed()


def next_segment(archive: Archive) -> None:
    """What comes next is in a segment of its own."""
    core_of(archive).segments.seal()


def test_properties_said_again_are_not_undone_by_older_ones() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        stream = archive.create("plant")
        for note in ("first", "second"):
            next_segment(archive)
            stream.update(annotations={"note": note})
        next_segment(archive)
        fill(stream, 0, 10)
        archive.flush()
        give_back(archive, 1, 3, 4)
    with opened(medium) as archive:
        stream = archive.streams()[0]
        assert (stream.annotations, stream.property_version) == ({"note": "second"}, 3)


def test_a_rule_taken_away_leaves_no_trace() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        archive.create("plant")
        archive.set_retention("1d", prefix="plant")
        archive.set_retention(None, prefix="plant")
        give_back(archive, 1)
        assert list(archive.check()) == []


def test_repair_leaves_files_that_somebody_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        fill(archive.create("plant"), 0, 10)
        archive.flush()
        with otrdb.open(path, mode="r") as reader:
            give_back(archive, 1)
            assert core_of(archive).segments.numbers() == [1, 2]
            archive.close()
            assert otrdb.repair(path) == []
            assert core_of(reader).segments.numbers() == [1, 2]


def test_a_reader_that_had_read_all_of_a_segment_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive, patch.object(compaction, "READER_SECONDS", -1):
        stream = archive.create("plant")
        fill(stream, 0, 10)
        archive.flush()
        with otrdb.open(path, mode="r") as reader:
            give_back(archive, 1)
            assert core_of(archive).segments.numbers() == [2]
            assert reader.stream("plant").count() == 10
            assert list(reader.check()) == []


def test_versions_asked_for_while_they_are_moved_are_not_remembered_at_old_places() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        stream = archive.create("plant")
        versions = []
        for turn in range(3):
            fill(stream, 100 * turn, 100)
            versions.append(stream.flush())
    with opened(medium) as archive:
        stream = archive.streams()[0]
        stream.state.versions = None  # as when the catalog was there
        applied = core_of(archive).catalog.apply

        def asked(*group: Any) -> None:
            stream.at(versions[0]).count()
            applied(*group)

        with patch.object(core_of(archive).catalog, "apply", asked):
            give_back(archive, 1)
        core_of(archive).segments.close()
        core_of(archive).cache.clear()
        assert [stream.at(version).count() for version in versions] == [100, 200, 300]


def test_a_version_committed_while_older_ones_are_asked_for_is_remembered() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        stream = archive.create("plant")
        fill(stream, 0, 100)
        first = stream.flush()
    with opened(medium) as archive:
        archive.set_history("all")
        stream = archive.streams()[0]
        stream.state.versions, stream.state.pruned = None, now_ns()  # as when the catalog was there
        applied = core_of(archive).catalog.apply

        def asked(*group: Any) -> None:
            stream.at(first).count()
            applied(*group)

        fill(stream, 100, 100)
        with patch.object(core_of(archive).catalog, "apply", asked):
            second = stream.flush()
        fill(stream, 200, 100)
        third = stream.flush()
        assert [stream.at(version).count() for version in (first, second, third)] == [100, 200, 300]


def test_a_segment_made_while_others_are_counted_is_left_alone() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        stream = archive.create("plant")
        fill(stream, 0, 20_000)
        archive.flush()
        counted = compaction.Census

        def busy(core: Core) -> Any:
            census = counted(core)
            for turn in range(1, 3):
                next_segment(archive)
                fill(stream, 20_000 * turn, 20_000)
                archive.flush()
            return census

        with patch.object(compaction, "Census", busy):
            assert archive.compact().segments == 0


class TestDeletion:
    def test_closing_ends_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.otr"
        archive = otrdb.open(path)
        fill(archive.create("plant"), 0, 10)
        archive.flush()
        with core_of(archive).files_kept():
            give_back(archive, 1)
        archive.close()
        archive._engine.compactor.delete_freed()
        assert core_of(archive).segments.numbers() == [1, 2]

    def test_a_file_that_cannot_be_deleted_stops_nothing(self) -> None:
        medium = FaultyMedium()
        archive = opened(medium)
        stream = archive.create("plant")
        fill(stream, 0, 10)
        archive.flush()
        with patch.object(medium, "delete", refuse):
            give_back(archive, 1)
            assert core_of(archive).segments.numbers() == [1, 2]
            fill(stream, 10, 10)
            assert archive.compact().segments == 0
            archive.close()
            archive = opened(medium)
            fill(archive.streams()[0], 20, 10)
            assert [finding.code for finding in archive.check()] == [WriteFailed.code]
        archive.close()
        with opened(medium) as archive:
            assert core_of(archive).segments.numbers() == [2]
            assert archive.streams()[0].count() == 30


def refuse(name: str) -> None:
    raise WriteFailed(f"Could not delete {name}.")


def test_repair_does_not_take_what_was_given_back_for_what_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = archive.create("plant")
        for turn in range(5):
            fill(stream, 10 * turn, 10)
            archive.flush()
        with core_of(archive).files_kept():
            give_back(archive, 1)
        next_segment(archive)
        for turn in range(5, 7):
            fill(stream, 10 * turn, 10)
            archive.flush()
        last = core_of(archive).segments.numbers()[-1]
    (path / SEGMENT_NAMES.name(last)).unlink()
    found = otrdb.repair(path)
    assert [finding.message for finding in found if "The catalog is kept" in finding.message]


def test_the_disk_gets_its_room_back_when_nobody_reads(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr") as archive:
        stream = archive.create("plant")
        fill(stream, 0, 3_000)
        view = stream.at(stream.flush())
        give_back(archive, 1)
        core_of(archive).cache.clear()
        assert deleted_files(tmp_path) == ["segment-00000001.otr"]
        assert view.values().values.sum() == 3_000
        give_back(archive, 2)
        core_of(archive).cache.clear()
        assert view.values().values.sum() == 3_000
        newer = stream.at(stream.version)
        del view
        assert deleted_files(tmp_path) == []
        assert newer.values().values.sum() == 3_000


def deleted_files(directory: Path) -> list[str]:
    """The files of this process that take room in a directory, and are no longer in it."""
    targets = [os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    found = [Path(target.removesuffix(" (deleted)")) for target in targets if target.endswith(" (deleted)")]
    return sorted(path.name for path in found if path.is_relative_to(directory))
