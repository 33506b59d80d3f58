"""What is compared side by side in the report: the quantities, who leads in each, and by how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .asking import COLD, FIRST, WARM
from .contenders import TREE
from .measures import (
    backfill,
    bulk,
    changes,
    footprint,
    kinds,
    late,
    nearest,
    opening,
    raw,
    single,
    tail,
    views,
    wide,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .figures import Case
    from .results import Results


@dataclass(frozen=True)
class Quantity:
    """One row of a comparison."""

    text: str
    unit: str
    measure: str
    metric: str
    case: Case = field(default_factory=dict)
    scale: float = 1.0
    more_is_better: bool = False

    def of(self, results: Results, contender: str) -> float | None:
        """Its value for one contender."""
        value = results.value(self.measure, self.metric, contender, **self.case)
        return None if value is None else value * self.scale

    def lead(self, results: Results) -> tuple[str, float] | None:
        """Who of the others is best, and how many times better than the tree; below 1: the tree leads."""
        own = self.of(results, TREE)
        others = {name: self.of(results, name) for name in results.contenders if name != TREE}
        known = {name: value for name, value in others.items() if value}
        if not own or not known:
            return None
        best = (max if self.more_is_better else min)(known, key=lambda name: known[name])
        ratio = known[best] / own
        return best, ratio if self.more_is_better else 1 / ratio


def _rate(text: str, measure: str, case: Case) -> Quantity:
    return Quantity(text, "M points/s", measure, "rate", case, scale=1e-6, more_is_better=True)


WRITING: Final = (
    _rate("bulk insert, durable batches", bulk.NAME, {"cores": bulk.ALL_CORES}),
    _rate("bulk insert, one core", bulk.NAME, {"cores": bulk.ONE_CORE}),
    _rate("random walk", kinds.NAME, {"shape": "random walk"}),
    _rate("integer counter", kinds.NAME, {"shape": "counter"}),
    _rate("bool", kinds.NAME, {"shape": "flag"}),
    _rate("1 point of each of many streams, a durable batch a round", wide.NAME, {}),
    _rate("backfill, older than everything", backfill.NAME, {}),
    Quantity("one point, durable", "us", single.NAME, "insert"),
    Quantity("16,384 late points: insert", "ms", late.NAME, "insert"),
    Quantity("late points: the view of everything after them", "ms", late.NAME, "first whole view after"),
    Quantity("10 points arrive, the last minute is viewed", "ms", tail.NAME, "round"),
)

OTHER_READING: Final = (
    Quantity("1,000 unaligned windows, warm", "ms", windows.NAME, "windows", {"state": WARM}),
    Quantity("1,000 unaligned windows, first touch", "ms", windows.NAME, "windows", {"state": FIRST}),
    Quantity("10,000 raw points, warm", "ms", raw.NAME, "range", {"count": 10_000, "state": WARM}),
    Quantity("1,000,000 raw points, warm", "ms", raw.NAME, "range", {"count": 1_000_000, "state": WARM}),
    Quantity(
        "1,000,000 raw points, first touch", "ms", raw.NAME, "range", {"count": 1_000_000, "state": FIRST}
    ),
    Quantity("nearest point, warm", "us", nearest.NAME, "nearest", {"state": WARM}),
    Quantity("changes after late points", "ms", changes.NAME, "changes", {"resolution": 0}),
)

SPACE: Final = (
    Quantity("kept per point, live", "bytes", footprint.NAME, "live bytes"),
    Quantity("kept per point, on disk with all else", "bytes", footprint.NAME, "on disk"),
    Quantity("handed to the kernel per byte of data", "bytes", footprint.NAME, "written per byte, calls"),
    Quantity("written to pages per byte of data", "bytes", footprint.NAME, "written per byte, pages"),
    Quantity("written by the device per byte of data", "bytes", footprint.NAME, "written per byte, device"),
    Quantity("peak memory", "MB", footprint.NAME, "peak memory", scale=1e-6),
    Quantity("idle memory", "MB", footprint.NAME, "idle memory", scale=1e-6),
    Quantity("open", "ms", opening.NAME, "open", {"closed": "properly"}),
)

_ZOOMS = (("everything", 0), ("1/8 of the range", 3), ("1/128", 7), ("1/1024", 10))


def reading(results: Results) -> Iterator[Quantity]:
    """Views of everything and of ever smaller parts, then the other questions."""
    known = [int(figure.case["pointwidth"]) for figure in results.figures.find(views.NAME, "view", TREE)]
    whole = max(known, default=0)
    for state in (WARM, FIRST, COLD):
        for text, finer in _ZOOMS:
            case: Case = {"pointwidth": whole - finer, "state": state}
            yield Quantity(f"1,000 windows over {text}, {state}", "ms", views.NAME, "view", case)
    yield from OTHER_READING


def everything(results: Results) -> Iterator[Quantity]:
    """All rows."""
    yield from WRITING
    yield from reading(results)
    yield from SPACE
