"""Idle means idle: an archive nobody gives anything to writes nothing and takes no processor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import json, sys, time
from pathlib import Path
import otrdb

path, durability = Path(sys.argv[1]), sys.argv[2]

def written():
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["syscw"])

def files():
    found = ((entry.name, entry.stat()) for entry in path.iterdir() if entry.is_file())
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found}

with otrdb.open(path, durability=durability) as db:
    stream = db.create("plant")
    for second in range(50):
        stream.insert(second * 10**9, 1.0)
    stream.zoom()
    time.sleep(1.0)  # what an interval still had to sync
    before = written(), files(), time.process_time()
    time.sleep(3.0)
    print(json.dumps([written() - before[0], files() == before[1], time.process_time() - before[2]]))
"""


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts of writes are in /proc of Linux only")
@pytest.mark.parametrize("durability", ["sync", "interval=100ms", "off"])
def test_an_idle_archive_writes_nothing_and_rests(disk_path: Path, durability: str) -> None:
    command = [sys.executable, "-c", CHILD, str(disk_path / "a.otr"), durability]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    writes, unchanged, processor = json.loads(done.stdout)
    assert (writes, unchanged) == (0, True)
    assert processor < 0.03, "one per cent of three seconds"
