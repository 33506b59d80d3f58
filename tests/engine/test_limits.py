"""Limits: a client that has gone astray is stopped, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import otrdb
from otrdb.engine import limits
from otrdb.errors import AmbiguousStream, InvalidArgument, TooManyStreams

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


def test_so_many_streams_a_minute_and_no_more(tmp_path: Path, clock: Clock) -> None:
    with otrdb.open(tmp_path, new_streams=3) as archive:
        for number in range(3):
            archive.create(f"a{number}")
            clock.seconds += 10
        with pytest.raises(TooManyStreams, match="3 streams"):
            archive.create("one more")
        assert len(archive.streams()) == 3
        clock.seconds += 30  # a minute after the first
        archive.create("one more")
        with pytest.raises(TooManyStreams):
            archive.create("two more")
        clock.seconds += 60
        for number in range(3):
            archive.create(f"b{number}")
    with otrdb.open(tmp_path) as archive:
        assert len(archive.streams()) == 7


def test_what_was_refused_for_another_reason_does_not_count(tmp_path: Path, clock: Clock) -> None:
    with otrdb.open(tmp_path, new_streams=2) as archive:
        archive.create("a")
        for _ in range(5):
            with pytest.raises(AmbiguousStream):
                archive.create("a")
        archive.create("b")


def test_without_a_limit_there_is_none(tmp_path: Path) -> None:
    with otrdb.open(tmp_path, durability="off") as archive:
        for number in range(50):
            archive.create(f"a{number}")


@pytest.mark.parametrize("most", [0, -1])
def test_a_limit_lets_somebody_in(tmp_path: Path, most: int) -> None:
    with pytest.raises(InvalidArgument, match="new_streams"):
        otrdb.open(tmp_path, new_streams=most)
    otrdb.open(tmp_path).close()
