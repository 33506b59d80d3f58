"""Ctrl-C, no memory, the end of the interpreter: no interrupt loses what was acknowledged."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import otrdb
from otrdb.engine import pending
from otrdb.errors import VersionNotAvailable, WriteFailed
from otrdb.testing.medium import FaultyFile, FaultyMedium, everything
from otrdb.testing.power_cuts import opened
from tests.engine.support import core_of

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb import Archive, Stream

STREAMS = 5


@pytest.fixture
def medium() -> FaultyMedium:
    return FaultyMedium()


def plant(medium: FaultyMedium) -> tuple[Archive, tuple[Stream, ...]]:
    archive = opened(medium)
    return archive, tuple(archive.create(f"plant/{number}") for number in range(STREAMS))


def insert_wide(archive: Archive, streams: tuple[Stream, ...], turn: int) -> None:
    archive.insert_columns(np.arange(STREAMS), np.full(STREAMS, turn), np.ones(STREAMS), streams)


def once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """The next call of ``owner.name`` is interrupted."""
    real = getattr(owner, name)

    def interrupted(*_: Any, **__: Any) -> None:
        monkeypatch.setattr(owner, name, real)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)


def test_wide_batches_outlive_an_interrupt_while_they_are_sorted(
    medium: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, streams = plant(medium)
    for turn in range(10):
        insert_wide(archive, streams, turn)
    once(monkeypatch, pending, "Run")
    with pytest.raises(KeyboardInterrupt):
        streams[0].count()
    assert [stream.count() for stream in streams] == [10] * STREAMS
    found = core_of(archive).pending
    assert found.points == found.counts.sum()
    archive.close()
    archive = opened(medium)
    assert [stream.count() for stream in archive.streams("plant/")] == [10] * STREAMS


@pytest.mark.parametrize("way", ["add", "add_wide"])
def test_after_an_insert_was_interrupted_half_way_nothing_is_committed(
    medium: FaultyMedium, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Its record is in the journal: a commit would leave out what a replay brings in, for some streams."""
    archive, streams = plant(medium)
    insert_wide(archive, streams, 0)
    once(monkeypatch, pending.Pending, way)
    with pytest.raises(KeyboardInterrupt):
        streams[0].insert(1, 1.0) if way == "add" else insert_wide(archive, streams, 1)
    with pytest.raises(WriteFailed):
        archive.flush()
    assert [stream.count() for stream in streams] == [1] * STREAMS
    archive = opened(medium.crash(everything))
    counts = {stream.count() for stream in archive.streams("plant/")[1:]}
    assert len(counts) == 1, "the batch is there in part"


def test_a_version_of_a_commit_that_may_be_on_the_disk_is_not_told_again(
    medium: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (stream, *_) = plant(medium)
    stream.insert([1, 2, 3], [1.0, 2.0, 3.0])
    real = FaultyFile.sync

    def fail_while_a_point_arrives(file: FaultyFile) -> None:
        monkeypatch.setattr(FaultyFile, "sync", real)
        inserting = threading.Thread(target=stream.insert, args=(4, 4.0))
        inserting.start()
        inserting.join()
        medium.fail("sync")
        real(file)

    monkeypatch.setattr(FaultyFile, "sync", fail_while_a_point_arrives)
    with pytest.raises(WriteFailed):
        stream.flush()
    told = stream.version
    assert stream.at(told).count() == 4
    again = opened(medium.crash(everything)).stream(stream.uuid)
    assert again.state.committed.version > 10, "the commit is on the disk after all"
    with pytest.raises(VersionNotAvailable):
        again.at(told).count()


AT_EXIT = """
import atexit, sys
import numpy as np
import otrdb

db = otrdb.open(sys.argv[1], durability="interval=10s")
wide, small = db.create("wide"), db.create("small")
wide.insert(np.arange(100_000), np.random.default_rng(0).random(100_000))
wide.insert([10, 50_000, 99_000], [1.0, 2.0, 3.0])
wide.version
small.insert(1, 1.0)
atexit.register(db.close)
"""


def test_an_archive_may_be_closed_while_the_interpreter_ends(tmp_path: Path) -> None:
    path = tmp_path / "archive.otr"
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with otrdb.open(path) as archive:
        journal = core_of(archive).journal
        assert journal is not None
        assert not journal.unclean
        assert archive.stream("small").count() == 1
        assert archive.stream("wide").count() == 100_003
