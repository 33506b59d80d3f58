"""The bars: what the product must reach, computed from the figures of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from .asking import FIRST, WARM
from .contenders import TREE
from .figures import Figure, Figures, percentile, shortened
from .measures import (
    bulk,
    footprint,
    growth,
    nearest,
    rates,
    raw,
    rotation,
    server,
    single,
    tail,
    trickle,
    views,
    wide,
    windows,
)
from .profiles import MILLION
from .racing import PCODEC

MEGABYTE: Final = 1_000_000
GROWN_FROM: Final = 10 * MILLION

Typical = Callable[[Figure], float]
"""What stands for a figure: its median, or on a throttled machine its mean."""


@dataclass(frozen=True)
class Bar:
    """A promise: a text, how its value is found, and the limit it must keep."""

    text: str
    unit: str
    relation: Literal["<=", ">="]
    limit: float
    value: Callable[[Figures, Typical], float | None]

    def judged(self, figures: Figures, typical: Typical) -> dict[str, Any]:
        """The bar with its value, whether it is met, and by what share; None where it was not measured."""
        value = self.value(figures, typical)
        found: dict[str, Any] = {
            "text": self.text,
            "unit": self.unit,
            "relation": self.relation,
            "limit": self.limit,
        }
        if value is None:
            return found | {"value": None, "met": None, "of limit": None}
        met = value <= self.limit if self.relation == "<=" else value >= self.limit
        return found | {"value": shortened(value), "met": met, "of limit": shortened(value / self.limit)}


def judged(figures: Figures, *, throttled: bool) -> list[dict[str, Any]]:
    """Every bar."""
    typical: Typical = (lambda figure: figure.mean) if throttled else (lambda figure: figure.median)
    return [bar.judged(figures, typical) for bar in BARS]


def _one(
    measure: str, metric: str, contender: str = TREE, **case: float | str
) -> Callable[..., float | None]:
    """The value of a single figure."""

    def value(figures: Figures, typical: Typical) -> float | None:
        figure = figures.first(measure, metric, contender, **case)
        return None if figure is None else typical(figure)

    return value


def _view_figures(figures: Figures, state: str) -> list[Figure]:
    """Views of the tree, of the large archive and of every rate, at every zoom."""
    return [
        figure
        for measure in (views.NAME, rates.NAME)
        for figure in figures.find(measure, "view", TREE, state=state)
    ]


def _slowest_view(state: str) -> Callable[..., float | None]:
    def value(figures: Figures, typical: Typical) -> float | None:
        return max(map(typical, _view_figures(figures, state)), default=None)

    return value


def _view_p99(figures: Figures, typical: Typical) -> float | None:
    repeats = [repeat for figure in _view_figures(figures, WARM) for repeat in figure.repeats]
    return percentile(repeats, 0.99) if repeats else None


def _blocks_of_allowed(figures: Figures, typical: Typical) -> float | None:
    """The worst share of 12 + windows / 31 blocks that a view read."""
    shares: list[float] = []
    for measure in (views.NAME, rates.NAME):
        for blocks in figures.find(measure, "blocks", TREE):
            answered = figures.first(measure, "windows", TREE, **blocks.case)
            if answered is not None:
                pairs = zip(blocks.repeats, answered.repeats, strict=True)
                shares += [read / (12 + rows / 31) for read, rows in pairs]
    return max(shares, default=None)


def _over_pcodec(*rates_: float) -> Callable[..., float | None]:
    """Live bytes per point over those of pcodec alone, at the worst of some rates, or of all."""

    def value(figures: Figures, typical: Typical) -> float | None:
        excess: list[float] = []
        for kept in figures.find(rates.NAME, "live bytes", TREE):
            rate = kept.case["rate"]
            limit = figures.first(rates.NAME, "live bytes", PCODEC, rate=rate)
            if limit is not None and (rate in rates_ or not rates_):
                excess.append(typical(kept) - typical(limit))
        return max(excess, default=None)

    return value


def _grown(metric: str, **case: str) -> Callable[..., float | None]:
    """The last value of a metric as a multiple of the one at 10 M points; None if it grew no further."""

    def value(figures: Figures, typical: Typical) -> float | None:
        found = {int(f.case["points"]): f for f in figures.find(growth.NAME, metric, TREE, **case)}
        sizes = sorted(size for size in found if size >= GROWN_FROM)
        if len(sizes) < 2:
            return None
        return typical(found[sizes[-1]]) / typical(found[sizes[0]])

    return value


def _insert_growth(figures: Figures, typical: Typical) -> float | None:
    """How much more a point costs, in units of what pcodec needed at the same time."""
    share = _grown("share of pcodec alone")(figures, typical)
    return None if share is None else 1 / share


def _rotation_memory(figures: Figures, typical: Typical) -> float | None:
    peak = figures.first(rotation.NAME, "peak memory", TREE)
    before = figures.first(rotation.NAME, "memory before", TREE)
    return None if peak is None or before is None else (typical(peak) - typical(before)) / (1 << 20)


def _scaled(value: Callable[..., float | None], by: float) -> Callable[..., float | None]:
    def scaled(figures: Figures, typical: Typical) -> float | None:
        found = value(figures, typical)
        return None if found is None else found * by

    return scaled


_PEAK = _scaled(_one(footprint.NAME, "peak memory"), 1 / MEGABYTE)
_IDLE = _scaled(_one(footprint.NAME, "idle memory"), 1 / MEGABYTE)
_ARROW_INSERT = _scaled(_one(server.NAME, "Arrow insert"), 1 / MILLION)
_SERVED_VIEW = _one(server.NAME, "view")
_SERVER_IDLE = _scaled(_one(server.NAME, "idle memory"), 1 / MEGABYTE)
_VIEW_GROWTH = _grown("whole view", state=WARM)
_RATE_1M = _scaled(_one(raw.NAME, "rate", count=1_000_000, state=WARM), 1 / MILLION)

BARS: Final = (
    Bar("bulk insert on one core, of pcodec alone", "", ">=", 0.8,
        _one(bulk.NAME, "share of pcodec alone", cores=bulk.ONE_CORE)),
    Bar("bulk insert on all cores, of pcodec alone on one", "", ">=", 0.8,
        _one(bulk.NAME, "share of pcodec alone", cores=bulk.ALL_CORES)),
    Bar("1,000 streams x 1 point, synced: of 1,000 points per sync of 20 KB", "", ">=", 0.5,
        _one(wide.NAME, "share of one sync")),
    Bar("single insert, `interval`", "us", "<=", 10, _one(single.NAME, "insert", "tree, interval")),
    Bar("single insert, `sync`", "syncs", "<=", 1.5, _one(single.NAME, "in syncs")),
    Bar("view, warm, slowest rate and zoom", "ms", "<=", 0.3, _slowest_view(WARM)),
    Bar("view, warm, p99 of all", "ms", "<=", 1.0, _view_p99),
    Bar("view, first touch, slowest rate and zoom", "ms", "<=", 5.0, _slowest_view(FIRST)),
    Bar("view, blocks read, of 12 + windows / 31, worst", "", "<=", 1.0, _blocks_of_allowed),
    Bar("1,000 unaligned windows, warm", "ms", "<=", 6.0, _one(windows.NAME, "windows", state=WARM)),
    Bar("1,000 unaligned windows, first touch", "ms", "<=", 15.0, _one(windows.NAME, "windows", state=FIRST)),
    Bar("raw points, 1 M", "M points/s", ">=", 100.0, _RATE_1M),
    Bar("raw points, 10 k, warm", "ms", "<=", 0.2, _one(raw.NAME, "range", count=10_000, state=WARM)),
    Bar("nearest, warm", "us", "<=", 50.0, _one(nearest.NAME, "nearest", state=WARM)),
    Bar("live tail, a round", "ms", "<=", 1.0, _one(tail.NAME, "round")),
    Bar("live streams in rotation, memory over the idle process", "MiB", "<=", 160.0, _rotation_memory),
    Bar("live bytes over pcodec alone at 100 Hz", "B/point", "<=", 0.10, _over_pcodec(100.0)),
    Bar("live bytes over pcodec alone at the worst rate", "B/point", "<=", 0.25, _over_pcodec()),
    Bar("dead blocks, of live ones", "", "<=", 0.12, _one(footprint.NAME, "dead share")),
    Bar("bulk insert, bytes written per byte", "", "<=", 0.35,
        _one(footprint.NAME, "written per byte, calls")),
    Bar("200 streams at 1 Hz, bytes written per byte", "", "<=", 2.2,
        _one(trickle.NAME, "written per byte, calls", case="stored")),
    Bar("200 streams at 1 Hz, bytes written per byte, by the device", "", "<=", 3.5,
        _one(trickle.NAME, "written per byte, device", case="stored")),
    Bar("1,000 streams at 1 Hz, asked by version, bytes written per byte", "", "<=", 3.0,
        _one(trickle.NAME, "written per byte, calls", case="asked")),
    Bar("growth from 10 M points: insert cost per point", "x", "<=", 1.2, _insert_growth),
    Bar("growth from 10 M points: view of everything, warm", "x", "<=", 1.5, _VIEW_GROWTH),
    Bar("growth from 10 M points: open and close", "x", "<=", 1.2, _grown("open and close")),
    Bar("official client, insert by Arrow", "M points/s", ">=", 5.0, _ARROW_INSERT),
    Bar("official client, view of about 1,000 windows", "ms", "<=", 2.0, _SERVED_VIEW),
    Bar("official client, 10 k raw points by Arrow", "ms", "<=", 2.0, _one(server.NAME, "Arrow raw")),
    Bar("official client, nearest", "ms", "<=", 0.6, _one(server.NAME, "nearest")),
    Bar("8 official clients at once, points kept", "", ">=", 1.0, _one(server.NAME, "kept share")),
    Bar("1,000 streams polled for their latest point, segments after and before", "", "<=", 1.0,
        _one(server.NAME, "polled share")),
    Bar("server, idle memory", "MB", "<=", 100.0, _SERVER_IDLE),
    Bar("peak memory", "MB", "<=", 256.0, _PEAK),
    Bar("idle memory", "MB", "<=", 60.0, _IDLE),
)  # fmt: skip
"""What the product must reach on the full machine; on a throttled one they say how far off it is."""


def unmet(bars: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that were measured and are not met."""
    return [bar for bar in bars if bar["met"] is False]
