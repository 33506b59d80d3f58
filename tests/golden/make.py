"""``python -m tests.golden.make``: writes the golden store of the present format, and what it must answer.

Done once for a format, when it gets its promise; the store is kept for ever after that, and never made again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zlib import crc32

import numpy as np

from otrdb.engine.core import Budget
from otrdb.engine.opening import open_medium
from otrdb.errors import Thinned
from otrdb.model import Kind
from otrdb.results import ALL_COLUMNS
from otrdb.storage.directory import Directory
from otrdb.storage.durability import Durability
from otrdb.storage.headers import FORMAT
from otrdb.testing.witness import digest

if TYPE_CHECKING:
    from otrdb import Archive, Stream
    from otrdb.interface import ReadsLike

HERE = Path(__file__).parent
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
ANSWERS = "answers.json"


def opened(path: Path, *, writable: bool = True) -> Archive:
    """With small segments and a small journal, so that there are several of each; no catalog is left."""
    return open_medium(
        Directory(path, readonly=not writable),
        writable=writable,
        durability=Durability.parse("sync"),
        budget=Budget(32 << 20),
        journal_cap=64 << 10,
        segment=12 << 10,
    )


def answers(archive: Archive) -> dict[str, Any]:
    """All that an archive can be asked for, in numbers."""
    core = archive._engine.core
    return {
        "archive": str(core.segments.archive),
        "streams": {str(stream.uuid): _stream(archive, stream) for stream in archive.streams()},
        "snapshots": {name: _snapshot(archive, name) for name in archive.snapshots()},
        "rules": [list(rule) for rule in archive.rules()],
    }


def _stream(archive: Archive, stream: Stream) -> dict[str, Any]:
    latest, number = stream.latest(), stream.state.number
    versions = [kept.version for kept in archive._engine.core.catalog.versions(number)]
    return {
        "kind": stream.kind.value,
        "collection": stream.collection,
        "tags": stream.tags,
        "annotations": stream.annotations,
        "property version": stream.property_version,
        "points": stream.count(),
        "latest": None if latest is None else [latest.time, str(latest.value)],
        "digest": _digest(stream),
        "versions": {str(version): _digest(stream.at(version)) for version in versions},
    }


def _digest(reads: ReadsLike) -> int:
    """Of all points and windows; where points were thinned, of the windows."""
    try:
        return digest(reads)
    except Thinned:
        columns = reads.zoom(points=50, columns=ALL_COLUMNS).to_numpy().values()
        return crc32(b"".join(column.tobytes() for column in columns))


def _snapshot(archive: Archive, name: str) -> dict[str, int]:
    with archive.open_snapshot(name) as snapshot:
        return {str(stream.uuid): snapshot.view(stream).count() for stream in snapshot.streams()}


def fill(archive: Archive) -> None:
    """Everything the format has: every kind, block, entry and record."""
    rng = np.random.default_rng(1)
    streams = {
        kind: archive.create(
            f"plant/{kind.value}",
            kind=kind,
            tags={"name": kind.value, "unit": "°C"},
            annotations={"note": "first"},
            uuid=UUID(int=number + 1),
        )
        for number, kind in enumerate(Kind)
    }
    heat, count, flag = streams.values()
    for turn in range(4):
        times = START + SECOND * np.arange(3_000 * turn, 3_000 * turn + 3_000)
        heat.insert(times, np.round(rng.normal(20, 1, 3_000), 1))
        count.insert(times, np.cumsum(rng.integers(0, 3, 3_000)))
        flag.insert(times, rng.random(3_000) < 0.9)
        archive.flush()
    heat.insert(
        START + SECOND * rng.integers(0, 9_000, 200), rng.normal(30, 1, 200).round(1), merge="replace"
    )
    heat.delete(START + 400 * SECOND, START + 900 * SECOND)
    archive.snapshot(name="before").close()
    still = archive.create("plant/still", kind="int", uuid=UUID(int=10))
    still.insert(np.full(17_000, START), np.arange(17_000) % 7)
    rare = archive.create("plant/rare", uuid=UUID(int=11))
    rare.insert(START + 10**15 * np.arange(40), np.arange(40.0))
    archive.create("plant/empty", uuid=UUID(int=12))
    gone = archive.create("plant/gone", uuid=UUID(int=13))
    gone.insert(START + SECOND * np.arange(6_000), rng.normal(size=6_000))
    archive.flush()
    archive.set_retention("3650d", prefix="plant/")
    archive.set_retention("forever", stream=heat)
    archive.set_history("1ns,1ns,1ns")
    archive.set_history("all", stream=count)
    heat.update(annotations={"note": "second"})
    archive.snapshot(name="dropped").close()
    archive.drop_snapshot("dropped")
    gone.obliterate()
    count.insert(START + SECOND * np.arange(20_000, 20_300), np.arange(300))
    archive.flush()
    archive.expire(now=START + 40 * 86_400 * SECOND)
    archive.compact()
    fast = archive.create("plant/fast", uuid=UUID(int=14))
    fast.insert(START + SECOND // 10 * np.arange(600_000), np.arange(600_000) // 1_000 % 7 * 0.5)
    fast.insert(START + 3 * 86_400 * SECOND, 1.5)
    holes = archive.create("plant/holes", kind="bool", uuid=UUID(int=15))
    holes.insert(START + SECOND // 10 * np.arange(120_000), np.arange(120_000) % 1_000 < 500)
    holes.delete(START + 2_000 * SECOND, START + 10_000 * SECOND)
    archive.set_thinning("1d", stream=fast)
    archive.expire(now=START + 3 * 86_400 * SECOND)
    for turn in range(3):  # small commits of a live stream
        heat.insert(START + SECOND * np.arange(30_000 + 50 * turn, 30_050 + 50 * turn), rng.normal(size=50))
        archive.flush()
    heat.insert(START + SECOND * 40_000, 1.5)  # stays pending
    archive.insert(
        {count: ([START - SECOND, START - SECOND], [1, 2]), flag: ([START], [True])}, merge="retain"
    )


def main() -> None:
    """The command."""
    place = HERE / f"format-{FORMAT}"
    if place.exists():
        raise SystemExit(f"{place} is there, for ever.")
    work = place.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    archive = opened(work)
    fill(archive)
    expected = answers(archive)
    shutil.copytree(work, place)  # as a power cut would leave it: points are pending
    archive.close()
    shutil.rmtree(work)
    (place / ANSWERS).write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
