"""Backfill: points older than everything in the large archive, in durable batches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.timing import seconds_of

if TYPE_CHECKING:
    from benchmarks.context import Context, Stored

NAME = "backfill"


def run(context: Context) -> None:
    """Everyone: points per second."""
    for contender in context.contenders:
        stored = context.main(contender)
        points = context.profile.cap(contender.name, context.profile.backfill_points)
        seconds = _insert_older(context, stored, points)
        case = {"points": stored.points, "older": points}
        context.figures.add(NAME, "rate", contender.name, "points/s", [points / seconds], **case)


def _insert_older(context: Context, stored: Stored, points: int) -> float:
    shift = points * stored.workload.interval
    batches = stored.workload.batches(points, context.profile.batch)
    with stored.opened() as (_, stream):
        return sum(seconds_of(partial(stream.insert, times - shift, values)) for times, values in batches)
