"""Wide batches: one point of each of 1,000 streams per round, one durable batch a round."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.context import STREAM, Context
from benchmarks.limits import SyncedFile
from benchmarks.racing import SYNC
from benchmarks.timing import Call, interleaved
from benchmarks.workload import SECOND, START

if TYPE_CHECKING:
    from benchmarks.contenders import Contender, MeasuredArchive

NAME = "wide"
BYTES_PER_POINT = 20
"""What a point of such a batch takes in a log: a stream's number, a time and a value."""


def run(context: Context) -> None:
    """Everyone, beside one sync of as many bytes."""
    profile = context.profile
    with ExitStack() as stack:
        calls = {c.name: _rounds(context, stack, c) for c in context.contenders}
        file = SyncedFile(context.fresh("sync"))
        stack.callback(file.close)
        calls[SYNC] = partial(file.write, BYTES_PER_POINT * profile.wide_streams)
        spent = interleaved(calls, profile.wide_rounds, 30 * profile.seconds)
    case = {"streams": profile.wide_streams}
    for name, seconds in spent.items():
        rates = [profile.wide_streams / second for second in seconds]
        context.figures.add(NAME, "rate", name, "points/s", rates, **case)
    for name in (contender.name for contender in context.contenders):
        ratios = [sync / mine for mine, sync in zip(spent[name], spent[SYNC], strict=False)]
        context.figures.add(NAME, "share of one sync", name, "", ratios, **case)


def _rounds(context: Context, stack: ExitStack, contender: Contender) -> Call:
    archive = contender.open(context.fresh(contender.name))
    stack.callback(archive.close)
    return wide_rounds(archive, context.profile.wide_streams)


def wide_rounds(archive: MeasuredArchive, count: int) -> Call:
    """Each call inserts the next second of ``count`` new streams in one batch."""
    streams = tuple(archive.create(f"{STREAM}/{number}") for number in range(count))
    index = np.arange(count, dtype=np.int64)
    values = np.random.default_rng(3).normal(size=count)
    at = START

    def insert() -> None:
        nonlocal at
        at += SECOND
        archive.insert_columns(index, np.full(count, at), values, streams)

    return insert
