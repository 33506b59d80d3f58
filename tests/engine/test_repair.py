"""Repair makes the catalog again, and never throws away what only the catalog knows."""

import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest

import otrdb
from otrdb.errors import ArchiveLocked, Damaged, WriteFailed

SECOND = 1_000_000_000
LENGTH = 30_000
SEGMENT, CATALOG = "segment-00000001.otr", "catalog.sqlite"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An archive of two streams: one of several pages, and one written after it."""
    path = tmp_path / "archive.otr"
    with otrdb.open(path) as db:
        first = db.create("plant", tags={"name": "first"})
        first.insert(np.arange(LENGTH) * SECOND, np.random.default_rng(5).normal(size=LENGTH))
        second = db.create("plant", tags={"name": "second"})
        second.insert([1, 2, 3], [1.0, 2.0, 3.0])
        second.flush()
    return path


def counts(path: Path) -> list[int]:
    with otrdb.open(path) as db:
        return [stream.count() for stream in db.streams()]


def contents(path: Path) -> dict[str, bytes]:
    names = (SEGMENT, CATALOG)
    return {name: (path / name).read_bytes() for name in names if (path / name).exists()}


@pytest.mark.parametrize("catalog", [None, b"", b"no database", b"SQLite format 3\0" * 100])
def test_a_lost_catalog_is_made_again(path: Path, catalog: bytes | None) -> None:
    (path / CATALOG).unlink()
    if catalog is not None:
        (path / CATALOG).write_bytes(catalog)
    assert otrdb.repair(path) == []
    assert counts(path) == [LENGTH, 3]


def test_a_sound_archive_stays_as_it_is(path: Path) -> None:
    before = (path / SEGMENT).read_bytes()
    assert otrdb.repair(path) == []
    assert (path / SEGMENT).read_bytes() == before
    assert counts(path) == [LENGTH, 3]


def test_a_segment_cut_short_is_reported_and_nothing_is_changed(path: Path) -> None:
    content = (path / SEGMENT).read_bytes()
    (path / SEGMENT).write_bytes(content[:-200])
    before = contents(path)
    found = otrdb.repair(path)
    assert {each.code for each in found} == {Damaged.code}
    assert "catalog is kept" in found[-1].message
    assert contents(path) == before
    with otrdb.open(path) as db:
        assert db.stream("plant", name="first").count() == LENGTH
        assert list(db.check(deep=False)) != []


def test_a_history_that_lost_its_beginning_is_reported_and_nothing_is_changed(path: Path) -> None:
    content = bytearray((path / SEGMENT).read_bytes())
    content[content.index(b"OTRGROUP") + 10] ^= 1  # the record in which the first stream was created
    (path / SEGMENT).write_bytes(content)
    before = contents(path)
    assert "catalog is kept" in otrdb.repair(path)[-1].message
    assert contents(path) == before
    assert counts(path) == [LENGTH, 3]


def test_without_a_catalog_what_is_left_is_made_accessible(path: Path) -> None:
    content = bytearray((path / SEGMENT).read_bytes())
    content[content.index(b"OTRGROUP") + 10] ^= 1  # the record in which the first stream was created
    (path / SEGMENT).write_bytes(content)
    (path / CATALOG).unlink()
    found = otrdb.repair(path)
    assert {each.code for each in found} == {Damaged.code}
    assert not any("kept" in each.message for each in found)
    assert (path / CATALOG).exists()
    assert counts(path) == [3]


def test_a_loss_the_catalog_knows_nothing_of_does_not_keep_it(path: Path) -> None:
    old = (path / CATALOG).read_bytes()
    with otrdb.open(path) as db:
        for name in ("third", "fourth", "fifth"):
            db.create("plant", tags={"name": name})
    content = bytearray((path / SEGMENT).read_bytes())
    places = [match.start() for match in re.finditer(b"OTRGROUP", content)]
    content[places[-2] + 10] ^= 1  # the record in which the fourth stream was created
    (path / SEGMENT).write_bytes(content)
    (path / CATALOG).write_bytes(old)
    assert not any("kept" in each.message for each in otrdb.repair(path))
    with otrdb.open(path) as db:
        assert [stream.name for stream in db.streams()] == ["fifth", "first", "second", "third"]


def test_a_catalog_that_cannot_be_written_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr("otrdb.storage.catalog._make", refuse)
    (found,) = otrdb.repair(path)
    assert found.code == WriteFailed.code
    monkeypatch.undo()
    assert counts(path) == [LENGTH, 3]


def test_nobody_comes_between_while_the_archive_is_repaired(path: Path) -> None:
    refused = []

    def try_to_write(_: object) -> None:
        with pytest.raises(ArchiveLocked):
            otrdb.open(path)
        refused.append(True)

    assert otrdb.repair(path, progress=try_to_write) == []
    assert refused
    assert counts(path) == [LENGTH, 3]


@pytest.mark.parametrize("mode", ["w", "r"])
def test_an_archive_without_segments_is_not_taken_for_a_new_one(path: Path, mode: str) -> None:
    (path / SEGMENT).unlink()
    before = sorted(entry.name for entry in path.iterdir())
    with pytest.raises(Damaged, match="missing"):
        otrdb.open(path, mode=mode)  # type: ignore[arg-type]
    with pytest.raises(Damaged, match="missing"):
        otrdb.repair(path)
    assert sorted(entry.name for entry in path.iterdir()) == before


def test_nobody_else_may_be_writing(path: Path) -> None:
    with otrdb.open(path), pytest.raises(ArchiveLocked):
        otrdb.repair(path)
    assert counts(path) == [LENGTH, 3]


def test_a_reader_reports_damage_once(path: Path) -> None:
    (path / SEGMENT).write_bytes((path / SEGMENT).read_bytes()[:-200])
    with otrdb.open(path, mode="r") as reader:
        stream = reader.stream("plant", name="first")
        first = list(reader.check(deep=False))
        for _ in range(5):
            stream.count()
        assert list(reader.check(deep=False)) == first
