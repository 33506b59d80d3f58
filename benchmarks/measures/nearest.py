"""The first point at or after a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.asking import FIRST, WARM, Ask, touch, warm

if TYPE_CHECKING:
    from benchmarks.contenders import MeasuredStream
    from benchmarks.context import Context, Stored

NAME = "nearest"
_PLACES = 20


def run(context: Context) -> None:
    """Everyone, first touch and warm, at random times."""
    profile, figures = context.profile, context.figures
    for contender in context.contenders:
        stored = context.main(contender)
        asks = _asks(stored)
        touched = touch(context, stored, asks[: profile.positions])
        figures.add(NAME, "nearest", contender.name, "us", _microseconds(touched.seconds), state=FIRST)
        figures.add(NAME, "blocks", contender.name, "blocks", touched.blocks)
        with stored.opened() as (_, stream):
            spent = warm(stream, asks, profile.warm, profile.seconds)
        figures.add(NAME, "nearest", contender.name, "us", _microseconds(spent), state=WARM)


def _asks(stored: Stored) -> list[Ask]:
    times = np.random.default_rng(8).integers(stored.start, stored.end, _PLACES)
    return [partial(_nearest, time) for time in times.tolist()]


def _nearest(time: int, stream: MeasuredStream) -> object:
    return stream.nearest(time)


def _microseconds(seconds: list[float]) -> list[float]:
    return [1e6 * second for second in seconds]
