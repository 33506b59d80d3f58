"""Bulk insert of other shapes of data: a random walk, an integer counter, a bool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.racing import record
from benchmarks.workload import counter, flag, random_walk

from .bulk import heat

if TYPE_CHECKING:
    from benchmarks.context import Context

NAME = "kinds"


def run(context: Context) -> None:
    """Rates of everyone for each shape."""
    points = context.profile.kind_points
    for workload in (random_walk(), counter(), flag()):
        record(context, NAME, [heat(context, workload, points)], shape=workload.name, points=points)
