"""Live tail: 10 points arrive, the last minute is looked at, again and again."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.asking import milliseconds
from benchmarks.contenders import TREE, Contender, MeasuredStream, tree
from benchmarks.context import STREAM, Context
from benchmarks.timing import Call, interleaved
from benchmarks.workload import SECOND, Batch, sensor

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "tail"
ARRIVING = 10
MINUTE = 60 * SECOND
POINTWIDTH = 26
"""67 ms: a minute in about 900 windows."""

_BEFORE = 10_000
"""Points that are there when the rounds begin: more than a minute."""


def run(context: Context) -> None:
    """Everyone at 100 Hz; the tree also with `interval`."""
    takers = list(context.contenders)
    if any(contender.name == TREE for contender in takers):
        takers.append(tree("interval"))
    with ExitStack() as stack:
        calls = {contender.name: _rounds(context, stack, contender) for contender in takers}
        spent = interleaved(calls, context.profile.tail_rounds, 10 * context.profile.seconds)
    for name, seconds in spent.items():
        context.figures.add(NAME, "round", name, "ms", milliseconds(seconds))


def _rounds(context: Context, stack: ExitStack, contender: Contender) -> Call:
    archive = contender.open(context.fresh(contender.name))
    stack.callback(archive.close)
    stream = archive.create(STREAM)
    (history,) = sensor().batches(_BEFORE, _BEFORE)
    stream.insert(*history)
    arriving = sensor(seed=2).batches(_BEFORE + ARRIVING * context.profile.tail_rounds, ARRIVING)
    return tail_round(stream, _after(arriving, int(history.times[-1])))


def _after(batches: Iterator[Batch], time: int) -> Iterator[Batch]:
    return (batch for batch in batches if batch.times[0] > time)


def tail_round(stream: MeasuredStream, arriving: Iterator[Batch]) -> Call:
    """Each call inserts the next points and views the minute that ends with them."""

    def round_() -> None:
        batch = next(arriving)
        stream.insert(batch.times, batch.values)
        end = int(batch.times[-1]) + 1
        stream.aligned_windows(end - MINUTE, end, POINTWIDTH)

    return round_
