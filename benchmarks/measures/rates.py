"""Rates from 0.01 Hz to 10 kHz: how fast they are stored, how small, and how fast the tree's views are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.asking import FIRST, WARM
from benchmarks.contenders import TREE
from benchmarks.limits import coded_bytes
from benchmarks.profiles import VIEW_RATES
from benchmarks.racing import PCODEC, race_fresh, record
from benchmarks.workload import Workload, sensor

from .footprint import size_figures
from .views import measure_zoom, zooms

if TYPE_CHECKING:
    from benchmarks.context import Context

NAME = "rates"
_LEAVES_AT_ONCE = 1 << 18
"""Points handed to pcodec at once for the size: whole leaves."""


def run(context: Context) -> None:
    """Everyone who takes part in this, at every rate."""
    for rate in context.profile.rates:
        _limit_size(context, sensor(rate))
        _rate(context, sensor(rate))


def _limit_size(context: Context, workload: Workload) -> None:
    points = context.profile.rate_points
    coded = sum(coded_bytes(workload.kind, batch) for batch in workload.batches(points, _LEAVES_AT_ONCE))
    context.figures.add(NAME, "live bytes", PCODEC, "B/point", [coded / points], rate=workload.rate)


def _rate(context: Context, workload: Workload) -> None:
    takers = [c for c in context.contenders if c.name in context.profile.rate_contenders]
    laps, archives = race_fresh(context, takers, workload, context.profile.rate_points)
    record(context, NAME, [laps], rate=workload.rate)
    for stored in archives:
        size_figures(context, NAME, stored)
        if stored.contender.name == TREE and workload.rate in VIEW_RATES:
            for pointwidth in zooms(workload, stored.points):
                measure_zoom(context, NAME, stored, pointwidth, (FIRST, WARM))
        stored.remove()
