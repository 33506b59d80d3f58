"""Late points: 16,384 at random times of the large archive, so that nearly every leaf is touched."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.asking import milliseconds
from benchmarks.timing import seconds_of

from .views import whole_view

if TYPE_CHECKING:
    from benchmarks.context import Context, Stored

NAME = "late"
POINTS = 16_384
_STEPS = ("insert", "first whole view after", "flush", "whole view after the flush")


def run(context: Context) -> None:
    """Everyone: the insert, the first view of everything, the flush, and the view again."""
    for contender in context.contenders:
        stored = context.main(contender)
        for step, seconds in zip(_STEPS, _steps(stored), strict=True):
            case = {"points": stored.points, "late": POINTS}
            context.figures.add(NAME, step, contender.name, "ms", milliseconds([seconds]), **case)


def _steps(stored: Stored) -> list[float]:
    generator = np.random.default_rng(9)
    times = generator.integers(stored.start, stored.end, POINTS)
    values = generator.normal(size=POINTS).round(3)
    with stored.opened() as (archive, stream):
        view = partial(whole_view, stored, stream)
        return [
            seconds_of(step) for step in (partial(stream.insert, times, values), view, archive.flush, view)
        ]
