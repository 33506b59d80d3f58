"""The table a run ends with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .figures import Figure, Figures

Row = Sequence[str]


def aligned(rows: Sequence[Row]) -> Iterator[str]:
    """Rows of text as lines, columns side by side."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def number(value: float | None) -> str:
    """A number to three digits, with thousands set apart."""
    if value is None:
        return "-"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figures_table(figures: Figures) -> Iterator[str]:
    """Every figure: median, p99, how often it was taken."""
    yield from aligned(
        [("measure", "contender", "case", "median", "p99", "unit", "n"), *map(_row, figures.all)]
    )


def _row(figure: Figure) -> Row:
    case = ", ".join(f"{name} {value}" for name, value in figure.case.items())
    what = f"{figure.measure}: {figure.metric}"
    count = str(len(figure.repeats))
    return what, figure.contender, case, number(figure.median), number(figure.p99), figure.unit, count


def bars_table(bars: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Every bar that was measured and whether it is met."""
    measured = [bar for bar in bars if bar["met"] is not None]
    yield from aligned([("bar", "limit", "measured", "unit", "met"), *map(_bar_row, measured)])


def _bar_row(bar: dict[str, Any]) -> Row:
    return (
        bar["text"],
        f"{bar['relation']} {number(bar['limit'])}",
        number(bar["value"]),
        bar["unit"],
        "yes" if bar["met"] else "NO",
    )
