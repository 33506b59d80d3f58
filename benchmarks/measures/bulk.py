"""Bulk insert: one stream in durable batches of 100,000, beside pcodec alone on the same columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import child
from benchmarks.contenders import TREE, tree
from benchmarks.context import Context
from benchmarks.profiles import PROFILES
from benchmarks.racing import Laps, race_fresh, record
from benchmarks.workload import Workload, sensor

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "bulk"
ALL_CORES, ONE_CORE = "all", "one"


def run(context: Context) -> None:
    """Rates of everyone, and of the tree on a single core; ratios of every heat to its own pcodec."""
    points = context.profile.bulk_points
    heats = [heat(context, sensor(), points) for _ in range(context.profile.repeats)]
    record(context, NAME, heats, cores=ALL_CORES, points=points)
    if any(contender.name == TREE for contender in context.contenders):
        alone = [_one_core(context, points) for _ in range(context.profile.repeats)]
        record(context, NAME, alone, cores=ONE_CORE, points=points)


def heat(context: Context, workload: Workload, points: int) -> dict[str, Laps]:
    """One race of everyone over ``points`` points; the archives are deleted."""
    laps, archives = race_fresh(context, context.contenders, workload, points)
    for stored in archives:
        stored.remove()
    return laps


def _one_core(context: Context, points: int) -> Mapping[str, Laps]:
    directory, batch = str(context.fresh("one-core")), context.profile.batch
    found = child.call(f"{__name__}:one_core", one_core=True, directory=directory, points=points, batch=batch)
    return {name: Laps(**laps) for name, laps in found.items()}


def one_core(directory: str, points: int, batch: int) -> dict[str, object]:
    """In a process of its own: one heat of the tree and the limits."""
    context = Context(replace(PROFILES["quick"], batch=batch), Path(directory), [tree()])
    laps = heat(context, sensor(), points)
    context.clean()
    return {name: {"seconds": lap.seconds, "points": lap.points} for name, lap in laps.items()}
