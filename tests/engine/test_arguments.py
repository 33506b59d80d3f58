"""Arguments that make no sense are refused in our words, before anything is made or stored."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import otrdb
from otrdb.errors import InvalidArgument, NoSuchSnapshot, NotAnArchive

BAD_SETTINGS: list[dict[str, Any]] = [
    {"mode": "a"},
    {"durability": "often"},
    {"durability": "interval=0s"},
    {"durability": "sync=1s"},
    {"memory": 1 << 20},
    {"journal": 1 << 10},
    {"accept": ("2030-01-01T00:00Z", "2020-01-01T00:00Z")},
    {"accept": (5, 5)},
]


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=str)
def test_a_bad_setting_leaves_nothing_behind(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        otrdb.open(tmp_path / "archive.otr", **settings)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", ["w", "r"])
def test_what_is_no_archive_is_left_alone(mode: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(NotAnArchive):
        otrdb.open(tmp_path, mode=mode)
    with pytest.raises(NotAnArchive):
        otrdb.open(tmp_path / "letter.txt", mode=mode)
    assert os.listdir(tmp_path) == ["letter.txt"]


BAD_CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "create: text for a uuid": lambda db, stream: db.create("other", uuid=str(stream.uuid)),
    "insert: no stream": lambda db, stream: db.insert({5: (1, 1.0)}),
    "insert: one stream of two is none": lambda db, stream: db.insert({stream: (1, 1.0), "heat": (1, 1.0)}),
    "insert: a view": lambda db, stream: db.insert({stream.at(10): (1, 1.0)}),
    "insert: no policy": lambda db, stream: stream.insert(1, 1.0, merge="newest"),
    "create: no kind": lambda db, stream: db.create("other", kind="double"),
    "stream: neither uuid nor collection": lambda db, stream: db.stream(7),
    "insert_columns: a stream beyond": lambda db, stream: db.insert_columns(
        [0, 1], [1, 2], [1.0, 2.0], [stream]
    ),
    "insert_columns: a single stream": lambda db, stream: db.insert_columns([0], [1], [1.0], stream),
    "insert: no mapping": lambda db, stream: db.insert([(stream, 1, 1.0)]),
    "values: a single stream": lambda db, stream: db.values(stream),
    "values: a collection": lambda db, stream: db.values("plant"),
    "values: no way to align": lambda db, stream: db.values([stream], align="left"),
}


@pytest.mark.parametrize("take", ["open_snapshot", "drop_snapshot"])
def test_a_snapshot_that_is_not_there(take: str, tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "archive.otr") as db, pytest.raises(NoSuchSnapshot):
        getattr(db, take)("revision")


@pytest.mark.parametrize("name", list(BAD_CALLS))
def test_a_bad_call_changes_nothing(name: str, tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "archive.otr") as db:
        stream = db.create("plant")
        with pytest.raises(InvalidArgument):
            BAD_CALLS[name](db, stream)
        assert (len(db.streams()), stream.count(), stream.version) == (1, 0, 10)
