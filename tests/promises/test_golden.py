"""Stores of every format that has a promise open for ever, and answer what they always answered."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import otrdb
from otrdb.storage.headers import FORMAT
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
