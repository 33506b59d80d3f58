"""Many live streams: each in turn gets 10 points and is looked at, all within the memory budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import child
from benchmarks.asking import milliseconds
from benchmarks.contenders import TREE, MeasuredArchive, MeasuredStream, tree
from benchmarks.context import STREAM, Context
from benchmarks.machine import held_memory, peak_memory
from benchmarks.timing import repeated
from benchmarks.workload import SECOND, START

from .tail import ARRIVING, MINUTE, POINTWIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "rotation"
_MINUTES_BEFORE = 10


def run(context: Context) -> None:
    """The tree, in a process of its own."""
    if not any(contender.name == TREE for contender in context.contenders):
        return
    path, streams = context.fresh("rotation"), context.profile.live_streams
    found = child.call(f"{__name__}:rotate", path=str(path), streams=streams, rounds=2 * streams)
    case = {"streams": streams}
    context.figures.add(NAME, "round", TREE, "ms", found["milliseconds"], **case)
    context.figures.add(NAME, "peak memory", TREE, "bytes", [found["peak"]], **case)
    context.figures.add(NAME, "memory before", TREE, "bytes", [found["before"]], **case)


def rotate(path: str, streams: int, rounds: int) -> dict[str, object]:
    """In a process of its own: ms of each round, and memory."""
    before = held_memory()
    archive = tree("interval").open(Path(path))
    live = [archive.create(f"{STREAM}/{number}") for number in range(streams)]
    _history(archive, live)
    calls = _rounds(live)
    spent = [repeated(lambda: next(calls), 1)[0] for _ in range(rounds)]
    archive.close()
    return {"milliseconds": milliseconds(spent), "before": before, "peak": peak_memory()}


def _history(archive: MeasuredArchive, live: list[MeasuredStream]) -> None:
    """Ten minutes at 1 Hz for every stream, a minute a batch."""
    index = np.repeat(np.arange(len(live)), 60)
    for minute in range(_MINUTES_BEFORE):
        times = START + minute * MINUTE + np.tile(np.arange(60) * SECOND, len(live))
        archive.insert_columns(index, times, np.sin(index + times / 1e12), live)


def _rounds(live: list[MeasuredStream]) -> Iterator[None]:
    """Every step: the next 10 points of the next stream, and a view of its last minute."""
    steps = np.arange(ARRIVING) * SECOND
    now = START + _MINUTES_BEFORE * MINUTE
    while True:
        for stream in live:
            stream.insert(now + steps, np.sin(steps / 1e9))
            end = now + ARRIVING * SECOND
            stream.aligned_windows(end - MINUTE, end, POINTWIDTH)
            yield
        now += ARRIVING * SECOND
