"""Raw points: ranges of 10,000 and of 1,000,000."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.asking import FIRST, WARM, Ask, milliseconds, touch, warm
from benchmarks.racing import COPY
from benchmarks.timing import repeated

if TYPE_CHECKING:
    from collections.abc import Sized

    from benchmarks.contenders import MeasuredStream
    from benchmarks.context import Context, Stored

NAME = "raw"
COUNTS = (10_000, 1_000_000)
_PLACES = 3


def run(context: Context) -> None:
    """Everyone, first touch and warm, and a copy of as many points in memory."""
    for count in COUNTS:
        _copy(context, count)
        for contender in context.contenders:
            stored = context.main(contender)
            if count <= stored.points:
                _range(context, stored, count)


def _range(context: Context, stored: Stored, count: int) -> None:
    profile, figures, name = context.profile, context.figures, stored.contender.name
    asks = _asks(stored, count)
    touched = touch(context, stored, asks)
    figures.add(NAME, "range", name, "ms", milliseconds(touched.seconds), count=count, state=FIRST)
    with stored.opened() as (_, stream):
        spent = warm(stream, asks, profile.warm, profile.seconds)
    figures.add(NAME, "range", name, "ms", milliseconds(spent), count=count, state=WARM)
    figures.add(NAME, "rate", name, "points/s", [count / second for second in spent], count=count, state=WARM)


def _asks(stored: Stored, count: int) -> list[Ask]:
    width = count * stored.workload.interval
    slack = stored.end - stored.start - width
    starts = stored.start + np.random.default_rng(7).integers(0, slack + 1, _PLACES)
    return [partial(_values, start, start + width) for start in starts.tolist()]


def _values(start: int, end: int, stream: MeasuredStream) -> Sized:
    return stream.values(start, end)


def _copy(context: Context, count: int) -> None:
    source = np.arange(2 * count, dtype=np.int64)
    spent = repeated(source.copy, context.profile.warm, context.profile.seconds)
    context.figures.add(NAME, "range", COPY, "ms", milliseconds(spent), count=count, state=WARM)
    context.figures.add(
        NAME, "rate", COPY, "points/s", [count / second for second in spent], count=count, state=WARM
    )
