"""Views, as a plot asks for: 1,000 aligned windows at every zoom, from the whole range to raw points."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.asking import COLD, FIRST, WARM, Ask, milliseconds, touch, warm

if TYPE_CHECKING:
    from collections.abc import Sized

    from benchmarks.contenders import MeasuredStream
    from benchmarks.context import Context, Stored
    from benchmarks.workload import Workload

NAME = "views"
WINDOWS = 1_000


def run(context: Context) -> None:
    """Every zoom of the large archive, of everyone."""
    for contender in context.contenders:
        stored = context.main(contender)
        for pointwidth in zooms(stored.workload, stored.points):
            measure_zoom(context, NAME, stored, pointwidth, (FIRST, COLD, WARM))


def zooms(workload: Workload, points: int) -> list[int]:
    """The pointwidths of all zooms: from one window per point to the whole range in at most 1,000 windows."""
    finest = workload.interval.bit_length() - 1
    whole = (points * workload.interval // WINDOWS).bit_length()
    return list(range(finest, max(whole, finest) + 1))


def whole_view(stored: Stored, stream: MeasuredStream) -> Sized:
    """The whole range in at most 1,000 windows."""
    pointwidth = zooms(stored.workload, stored.points)[-1]
    return stream.aligned_windows(stored.start, stored.end, pointwidth)


def views(stored: Stored, pointwidth: int, positions: int, seed: int = 5) -> list[Ask]:
    """Views of one zoom at random places."""
    width = min(WINDOWS << pointwidth, stored.end - stored.start)
    slack = stored.end - stored.start - width
    starts = stored.start + np.random.default_rng(seed).integers(0, slack + 1, positions)
    return [partial(_view, start, start + width, pointwidth) for start in starts.tolist()]


def _view(start: int, end: int, pointwidth: int, stream: MeasuredStream) -> Sized:
    return stream.aligned_windows(start, end, pointwidth)


def measure_zoom(
    context: Context, measure: str, stored: Stored, pointwidth: int, states: tuple[str, ...]
) -> None:
    """One zoom of one archive: the first look after opening, with the page cache dropped, and warm."""
    case = {"rate": stored.workload.rate, "points": stored.points, "pointwidth": pointwidth}
    name = stored.contender.name
    asks = views(stored, pointwidth, context.profile.positions)
    for state in (state for state in states if state != WARM):
        touched = touch(context, stored, asks, cold=state == COLD)
        context.figures.add(measure, "view", name, "ms", milliseconds(touched.seconds), state=state, **case)
        if state == FIRST:
            context.figures.add(measure, "blocks", name, "blocks", touched.blocks, **case)
            context.figures.add(measure, "windows", name, "windows", touched.rows, **case)
    with stored.opened() as (_, stream):
        spent = warm(stream, asks, context.profile.warm, context.profile.seconds)
    context.figures.add(measure, "view", name, "ms", milliseconds(spent), state=WARM, **case)
