"""Growth: one archive per contender that grows to the profile's size, measured on the way.

What is left is the archive the reading measures ask.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from benchmarks.asking import FIRST, WARM, milliseconds, touch, warm
from benchmarks.context import STREAM, Context, Stored
from benchmarks.machine import progress, size_on_disk
from benchmarks.racing import PCODEC, Racer, inserting, limit_racers, race
from benchmarks.timing import repeated
from benchmarks.workload import Batch, sensor

from .views import whole_view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.contenders import Contender

NAME = "growth"
_OPENS = 3


def run(context: Context) -> None:
    """Grows the archives from checkpoint to checkpoint."""
    profile = context.profile
    archives = [_created(context, contender) for contender in context.contenders]
    batches = sensor().batches(profile.points, profile.batch)
    done = 0
    with limit_racers(sensor(), context.directory, profile.batch) as limits:
        for size in profile.checkpoints:
            progress(f"  growing to {size:,} points")
            taken = islice(batches, -(-(size - done) // profile.batch))
            archives = _stretch(context, archives, limits[PCODEC], taken, size)
            done = size


def _created(context: Context, contender: Contender) -> Stored:
    path = context.fresh(contender.name)
    archive = contender.open(path)
    archive.create(STREAM, kind=sensor().kind)
    archive.close()
    return Stored(contender, path, sensor(), 0)


def _stretch(
    context: Context, archives: list[Stored], limit: Racer, batches: Iterable[Batch], size: int
) -> list[Stored]:
    """The archives grown to ``size`` points, without those that do not go so far."""
    active = [stored for stored in archives if context.profile.cap(stored.contender.name, size) == size]
    _race(context, active, limit, batches, size)
    grown = [Stored(stored.contender, stored.path, stored.workload, size) for stored in active]
    for stored in grown:
        context.keep(stored)
        _measure(context, stored)
    return grown


def _race(context: Context, active: list[Stored], limit: Racer, batches: Iterable[Batch], size: int) -> None:
    with ExitStack() as stack:
        streams = {stored.contender.name: stack.enter_context(stored.opened())[1] for stored in active}
        racers = {name: inserting(stream) for name, stream in streams.items()}
        laps = race(racers | {PCODEC: limit}, batches)
    for name, lap in laps.items():
        context.figures.add(NAME, "insert", name, "ns/point", [1e9 / lap.rate], points=size)
        if name != PCODEC:
            share = lap.rate / laps[PCODEC].rate
            context.figures.add(NAME, "share of pcodec alone", name, "", [share], points=size)


def _measure(context: Context, stored: Stored) -> None:
    """What opening and looking at the whole range cost at this size, and how large it is."""
    figures, name, points = context.figures, stored.contender.name, stored.points
    opens = repeated(lambda: stored.contender.open(stored.path).close(), _OPENS, seconds=1)
    figures.add(NAME, "open and close", name, "ms", milliseconds(opens), points=points)
    figures.add(NAME, "bytes", name, "B/point", [size_on_disk(stored.path) / points], points=points)
    ask = partial(whole_view, stored)
    touched = touch(context, stored, [ask] * _OPENS)
    figures.add(NAME, "whole view", name, "ms", milliseconds(touched.seconds), points=points, state=FIRST)
    with stored.opened() as (_, stream):
        spent = warm(stream, [ask], context.profile.warm, context.profile.seconds)
    figures.add(NAME, "whole view", name, "ms", milliseconds(spent), points=points, state=WARM)
