"""What the archive says about its streams at this moment, by the same questions anybody can ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.model import LAST_TIME, MIN_TIME, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.interface import StreamLike
    from otrdb.results import Point

HOUR: Final = 3_600 * 10**9
DAY: Final = 24 * HOUR


class Extent(NamedTuple):
    """Smallest, mean and largest value of a while."""

    low: float
    mean: float
    high: float


class Row(NamedTuple):
    """One stream. `rate` is the change per second between the last two points, of counters only."""

    name: str
    unit: str
    last: Point | None
    rate: float | None
    points: int
    hour: Extent | None
    day: Extent | None


def overview(streams: Iterable[StreamLike], now: int, below: str) -> list[Row]:
    """A row per stream. Names begin after the collection `below`; `now` is ns since 1970 UTC."""
    return [_row(stream, now, below) for stream in streams]


def _row(stream: StreamLike, now: int, below: str) -> Row:
    last = stream.latest()
    return Row(
        f"{stream.collection}/{stream.name}".removeprefix(f"{below}/"),
        stream.unit,
        last,
        _rate(stream, last) if last is not None and stream.kind is Kind.INT else None,
        stream.count(),
        _extent(stream, now, HOUR),
        _extent(stream, now, DAY),
    )


def _rate(stream: StreamLike, last: Point) -> float | None:
    before = stream.nearest(last.time, backward=True)
    if before is None:
        return None
    return (last.value - before.value) / (last.time - before.time) * 1e9


def _extent(stream: StreamLike, now: int, while_: int) -> Extent | None:
    """The statistics of one window, (now - while_, now]."""
    start = max(MIN_TIME, now + 1 - while_)
    if now > LAST_TIME:
        return None
    window = stream.windows(start, start + while_, while_)
    if not len(window) or not window["count"][0]:
        return None
    return Extent(*(float(window[name][0]) for name in ("min", "mean", "max")))
