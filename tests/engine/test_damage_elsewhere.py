"""Damage in one stream stops no other: not flushing, not inserting, not opening."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import otrdb
from otrdb.errors import Damaged
from otrdb.testing.medium import FaultyMedium, everything
from otrdb.testing.power_cuts import opened
from otrdb.tree import ChildKind
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb import Archive, Stream

SEGMENT = "segment-00000001.otr"


def first_leaf(archive: Archive, stream: Stream) -> int:
    """Where the block of the stream's first leaf begins in its segment."""
    where = stream.state.committed.root
    assert where is not None
    root = stream.state.source.node_at(where)
    while root.children[0].address is not None and root.children[0].kind == ChildKind.NODE:
        root = stream.state.source.node(root.children[0])
    address = root.children[0].address
    assert address is not None
    return int(address[1])


def break_first_leaf(archive: Archive, medium: FaultyMedium, stream: Stream) -> None:
    medium.flip(SEGMENT, first_leaf(archive, stream) + 16 + 60, 3)
    core_of(archive).cache.clear()


def two_streams(medium: FaultyMedium) -> tuple[Archive, Stream, Stream]:
    """An archive of a stream with several leaves, the first one broken, and a sound one."""
    archive = opened(medium)
    broken, sound = archive.create("broken"), archive.create("sound")
    fill(broken, 0, 100_000)
    fill(sound, 0, 10)
    archive.flush()
    break_first_leaf(archive, medium, broken)
    return archive, broken, sound


def test_a_flush_of_all_commits_the_sound_streams_and_tells_of_the_damaged() -> None:
    archive, broken, sound = two_streams(FaultyMedium())
    fill(broken, 0, 3)
    fill(sound, 100, 3)
    with pytest.raises(Damaged):
        archive.flush()
    assert sound.at(sound.flush()).count() == 13
    assert core_of(archive).pending.points == 3
    archive.close()


def test_inserts_go_on_and_the_journal_is_freed_though_a_stream_is_damaged() -> None:
    medium = FaultyMedium()
    archive, broken, sound = two_streams(medium)
    fill(broken, 0, 3)
    for turn in range(400):
        fill(sound, 1_000 * turn, 1_000)
    assert archive.stats()["journal_bytes"] < 3 << 20
    assert sound.count() == 400_010
    archive.close()
    with opened(medium) as archive:
        assert archive.stream("sound").count() == 400_010
        assert core_of(archive).pending.counts[broken.state.number] == 3


def test_what_is_old_goes_of_the_sound_streams_though_another_is_damaged() -> None:
    archive, broken, sound = two_streams(FaultyMedium())
    fill(broken, 0, 3)
    archive.set_retention("1s")
    archive.set_history("1ns,1ns,1ns")
    for dry_run in (True, False):
        with pytest.raises(Damaged):
            archive.expire(now=8 * SECOND, dry_run=dry_run)
    assert sound.count() == 3
    assert [version.version for version in core_of(archive).versions(sound.state)] == [sound.version]
    assert core_of(archive).pending.points == 3
    archive.close()


def test_a_large_batch_into_the_damage_is_refused_and_stores_nothing() -> None:
    archive, broken, sound = two_streams(FaultyMedium())
    with pytest.raises(Damaged):
        archive.insert(
            {
                sound: (np.arange(20_000), np.ones(20_000)),
                broken: (np.arange(20_000), np.ones(20_000)),
            }
        )
    assert sound.count() == 10
    assert broken.count() == 100_000
    fill(sound, 1_000, 20_000)
    assert sound.count() == 20_010
    archive.close()


@pytest.mark.parametrize("dry_run", [True, False])
def test_expiry_of_the_sound_streams_goes_on_and_tells_of_the_damaged(dry_run: bool) -> None:
    archive, broken, sound = two_streams(FaultyMedium())
    archive.set_retention(1)
    with pytest.raises(Damaged) as damage:
        archive.expire(now=5_000 * SECOND + 1, dry_run=dry_run)
    assert damage.value.stream == broken.uuid
    assert broken.count() == 100_000
    assert sound.count() == (10 if dry_run else 0)
    archive.close()


# --- the group that created a stream is lost


def lose_first_group(path: Path) -> None:
    """Break the record of the group that created the first stream, and remove the catalog, which has it."""
    segment = path / SEGMENT
    data = bytearray(segment.read_bytes())
    data[data.index(b"OTRGROUP") + 70] ^= 1
    segment.write_bytes(data)
    (path / "catalog.sqlite").unlink()


@pytest.mark.parametrize("journaled", [False, True])
def test_a_stream_whose_creation_is_lost_stops_no_other(tmp_path: Path, journaled: bool) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        lost, other = archive.create("lost"), archive.create("other")
        fill(lost, 0, 5)
        lost.update(annotations={"a": "b"})
        lost.flush()
        if journaled:
            fill(lost, 10, 5)
        fill(other, 0, 7)
    lose_first_group(path)
    for _ in range(3):
        with otrdb.open(path) as archive:
            assert [stream.collection for stream in archive.streams("other")] == ["other"]
            assert archive.stream("other").count() == 7
        (path / "catalog.sqlite").unlink()
    with otrdb.open(path) as archive:
        findings = [finding.message for finding in archive.check(deep=False)]
        assert any("stream number 1" in finding for finding in findings)


def test_the_number_of_a_lost_stream_is_not_given_again(tmp_path: Path) -> None:
    path = tmp_path / "a.otr"
    with otrdb.open(path) as archive:
        lost = archive.create("lost")
        fill(lost, 0, 5)
        lost.flush()
        fill(lost, 10, 5)
    lose_first_group(path)
    otrdb.open(path).close()
    with otrdb.open(path) as archive:
        fresh = archive.create("fresh")
        assert fresh.count() == 0
        fill(fresh, 0, 2)
    (path / "catalog.sqlite").unlink()
    with otrdb.open(path) as archive:
        assert archive.stream("fresh").count() == 2


def test_a_number_that_only_the_journal_names_is_not_given_again() -> None:
    medium = FaultyMedium()
    archive = opened(medium)
    fill(archive.create("lost"), 0, 5)
    left = medium.crash(everything)
    at = left.contents()[SEGMENT].index(b"OTRGROUP")
    left.flip(SEGMENT, at + 70)
    with opened(left) as archive:
        assert any("stream number 1" in finding.message for finding in archive.check())
        assert archive.create("fresh").count() == 0
    with opened(left) as archive:
        assert archive.stream("fresh").count() == 0
