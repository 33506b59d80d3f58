"""Results files, read for the report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .contenders import TREE
from .figures import Figure, Figures, figures_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ORDER = ("full", "quick", "budget")


@dataclass(frozen=True)
class Results:
    """One run."""

    document: dict[str, Any]

    @property
    def name(self) -> str:
        """The profile."""
        return str(self.document["profile"])

    @property
    def throttled(self) -> bool:
        """Whether the machine was slowed. Then means stand for figures: calls run at full speed or wait."""
        return bool(self.document["conditions"])

    @property
    def contenders(self) -> list[str]:
        """Who took part, the product first."""
        return list(self.document["contenders"])

    @cached_property
    def figures(self) -> Figures:
        """All figures."""
        return figures_of(self.document)

    def typical(self, figure: Figure) -> float:
        """What stands for a figure."""
        return figure.mean if self.throttled else figure.median

    def value(self, measure: str, metric: str, contender: str = TREE, **case: float | str) -> float | None:
        """What stands for the first such figure."""
        figure = self.figures.first(measure, metric, contender, **case)
        return None if figure is None else self.typical(figure)

    def line(
        self, measure: str, metric: str, contender: str, across: str, **case: float | str
    ) -> list[tuple[float, float]]:
        """A metric against one entry of its case, ascending: (entry, value)."""
        found = self.figures.find(measure, metric, contender, **case)
        return sorted((float(figure.case[across]), self.typical(figure)) for figure in found)


def load(directory: Path) -> list[Results]:
    """The runs of whole profiles that were kept, the largest first."""
    paths = (directory / f"{name}.json" for name in ORDER)
    return [Results(json.loads(path.read_text())) for path in paths if path.exists()]


def main_and_budget(results: Iterable[Results]) -> tuple[Results | None, Results | None]:
    """The largest run on the full machine, and the one on the small board; either may be missing."""
    by_kind: dict[bool, Results] = {}
    for result in results:
        by_kind.setdefault(result.throttled, result)
    return by_kind.get(False), by_kind.get(True)
