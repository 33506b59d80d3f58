"""What an archive says once some of its segments, and not those beside them, were given back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest

import otrdb
from otrdb.engine import census, compaction, paced
from otrdb.engine.compaction import _Leaving
from otrdb.engine.core import now_ns
from otrdb.errors import ClosedArchive, Damaged, Outdated, WriteFailed
from otrdb.storage.headers import SEGMENT_HEADER
from otrdb.storage.segment_files import SEGMENT_NAMES
from otrdb.testing import FaultyMedium, opened
from tests.engine.support import core_of, fill, flip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb import Archive, Stream
    from otrdb.engine.core import Core
    from otrdb.engine.state import StreamState


def give_back(archive: Archive, *segments: int) -> None:
    """Give these segments back, whatever is in them."""
    for segment in segments:
        core = core_of(archive)
        if segment == core.segments.numbers()[-1]:
            core.segments.seal()
        _Leaving(core, frozenset({segment}), lambda _: None).run()
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

        def busy(core: Core) -> census.Census:
            counted = census.Census(core)
            for turn in range(1, 3):
                next_segment(archive)
                fill(stream, 20_000 * turn, 20_000)
                archive.flush()
            return counted

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


def test_what_belongs_to_a_stream_whose_creation_is_lost_is_not_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        stream = archive.create("plant")
        next_segment(archive)
        fill(stream, 0, 3_000)
        archive.flush()
        next_segment(archive)
        archive.create("other")
    flip(path / SEGMENT_NAMES.name(1), SEGMENT_HEADER.size + 100)  # the record of the creation
    (path / "catalog.sqlite").unlink()
    for _ in range(2):
        with otrdb.open(path) as archive:
            assert len(archive.streams()) == 1
            archive.compact()
            assert 2 in core_of(archive).segments.numbers()
    (path / "catalog.sqlite").unlink()
    flip(path / SEGMENT_NAMES.name(1), SEGMENT_HEADER.size + 100)
    with otrdb.open(path) as archive:
        assert archive.stream("plant").count() == 3_000


def test_a_backup_by_a_reader_is_whole_or_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive, otrdb.open(path, mode="r") as reader:
        stream = archive.create("plant")
        for turn in range(4):
            fill(stream, 3_000 * turn, 3_000)
            archive.flush()
            next_segment(archive)

        def meanwhile(done: int, total: int) -> None:
            if len(core_of(archive).segments.numbers()) <= 4:
                give_back(archive, *core_of(archive).segments.numbers()[:4])
                assert reader.stream("plant").count() == 12_000
                archive._engine.compactor.delete_freed()

        reader.backup(tmp_path / "backup", progress=meanwhile)
    with otrdb.open(tmp_path / "backup", mode="r") as backup:
        assert backup.stream("plant").count() == 12_000
        assert list(backup.check()) == []


def test_a_backup_by_a_reader_that_takes_too_long_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with (
        otrdb.open(path) as archive,
        otrdb.open(path, mode="r") as reader,
        patch.object(compaction, "READER_SECONDS", -1),
    ):
        stream = archive.create("plant")
        for turn in range(4):
            fill(stream, 3_000 * turn, 3_000)
            archive.flush()
            next_segment(archive)

        def meanwhile(done: int, total: int) -> None:
            if len(core_of(archive).segments.numbers()) <= 4:
                give_back(archive, *core_of(archive).segments.numbers()[:4])

        with pytest.raises(Outdated):
            reader.backup(tmp_path / "backup", progress=meanwhile)


def test_versions_are_moved_once_and_not_again_with_every_segment() -> None:
    medium = FaultyMedium()
    with opened(medium, segment=1 << 16) as archive:
        archive.set_history("all")
        gone, kept = archive.create("gone"), archive.create("kept")
        rng = np.random.default_rng(3)
        for turn in range(40):
            gone.insert(np.arange(4_000) + 4_000 * turn, rng.normal(size=4_000))
            fill(kept, 500 * turn, 500)
            archive.flush()
        gone.obliterate()
        before = medium.used
        done = archive.compact()
        assert done.segments > 10
        assert medium.used < before - done.bytes + 1.2 * done.moved
        assert archive.compact().segments == 0


def test_closing_meanwhile_says_that_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        fill(archive.create("plant"), 0, 100)
    archive = otrdb.open(path)  # which asks the catalog for versions
    held = census.held_states

    def closing(core: Core, state: StreamState) -> Any:
        archive.close()
        return held(core, state)

    with patch.object(census, "held_states", closing), pytest.raises(ClosedArchive):
        archive.compact()


def test_damage_of_copies_is_told_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive, patch.object(paced, "LEAST", 1 << 10):
        stream = archive.create("plant")
        stream.insert(np.arange(100_000), np.random.default_rng(4).normal(size=100_000))
        archive.flush()
        give_back(archive, 1)
        stream.obliterate()
    flip(path / SEGMENT_NAMES.name(2), 1_000)
    with otrdb.open(path) as archive:
        messages = [finding.message for finding in archive.check()]
        assert [message.partition(", in ")[2] for message in messages] == ["group 3."]


def test_a_segment_that_cannot_be_read_stops_no_other() -> None:
    medium = FaultyMedium()
    with opened(medium) as archive:
        gone = archive.create("gone")
        for turn in range(2):
            fill(gone, 3_000 * turn, 3_000)
            archive.flush()
            next_segment(archive)
        gone.obliterate()
        read = core_of(archive).segments.blocks

        def blocks(segment: int, *args: int) -> Iterator[Any]:
            if segment == 1:
                raise Damaged("The disk does not give it.", segment=1, offset=0)
            yield from read(segment, *args)

        with patch.object(core_of(archive).segments, "blocks", blocks):
            done = archive.compact()
        assert (done.segments, [finding.code for finding in done.findings]) == (1, [Damaged.code])
        assert archive.compact().segments == 1


class TestReadersOfWhatIsPruned:
    """What a reader holds of a version is not kept for it: it is right, or says that it is too late."""

    @staticmethod
    def prune_and_give_back(archive: Archive, stream: Stream) -> None:
        """Only the latest version is left, and none of the files from before."""
        archive.set_history("1ns,1ns,1ns")
        for second in (2_000, 2_001):
            fill(stream, second, 1)
            stream.flush()
        give_back(archive, 1)

    @pytest.mark.parametrize("open_files", [True, False])
    def test_a_mark(self, tmp_path: Path, open_files: bool) -> None:
        path = tmp_path / "a.otr"
        with otrdb.open(path) as archive, otrdb.open(path, mode="r") as reader:
            stream = archive.create("plant")
            fill(stream, 0, 1_000)
            stream.flush()
            fill(stream, 1_000, 10)
            seen = reader.stream("plant")
            mark = seen.version
            expected = seen.at(mark).values().times.tolist()
            self.prune_and_give_back(archive, stream)
            assert core_of(archive).segments.numbers() == [1, 2]
            assert seen.count() == 1_012  # it looks, and so lets go of what was there before
            archive._engine.compactor.delete_freed()
            assert core_of(archive).segments.numbers() == [2]
            core_of(reader).cache.clear()
            core_of(reader).roots.drop(seen.state)
            if open_files:
                assert seen.at(mark).values().times.tolist() == expected
            else:
                core_of(reader).segments.close()
                for ask in (seen.at, seen.changes):
                    with pytest.raises(Outdated):
                        ask(mark)
            assert seen.count() == 1_012
            assert len(seen.values()) == 1_012

    @pytest.mark.parametrize("tolerant", [True, False])
    def test_a_view_by_a_reader_that_has_not_looked(self, tmp_path: Path, tolerant: bool) -> None:
        path = tmp_path / "a.otr"
        with (
            otrdb.open(path) as archive,
            otrdb.open(path, mode="r") as reader,
            patch.object(compaction, "READER_SECONDS", -1),
        ):
            stream = archive.create("plant")
            fill(stream, 0, 1_000)
            view = reader.stream("plant").at(stream.flush())
            self.prune_and_give_back(archive, stream)
            assert core_of(archive).segments.numbers() == [2]
            core_of(reader).cache.clear()
            core_of(reader).segments.close()
            with pytest.raises(Outdated):
                (view.leaving_out_damage() if tolerant else view).values()
            assert view.count() == 1_000  # what was read of it is right
