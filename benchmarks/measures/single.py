"""Single points: one insert at a time, the next point of a 100 Hz stream."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from benchmarks.contenders import TREE, Contender, MeasuredStream, tree
from benchmarks.context import STREAM, Context
from benchmarks.limits import SyncedFile
from benchmarks.racing import SYNC
from benchmarks.timing import Call, interleaved, seconds_of
from benchmarks.workload import sensor

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "single"
RECORD_BYTES = 128
"""About what one point and its record take."""

_SYNCED_SINGLES = 300


def run(context: Context) -> None:
    """Everyone synced, beside one sync; the tree also with its other two durability modes."""
    profile = context.profile
    synced = _insert(context, context.contenders, min(_SYNCED_SINGLES, profile.singles), 10 * profile.seconds)
    _keep(context, synced)
    if TREE in synced:
        ratios = [insert / sync for insert, sync in zip(synced[TREE], synced[SYNC], strict=False)]
        context.figures.add(NAME, "in syncs", TREE, "syncs", ratios)
        _keep(context, {tree(mode).name: _one_after_another(context, mode) for mode in ("interval", "off")})


def _one_after_another(context: Context, durability: str) -> list[float]:
    """Without a sync between them inserts follow each other at once, as a collector's do."""
    contender, rounds = tree(durability), context.profile.singles
    with closing(contender.open(context.fresh(contender.name))) as archive:
        insert = _next_point(archive.create(STREAM), rounds)
        return [seconds_of(insert) for _ in range(rounds)]


def _keep(context: Context, spent: dict[str, list[float]]) -> None:
    for name, seconds in spent.items():
        context.figures.add(NAME, "insert", name, "us", [1e6 * second for second in seconds])


def _insert(
    context: Context, contenders: list[Contender], rounds: int, seconds: float = float("inf")
) -> dict[str, list[float]]:
    with ExitStack() as stack:
        calls: dict[str, Call] = {}
        for contender in contenders:
            archive = contender.open(context.fresh(contender.name))
            stack.callback(archive.close)
            calls[contender.name] = _next_point(archive.create(STREAM), rounds)
        file = SyncedFile(context.fresh("sync"))
        stack.callback(file.close)
        calls[SYNC] = lambda: file.write(RECORD_BYTES)
        return interleaved(calls, rounds, seconds)


def _next_point(stream: MeasuredStream, rounds: int) -> Call:
    points = _points(rounds)
    insert = stream.insert
    return lambda: insert(*next(points))


def _points(count: int) -> Iterator[tuple[int, float]]:
    (batch,) = sensor().batches(count, count)
    return iter(zip(batch.times.tolist(), batch.values.tolist(), strict=True))
