"""The memory setting holds: 2,000 streams written and asked by a process that may have 256 MB, all told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 256 << 20
STREAMS = 2_000
EACH = 250
GROUPS = Path("/sys/fs/cgroup")

CHILD = """
import json, os, sys
from pathlib import Path

path, group, streams, rounds, each = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
(group / "cgroup.procs").write_text(str(os.getpid()))

import numpy as np
import otrdb

with otrdb.open(path, durability="interval") as db:
    live = tuple(db.create(f"plant/{number:04d}") for number in range(streams))
    index = np.repeat(np.arange(streams), each)
    for number in range(rounds):
        times = 10**9 * np.tile(np.arange(number * each, (number + 1) * each), streams)
        db.insert_columns(index, times, (index + times // 10**9 % 97) * 0.25, live)
        if number % 10 == 9:
            for stream in live[number :: streams // 20]:
                assert stream.count() == (number + 1) * each
                assert stream.zoom(points=500).count.sum() == (number + 1) * each
                assert len(stream.values(0, 5_000 * 10**9)) == min((number + 1) * each, 5_000)
    sums = {stream.collection: float(stream.windows(0, rounds * each * 10**9, rounds * each * 10**9,
            columns=["sum"]).sum[0]) for stream in live}
    wrong = [finding.message for finding in db.check(deep=False)]
print(json.dumps([sums, wrong]))
"""


def made_group(name: str) -> Path | None:
    """A control group with this much memory; None where none can be made."""
    unified = (GROUPS / "cgroup.controllers").exists()
    parent, setting = (GROUPS, "memory.max") if unified else (GROUPS / "memory", "memory.limit_in_bytes")
    try:
        group = parent / name
        group.mkdir()
        (group / setting).write_text(str(LIMIT))
    except OSError:
        return None
    return group


@contextmanager
def small_memory() -> Iterator[Path]:
    group = made_group(f"otrdb-test-{os.getpid()}")
    if group is None:
        pytest.skip("no control group for memory may be made here")
    try:
        yield group
    finally:
        group.rmdir()


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(
    "rounds", [pytest.param(10, id="5M"), pytest.param(200, id="100M", marks=pytest.mark.slow)]
)
def test_2_000_streams_in_256_megabytes(disk_path: Path, rounds: int) -> None:
    with small_memory() as group:
        numbers = map(str, (STREAMS, rounds, EACH))
        command = [sys.executable, "-c", CHILD, str(disk_path / "a.otr"), str(group), *numbers]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    sums, wrong = json.loads(done.stdout)
    assert wrong == []
    points = rounds * EACH
    steps = 0.25 * sum(second % 97 for second in range(points))
    assert len(sums) == STREAMS
    for collection, total in sums.items():
        assert total == pytest.approx(0.25 * int(collection.rpartition("/")[2]) * points + steps)
