"""What was measured: figures with every raw repeat, collected in one list and written as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import ceil
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Case: TypeAlias = dict[str, int | float | str]
"""What a figure was measured under: rate, points, pointwidth, state ("warm", "first", "cold"), ..."""

_DIGITS = 5


@dataclass(frozen=True)
class Figure:
    """One quantity of one contender in one case, measured several times."""

    measure: str
    metric: str
    contender: str
    unit: str
    case: Case
    repeats: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one of the repeats."""
        return median(self.repeats)

    @property
    def mean(self) -> float:
        """Their average: what a throttled machine is judged by, where a call runs at full speed or waits."""
        return fmean(self.repeats)

    @property
    def p99(self) -> float:
        """The repeat that 99 % of them do not exceed."""
        return percentile(self.repeats, 0.99)

    def as_json(self) -> dict[str, Any]:
        """The figure with its summaries."""
        return {
            "measure": self.measure,
            "metric": self.metric,
            "contender": self.contender,
            "unit": self.unit,
            "case": self.case,
            "median": shortened(self.median),
            "p99": shortened(self.p99),
            "mean": shortened(self.mean),
            "repeats": [shortened(repeat) for repeat in self.repeats],
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that ``share`` of them do not exceed."""
    ascending = sorted(values)
    return ascending[ceil(share * len(ascending)) - 1]


def shortened(value: float) -> float:
    """``value`` to five digits, which is more than any clock here is worth."""
    return float(f"{value:.{_DIGITS}g}")


@dataclass
class Figures:
    """All figures of a run."""

    all: list[Figure] = field(default_factory=list)

    def add(
        self,
        measure: str,
        metric: str,
        contender: str,
        unit: str,
        repeats: Iterable[float],
        **case: float | str,
    ) -> None:
        """Keep a figure; one without repeats was not measured and is left out."""
        kept = tuple(repeats)
        if kept:
            self.all.append(Figure(measure, metric, contender, unit, case, kept))

    def find(self, measure: str, metric: str, contender: str = "", **case: float | str) -> Iterator[Figure]:
        """The figures of that name whose case has at least these entries; any contender if none is named."""
        return (
            figure
            for figure in self.all
            if (figure.measure, figure.metric) == (measure, metric)
            and contender in ("", figure.contender)
            and case.items() <= figure.case.items()
        )

    def first(self, measure: str, metric: str, contender: str, **case: float | str) -> Figure | None:
        """The first such figure, if any."""
        return next(self.find(measure, metric, contender, **case), None)


def as_text(document: dict[str, Any]) -> str:
    """A results file: an entry per line, and a line for each figure and bar."""
    entries = (f"{json.dumps(name)}: {_entry(value)}" for name, value in document.items())
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _entry(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)


def figures_of(document: dict[str, Any]) -> Figures:
    """The figures of a results file."""
    return Figures([_figure(row) for row in document["figures"]])


def _figure(row: dict[str, Any]) -> Figure:
    names = ("measure", "metric", "contender", "unit", "case")
    return Figure(**{name: row[name] for name in names}, repeats=tuple(row["repeats"]))
