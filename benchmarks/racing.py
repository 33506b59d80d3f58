"""Races: contenders and limits take the same batches in turn, so that all meet the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from .context import STREAM, Context, Stored
from .limits import Copy, SyncedFile, coded_bytes
from .timing import rotated, seconds_of
from .workload import Batch, Workload

if TYPE_CHECKING:
    from pathlib import Path

    from .contenders import Contender, MeasuredStream

PCODEC, COPY, SYNC = "pcodec alone", "memory copy", "one sync"
LIMITS = (PCODEC, COPY, SYNC)

Racer: TypeAlias = Callable[[Batch], object]


@dataclass
class Laps:
    """What one racer took: the seconds of every batch, and how many points."""

    seconds: list[float] = field(default_factory=list)
    points: int = 0

    @property
    def rate(self) -> float:
        """Points per second over all batches."""
        return self.points / sum(self.seconds)


def race(
    racers: Mapping[str, Racer],
    batches: Iterable[Batch],
    cap: Callable[[str], float] = lambda _: float("inf"),
) -> dict[str, Laps]:
    """Hands every batch to every racer in turn; whoever has had ``cap`` points stops."""
    laps = {name: Laps() for name in racers}
    for number, batch in enumerate(batches):
        for name in rotated(list(racers), number):
            if laps[name].points < cap(name):
                laps[name].seconds.append(seconds_of(partial(racers[name], batch)))
                laps[name].points += len(batch.times)
    return laps


@contextmanager
def limit_racers(workload: Workload, directory: Path, size: int) -> Iterator[dict[str, Racer]]:
    """pcodec alone, a copy in memory, and one sync of as many bytes as pcodec makes of a batch."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "limit"
    file = SyncedFile(path)
    coded = coded_bytes(workload.kind, next(workload.batches(size, size)))
    try:
        yield {
            PCODEC: partial(coded_bytes, workload.kind),
            COPY: Copy(size),
            SYNC: lambda _: file.write(coded),
        }
    finally:
        file.close()
        path.unlink()


def race_fresh(
    context: Context, contenders: Sequence[Contender], workload: Workload, points: int
) -> tuple[dict[str, Laps], list[Stored]]:
    """A race of these contenders and the limits into new archives, and the archives, closed."""
    profile = context.profile
    paths = {contender.name: context.fresh(contender.name) for contender in contenders}
    archives = {contender.name: contender.open(paths[contender.name]) for contender in contenders}
    streams = {name: archive.create(STREAM, kind=workload.kind) for name, archive in archives.items()}
    with limit_racers(workload, context.directory, profile.batch) as limits:
        racers = {name: inserting(stream) for name, stream in streams.items()} | limits
        batches = workload.batches(points, profile.batch)
        laps = race(racers, batches, lambda name: profile.cap(name, points))
    for archive in archives.values():
        archive.flush()
        archive.close()
    return laps, [Stored(c, paths[c.name], workload, laps[c.name].points) for c in contenders]


def inserting(stream: MeasuredStream) -> Racer:
    """A racer that inserts."""
    return lambda batch: stream.insert(batch.times, batch.values)


def record(context: Context, measure: str, heats: Sequence[Mapping[str, Laps]], **case: float | str) -> None:
    """Keeps the rates of some races, and the ratios of each to pcodec alone in the same race."""
    for name in heats[0]:
        rates = [heat[name].rate for heat in heats]
        context.figures.add(measure, "rate", name, "points/s", rates, **case)
        if name not in LIMITS:
            ratios = [heat[name].rate / heat[PCODEC].rate for heat in heats]
            context.figures.add(measure, "share of pcodec alone", name, "", ratios, **case)
