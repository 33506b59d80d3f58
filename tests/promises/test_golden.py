"""Stores of every format that has a promise open for ever, and answer what they always answered."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import otrdb
from otrdb.storage.directory import Directory
from otrdb.storage.groups import GROUP_TYPE
from otrdb.storage.headers import FORMAT, SEGMENT_HEADER
from otrdb.storage.records import ENTRIES, decode
from otrdb.storage.segments import SegmentStore
from otrdb.tree import NAMES, ChildKind
from otrdb.tree.node_block import NODE_TYPE, decode_node
from tests.golden.make import ANSWERS, HERE, answers, opened

if TYPE_CHECKING:
    from pathlib import Path

STORES = sorted(HERE.glob("format-*"))


@pytest.fixture(params=STORES, ids=lambda store: store.name)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden store, without what is not part of it."""
    copy = tmp_path / "a.otr"
    shutil.copytree(request.param, copy, ignore=shutil.ignore_patterns(ANSWERS))
    return copy


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Any:
    found = request.node.callspec.params["store"]
    return json.loads((found / ANSWERS).read_text())


def test_there_is_one_of_this_format() -> None:
    assert HERE / f"format-{FORMAT}" in STORES


def test_the_store_of_this_format_has_all_it_has() -> None:
    segments = SegmentStore(Directory(HERE / f"format-{FORMAT}", readonly=True))
    entries, blocks, children = set[type](), set[int](), set[int]()
    for found in segments.scan(report=lambda _: None):
        entries |= {type(entry) for entry in decode(found.payload)}
    for number, size in segments.sizes().items():
        for _, block in segments.blocks(number, SEGMENT_HEADER.size, size):
            assert block is not None
            blocks.add(block.type)
            if block.type == NODE_TYPE:
                children |= {child.kind for child in decode_node(block.head).children}
    assert entries == {entry for entry, _ in ENTRIES.values()}
    assert blocks == {GROUP_TYPE, *NAMES}
    assert children == set(ChildKind)


def test_it_answers_what_it_always_answered(store: Path, expected: Any) -> None:
    for writable in (False, True, True):
        with opened(store, writable=writable) as archive:
            assert answers(archive) == expected
            assert list(archive.check(deep=True)) == []


def test_it_goes_on(store: Path, expected: Any) -> None:
    """By the usual door, with a catalog, and through all that changes an archive."""
    assert otrdb.repair(store) == []
    with otrdb.open(store) as archive:
        assert answers(archive)["streams"].keys() == expected["streams"].keys()
        for stream in archive.streams():
            stream.insert([1, 2], [1, 0])
            before = expected["streams"][str(stream.uuid)]["points"]
            assert stream.count() == before + 2
            assert stream.delete(0, 3) > 0
            assert stream.count() == before
        archive.compact()
        assert list(archive.check(deep=True)) == []
