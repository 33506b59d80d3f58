"""Inspection: every byte of the files in words, by the layouts that wrote it; damage is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otrdb
from otrdb import Kind
from otrdb.errors import InvalidArgument, NoSuchStream, NotAnArchive, VersionNotAvailable
from otrdb.storage.blocks import BLOCK_HEADER
from otrdb.storage.groups import GROUP_RECORD
from otrdb.storage.journal_records import RECORD_HEADER
from otrdb.tree.chains import CHAIN_ENTRY, CHAIN_HEAD
from otrdb.tree.leaf_block import LEAF_HEAD, LEAF_PAGE
from otrdb.tree.node_block import NODE_CHILD, NODE_HEAD
from otrdb.tree.sections import SECTIONS_ENTRY, SECTIONS_HEAD
from tests.engine.support import SECOND, fill, flip
from tests.storage.test_layouts import PAGE

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb import Inspection
    from otrdb.layout import Layout

LAYOUTS: dict[str, Layout] = {
    "block header": BLOCK_HEADER,
    "group": GROUP_RECORD,
    "leaf": LEAF_HEAD,
    "pages": LEAF_PAGE,
    "node": NODE_HEAD,
    "children": NODE_CHILD,
    "chain": CHAIN_HEAD,
    "entries": CHAIN_ENTRY,
    "sections": SECTIONS_HEAD,
    "section entries": SECTIONS_ENTRY,
    "record": RECORD_HEADER,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a stream of each kind, a chain, leaves in sections, and points in the journal only."""
    path = tmp_path_factory.mktemp("inspection") / "archive.otr"
    noise = np.random.default_rng(7)
    with otrdb.open(path) as db:
        for kind in Kind:
            stream = db.create("plant", kind=kind, tags={"name": kind.value})
            times = np.arange(30_000) * SECOND
            stream.insert(times, noise.integers(0, 2, len(times)).astype(kind.dtype))
        still = db.create("clock", kind="int")
        still.insert(np.full(20_000, 7), np.arange(20_000))
        grown = db.create("grown", kind="int")
        for first in (0, 20_000):
            grown.insert((first + np.arange(20_000)) * SECOND, np.arange(20_000))
        db.flush()
        fill(db.stream("plant", name="float"), 40_000, 5)
        db.insert({still: (8, 1), db.stream("plant", name="int"): ([1, 2], [3, 4])})
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    copy = tmp_path / "archive.otr"
    copy.mkdir()
    for file in made.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    return copy


def segment(path: Path) -> Path:
    return path / "segment-00000001.otr"


def journal(path: Path) -> Path:
    return path / "journal-00000001.otj"


def rows(path: Path) -> list[dict[str, Any]]:
    with otrdb.inspect(path) as files:
        return list(files.segment(1))


def test_the_blocks_fill_their_segment(made: Path) -> None:
    listed = rows(made)
    assert all(row["sound"] for row in listed)
    assert {row["type"] for row in listed} == {"leaf", "node", "chain", "sections", "group record"}
    ends = [row["offset"] + row["bytes"] for row in listed]
    assert [row["offset"] for row in listed] == [48, *ends[:-1]]
    assert ends[-1] == segment(made).stat().st_size


def test_every_field_is_the_layouts(made: Path) -> None:
    content, met = segment(made).read_bytes(), set()
    with otrdb.inspect(made) as files:
        for row in files.segment(1):
            dump = files.block(1, row["offset"])
            assert dump.sound
            json.dumps(dump.plain(), allow_nan=False)
            for section in dump.sections:
                layout = LAYOUTS.get(section.name)
                if layout is None or list(section.records[:1]) == [] or "entry" in section.records[0]:
                    continue
                met.add(section.name)
                for index, record in enumerate(section.records):
                    at = section.offset + index * layout.size
                    assert_is(content, at, layout, record)
    assert met == set(LAYOUTS) - {"record"}


def assert_is(content: bytes, at: int, layout: Layout, record: Any) -> None:
    """The record is what stands at that place; names and uuids are told as text."""
    for name, value in layout.named(layout.unpack_from(content, at)).items():
        assert isinstance(value, bytes) or record[name] == value


@pytest.mark.parametrize("kind", list(Kind))
def test_a_tree_can_be_followed_from_its_root_to_its_points(made: Path, kind: Kind) -> None:
    def below(files: Inspection, place: tuple[int, int]) -> list[tuple[int, Any]]:
        dump = files.block(*place, points=True).plain()
        if "points" in dump:
            return [(point["time"], point["value"]) for point in dump["points"]]
        if "sections" in dump:
            return [
                point
                for entry in dump["section entries"]
                for point in below(files, (entry["segment"], entry["offset"]))
            ]
        assert sum(row["count"] for row in dump["rows"]) == sum(child["count"] for child in dump["children"])
        found: list[tuple[int, Any]] = []
        for child in dump["children"]:
            found += below(files, (child["segment"], child["offset"])) if child["kind"] else []
        return found

    with otrdb.open(made, mode="r") as db, otrdb.inspect(made) as files:
        stream = db.stream("plant", name=kind.value)
        committed = stream.at(11)
        assert below(files, files.root(f"plant/{kind.value}")) == list(map(tuple, committed.values()))
        assert files.root(str(stream.uuid)) == files.root(f"plant/{kind.value}")


