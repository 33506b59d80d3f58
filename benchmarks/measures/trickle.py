"""Trickles: many streams at 1 Hz, and what is written to the disk for each byte of their points.

A round is a second: one batch of a point for each stream, synced once, as `interval=1s` does. Rounds follow
each other at once, since bytes do not depend on the pause between them. Half of the rounds come before what
is counted: the journal's files are made then, once and for all. Before and after what is counted everything
is committed, so that nothing is left to be written later.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import child
from benchmarks.contenders import TREE, tree
from benchmarks.context import STREAM, Context
from benchmarks.machine import device_written, written
from benchmarks.workload import POINT_BYTES, SECOND, START

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "trickle"
STREAMS = 200
ASKED = 1_000
"""Streams whose newest point is asked for, by explicit version, after every round."""


def run(context: Context) -> None:
    """The tree, in processes of its own."""
    if not any(contender.name == TREE for contender in context.contenders):
        return
    profile = context.profile
    for case, streams, rounds, asked in (
        ("stored", STREAMS, profile.trickle_rounds, False),
        ("asked", ASKED, profile.asked_rounds, True),
    ):
        path = str(context.fresh(f"{NAME}-{case}"))
        found = child.call(
            f"{__name__}:trickle", path=path, streams=streams, rounds=rounds, asked=float(asked)
        )
        labels: dict[str, float | str] = {"case": case, "streams": streams, "rounds": rounds}
        for counter, share in found.items():
            if share is not None:
                metric = f"written per byte, {counter}"
                context.figures.add(NAME, metric, TREE, "", [share], **labels)


def trickle(path: str, streams: int, rounds: int, asked: float) -> dict[str, float | None]:
    """In a process of its own: bytes written for each byte of points, as the counters say."""
    directory = Path(path)
    directory.mkdir(parents=True)
    archive: Any = tree().open(directory)
    live = tuple(archive.create(f"{STREAM}/{number}") for number in range(streams))
    _rounds(archive, live, range(rounds), ask=False)
    archive.flush()
    before, device = written()["calls"], device_written(directory)
    _rounds(archive, live, range(rounds, 2 * rounds), ask=bool(asked))
    archive.flush()
    after, device_after = written()["calls"], device_written(directory)
    archive.close()
    data = rounds * streams * POINT_BYTES
    if device is None or device_after is None:
        return {"calls": (after - before) / data, "device": None}
    return {"calls": (after - before) / data, "device": (device_after - device) / data}


def _rounds(archive: Any, live: Sequence[Any], rounds: range, *, ask: bool) -> None:  # noqa: ANN401
    """Slowly wandering values with noise, two decimals."""
    index = np.arange(len(live), dtype=np.int64)
    rng = np.random.default_rng(4)
    level = rng.uniform(-50, 50, len(live))
    for number in rounds:
        level += rng.normal(0, 0.05, len(live))
        times = START + SECOND * number + rng.integers(0, SECOND // 1000, len(live))
        archive.insert_columns(index, times, np.round(level + rng.normal(0, 0.1, len(live)), 2), live)
        if ask:
            for stream in live:
                stream.at(stream.version).latest()
