"""Footprint: memory, bytes written and bytes kept, each contender in a process of its own.

The process inserts the workload in durable batches, then asks for views, raw points and nearest points. What
the caller's own arrays take is measured in the same way with an archive that keeps nothing, and taken off.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import child
from benchmarks.contenders import Contender, MeasuredStream, chosen
from benchmarks.context import STREAM, Stored
from benchmarks.machine import device_written, held_memory, peak_memory, size_on_disk, written
from benchmarks.nothing import NOTHING, Nothing
from benchmarks.workload import POINT_BYTES, sensor

from .views import views, zooms

if TYPE_CHECKING:
    from benchmarks.context import Context

NAME = "footprint"
_RAW = 1_000_000


def run(context: Context) -> None:
    """Everyone; the caller's share of the memory first."""
    points = context.profile.footprint_points
    share = _alone(context, NOTHING, min(points, 1_000_000))
    for contender in context.contenders:
        capped = context.profile.cap(contender.name, points)
        _keep(context, contender.name, _alone(context, contender.name, capped), share["growth"], capped)


def size_figures(context: Context, measure: str, stored: Stored) -> None:
    """Bytes a closed archive keeps per point: live and dead blocks if it tells them apart, else its files."""
    with stored.opened() as (archive, _):
        stats = archive.stats()
    live, dead = _live_and_dead(stats, stored.path)
    case = {"rate": stored.workload.rate, "points": stored.points}
    name = stored.contender.name
    context.figures.add(measure, "live bytes", name, "B/point", [live / stored.points], **case)
    context.figures.add(measure, "dead share", name, "", [dead / live], **case)


def _live_and_dead(stats: dict[str, Any], path: Path) -> tuple[int, int]:
    if "segment_bytes" not in stats:
        return size_on_disk(path), 0
    return stats["segment_bytes"] - stats["dead_bytes"], stats["dead_bytes"]


def _alone(context: Context, name: str, points: int) -> dict[str, Any]:
    path = context.fresh(name)
    batch = context.profile.batch
    found = child.call(f"{__name__}:alone", name=name, path=str(path), points=points, batch=batch)
    Stored(_named(name), path, sensor(), points).remove()
    return found


def _keep(context: Context, name: str, found: dict[str, Any], callers: int, points: int) -> None:
    add = partial(context.figures.add, NAME, contender=name, points=points)
    data = points * POINT_BYTES
    add("peak memory", unit="bytes", repeats=[found["peak"] - callers])
    add("idle memory", unit="bytes", repeats=[found["idle"]])
    add("live bytes", unit="B/point", repeats=[found["live"] / points])
    add("dead share", unit="", repeats=[found["dead"] / found["live"]])
    add("on disk", unit="B/point", repeats=[found["on_disk"] / points])
    for counter in ("calls", "pages", "device"):
        if found[counter] is not None:
            add(f"written per byte, {counter}", unit="", repeats=[found[counter] / data])


def alone(name: str, path: str, points: int, batch: int) -> dict[str, Any]:
    """In a process of its own: everything is inserted, asked, closed, and the process looked at."""
    stored = Stored(_named(name), Path(path), sensor(), points)
    stored.path.mkdir(parents=True, exist_ok=True)
    before = held_memory()
    writes, device = written(), device_written(stored.path)
    archive = stored.contender.open(stored.path)
    stream = archive.create(STREAM)
    for points_ in stored.workload.batches(points, batch):
        stream.insert(*points_)
    archive.flush()
    after, device_after = written(), device_written(stored.path)
    _ask_everything(stored, stream)
    stats = archive.stats()
    archive.close()
    live, dead = _live_and_dead(stats, stored.path)
    return {
        "peak": peak_memory(),
        "growth": peak_memory() - before,
        "live": live,
        "dead": dead,
        "on_disk": size_on_disk(stored.path),
        "calls": after["calls"] - writes["calls"],
        "pages": after["pages"] - writes["pages"],
        "device": None if device is None or device_after is None else device_after - device,
        "idle": child.call(f"{__name__}:idle", name=name, path=path)["held"],
    }


def idle(name: str, path: str) -> dict[str, int]:
    """In a process of its own: what an archive that was opened and is not used holds."""
    archive = _named(name).open(Path(path))
    held = held_memory()
    archive.close()
    return {"held": held}


def _ask_everything(stored: Stored, stream: MeasuredStream) -> None:
    for pointwidth in zooms(stored.workload, stored.points):
        for ask in views(stored, pointwidth, 5):
            ask(stream)
    interval = stored.workload.interval
    stream.values(stored.start, stored.start + min(_RAW, stored.points) * interval)
    for time in np.linspace(stored.start, stored.end - interval, 100).astype(np.int64).tolist():
        stream.nearest(time)


def _named(name: str) -> Contender:
    if name == NOTHING:
        return Contender(NOTHING, Nothing, "keeps nothing")
    return chosen([name])[0]
