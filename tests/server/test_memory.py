"""A long answer takes the memory of a piece of it, however long it is."""

import tracemalloc
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

import otrdb
from otrdb.server import service
from otrdb.server.rpc import Door
from otrdb.wire import btrdb

POINTS = 1_000_000
"""Together 16 MB as two columns, 20 MB as messages."""

MOST = 10 << 20
"""Bytes an answer may take at a time: of 65,536 points as columns, of a message, and of the tree's cache."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("long")
    with otrdb.open(path / "archive.otr", durability="off", memory=16 << 20) as db:
        stream = db.create("plant")
        rng = np.random.default_rng(7)
        stream.insert(np.arange(POINTS) * 1000, rng.normal(size=POINTS))
        yield db


def peak_of(messages: Iterable[bytes]) -> tuple[int, int]:
    """The most bytes that were held while the messages came and went, and how many bytes they had."""
    total = 0
    tracemalloc.start()
    try:
        for message in messages:
            total += len(message)
        return tracemalloc.get_traced_memory()[1], total
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "request_type", "fields"),
    [
        ("RawValues", "RawValuesParams", {}),
        ("ArrowRawValues", "ArrowRawValuesParams", {}),
        ("ArrowMultiValues", "ArrowMultiValuesParams", {}),
        ("ArrowMultiValues", "ArrowMultiValuesParams", {"snapPeriodNs": 900}),
        ("AlignedWindows", "AlignedWindowsParams", {"pointWidth": 10}),
        ("Windows", "WindowsParams", {"width": 1000}),
        ("ArrowWindows", "WindowsParams", {"width": 1000}),
    ],
)
def test_a_long_answer(archive: otrdb.Archive, name: str, request_type: str, fields: dict[str, int]) -> None:
    (stream,) = archive.streams()
    (rpc,) = [rpc for rpc in service.RPCS if rpc.name == name]
    uuid = [stream.uuid.bytes] if "Multi" in name else stream.uuid.bytes
    request = getattr(btrdb, request_type)(uuid=uuid, start=0, end=POINTS * 1000, **fields)
    peak, total = peak_of(rpc.answer(Door(archive), request))
    assert total > 15 << 20
    assert peak < MOST
