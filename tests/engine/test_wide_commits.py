"""Commits of so many streams that their trees are let go as they are written: all or nothing, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from otrdb.engine.commit import SHARED_TREES
from otrdb.errors import DiskFull
from otrdb.testing.medium import FaultyMedium, everything
from otrdb.testing.power_cuts import opened
from tests.engine.support import core_of

if TYPE_CHECKING:
    from otrdb import Archive

STREAMS = SHARED_TREES + 44
POINTS = 100
ROOT = Path(__file__).parents[2]


def insert_all(archive: Archive, first: int, points: int = POINTS) -> None:
    streams = tuple(archive.streams("plant/"))
    index = np.repeat(np.arange(STREAMS), points)
    times = np.tile(first + np.arange(points), STREAMS)
    archive.insert_columns(index, times, (index + times).astype(float), streams)


def counts(archive: Archive) -> set[int]:
    return {stream.count() for stream in archive.streams("plant/")}


@pytest.fixture
def medium() -> FaultyMedium:
    made = FaultyMedium()
    with opened(made) as archive:
        for number in range(STREAMS):
            archive.create(f"plant/{number:03}")
    return made


def test_what_is_written_is_what_was_inserted(medium: FaultyMedium) -> None:
    archive = opened(medium)
    insert_all(archive, 0)
    assert core_of(archive).pending.points == 0, "the batch is a commit of its own"
    insert_all(archive, 50, points=3)
    before = [stream.values().to_numpy() for stream in archive.streams("plant/")]
    archive.flush()
    archive = opened(medium.crash())
    after = [stream.values().to_numpy() for stream in archive.streams("plant/")]
    assert counts(archive) == {POINTS + 3}
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other)
    assert list(archive.check(deep=True)) == []


@pytest.mark.parametrize("room", [0, 2_000, 20_000])
def test_on_a_full_disk_it_never_happened(medium: FaultyMedium, room: int) -> None:
    archive = opened(medium)
    insert_all(archive, 0, points=3)
    assert counts(archive) == {3}
    medium.capacity = medium.used + room
    with pytest.raises(DiskFull):
        insert_all(archive, 10)
    assert counts(archive) == {3}
    medium.capacity = None
    insert_all(archive, 10)
    assert counts(archive) == counts(opened(medium.crash(everything))) == {3 + POINTS}


MEMORY = """
import gc
import numpy as np
from benchmarks.machine import held_memory
from otrdb import tree
from otrdb.model import Kind, Merge

blocks = tree.MemoryBlocks()
source = tree.Source(Kind.FLOAT, blocks, tree.Cache(1 << 30))
addresses = []
for number in range(2_000):
    columns = number + 10**9 * np.arange(60), np.sin(np.arange(60) + number).view(np.int64)
    save = tree.Save(blocks)
    root = tree.insert(tree.Edit(source, 11), tree.empty_root(), columns, Merge.NEVER)
    addresses.append(save.tree(source, root))
    save.abandon()
source.cache.clear()
gc.collect()
before = held_memory()
for address in addresses:
    tree.values(source, source.node_at(address), 0, 1 << 60)
print((held_memory() - before) / source.cache.size)
"""


def test_decoded_leaves_take_the_memory_they_are_accounted_for() -> None:
    """What pcodec's decompressors hold is seen by no Python tool, and was ten times the points."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 0.5 < float(done.stdout) < 1.5