def test_roots_of_versions_are_found(path: Path) -> None:
    with otrdb.open(path) as db:
        stream = db.stream("clock")
        before = stream.flush()
        after = stream.delete(0, 8)
    with otrdb.inspect(path) as files:
        assert files.root("clock", after) == files.root("clock") != files.root("clock", before)
        with pytest.raises(VersionNotAvailable):
            files.root("clock", after + 1)
        with pytest.raises(NoSuchStream):
            files.root("clocks")


def test_a_damaged_block_hides_no_other(path: Path) -> None:
    sound = rows(path)
    content = segment(path).read_bytes()
    for row in sound:
        for inside in (0, 5, 9, 14, row["head"] + 15):
            flip(segment(path), row["offset"] + inside)
            with otrdb.inspect(path) as files:
                listed = list(files.segment(1))
                dump = files.block(1, row["offset"])
                json.dumps(dump.plain(), allow_nan=False)
            assert not dump.sound
            assert any("not what was written" in section.note for section in dump.sections)
            rest = [each for each in sound if each != row]
            if inside in (0, 14, row["head"] + 15):  # the length in the header is as it was
                assert [each for each in listed if each["sound"]] == rest
            else:
                assert all(each in rest for each in listed if each["sound"])
            assert sum(each["bytes"] for each in listed) == len(content) - 48
            segment(path).write_bytes(content)


def test_the_pages_of_a_leaf_are_proved_one_by_one(path: Path) -> None:
    leaf = next(row for row in rows(path) if row["type"] == "leaf")
    with otrdb.inspect(path) as files:
        before = files.block(1, leaf["offset"], points=True).plain()
    flip(segment(path), before["pages"][1]["at"])
    with otrdb.inspect(path) as files:
        dump = files.block(1, leaf["offset"], points=True)
    after = dump.plain()
    assert not dump.sound
    assert [page["sound"] for page in after["pages"]] == [index != 1 for index in range(len(before["pages"]))]
    first, second = (page["points"] for page in before["pages"][:2])
    assert after["points"] == before["points"][:first] + before["points"][first + second :]


def test_any_bytes_can_be_looked_at(path: Path) -> None:
    size = segment(path).stat().st_size
    noise = np.random.default_rng(1)
    with otrdb.inspect(path) as files:
        for offset in noise.integers(48, size - 16, 300).tolist():
            json.dumps(files.block(1, offset, points=True).plain(), allow_nan=False)
        for offset in range(64, 700, 8):
            json.dumps(files.record(1, offset).plain(), allow_nan=False)
        for place in ((1, 0), (1, size - 3), (1, size + 10), (2, 48)):
            with pytest.raises(InvalidArgument):
                files.block(*place)
        with pytest.raises(InvalidArgument):
            files.record(1, 8)


def test_the_records_of_the_journal(path: Path) -> None:
    content = journal(path).read_bytes()
    with otrdb.inspect(path) as files:
        listed = list(files.journal(1))
        assert [row["type"] for row in listed] == ["points", "points", "closed"]
        assert [(row["parts"], row["points"]) for row in listed] == [(1, 5), (2, 3), (0, 0)]
        assert all(row["sound"] for row in listed)
        for row in listed:
            dump = files.record(1, row["offset"])
            assert dump.sound
            assert_is(content, row["offset"], RECORD_HEADER, dump.plain()["record"])
        wide = files.record(*files.with_lsn(listed[1]["lsn"])).plain()
        assert [(point["time"], point["integer"]) for point in wide["points"]] == [(8, 1), (1, 3), (2, 4)]
        with pytest.raises(InvalidArgument):
            files.with_lsn(10**9)


def test_a_damaged_record_is_a_gap_before_the_next(path: Path) -> None:
    with otrdb.inspect(path) as files:
        sound = list(files.journal(1))
    flip(journal(path), sound[0]["offset"] + 50)
    with otrdb.inspect(path) as files:
        listed = list(files.journal(1))
        assert [row["sound"] for row in listed] == [False, True, True]
        assert listed[1:] == sound[1:]
        assert listed[0]["bytes"] == sound[0]["bytes"]
        assert not files.record(1, 64).sound


def test_files_are_listed_with_their_headers(path: Path) -> None:
    flip(segment(path), 20)
    with otrdb.inspect(path) as files:
        first, second = files.files()
    assert (first["file"], first["sound"], first["number"]) == ("segment-00000001.otr", False, 1)
    assert (second["file"], second["sound"], second["epoch"]) == ("journal-00000001.otj", True, 1)


def test_an_archive_that_does_not_open_can_be_looked_at(path: Path) -> None:
    content = bytearray(segment(path).read_bytes())
    content[:48] = bytes(48)
    segment(path).write_bytes(content.replace(b"OTRGROUP", b"OTRGR0UP"))
    (path / "catalog.sqlite").unlink()
    with pytest.raises(otrdb.OtrError):
        otrdb.open(path)
    listed = rows(path)
    assert {"leaf", "node", "chain"} <= {row["type"] for row in listed if row["sound"]}


def test_something_else_is_no_archive(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotAnArchive):
            otrdb.inspect(path)


def test_words_of_rows_are_those_of_the_format() -> None:
    documented = PAGE.partition("| word | float | int and bool |")[2].partition("\n\n")[0]
    words = [line.split("|")[2].strip().partition(",")[0] for line in documented.strip().split("\n")[1:]]
    assert words == [
        "count",
        "min",
        "max",
        "value of the first point in (time",
        "value of the last",
        "M2",
        "mean",
        "0",
    ]
