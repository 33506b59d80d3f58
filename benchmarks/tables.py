"""Markdown tables of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .comparison import everything
from .console import number
from .contenders import TREE
from .racing import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .comparison import Quantity
    from .results import Results


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def side_by_side(results: Results | None, quantities: Iterable[Quantity]) -> str:
    """Quantities against contenders and limits, the best of the contenders in bold."""
    if results is None:
        return "*This profile has not been run yet.*"
    rows = list(quantities)
    limits = [name for name in LIMITS if any(row.of(results, name) is not None for row in rows)]
    header = ["", "unit", *results.contenders, *limits]
    return table(header, [_row(results, row, limits) for row in rows if row.of(results, TREE) is not None])


def _row(results: Results, quantity: Quantity, limits: Sequence[str]) -> list[str]:
    values = {name: quantity.of(results, name) for name in results.contenders}
    known = {name: value for name, value in values.items() if value is not None}
    best = (max if quantity.more_is_better else min)(known, key=lambda name: known[name])
    cells = [f"**{number(value)}**" if name == best else number(value) for name, value in values.items()]
    return [quantity.text, quantity.unit, *cells, *(number(quantity.of(results, name)) for name in limits)]


def bars(results: Sequence[Results]) -> str:
    """Every bar and how each run stands to it; a run from before a bar was set has not measured it."""
    names = [f"`{result.name}`" for result in results]
    judged = [{bar["text"]: bar for bar in result.document["bars"]} for result in results]
    if not judged:
        return "*Nothing has been run yet.*"
    known = max(judged, key=len)
    rows = [[_bar_text(bar), *(_verdict(run.get(text)) for run in judged)] for text, bar in known.items()]
    return table(["bar", *names], rows)


def _bar_text(bar: dict[str, Any]) -> str:
    relation = {"<=": "at most", ">=": "at least"}[bar["relation"]]
    return f"{bar['text']}: {relation} {number(bar['limit'])} {bar['unit']}".rstrip()


def _verdict(bar: dict[str, Any] | None) -> str:
    if bar is None or bar["met"] is None:
        return "not measured"
    if bar["met"]:
        return f"{number(bar['value'])}, met"
    return f"**{number(bar['value'])}, missed** ({_missed_by(bar)})"


def _missed_by(bar: dict[str, Any]) -> str:
    share = bar["of limit"]
    times = share if bar["relation"] == "<=" else 1 / share if share else float("inf")
    return f"{number(times)} times the limit" if bar["relation"] == "<=" else f"{number(100 * share)} % of it"


def behind(results: Results | None) -> str:
    """A list of everything some other contender does better, the widest gap first; made from the figures."""
    if results is None:
        return "*This profile has not been run yet.*"
    gaps = [(lead, quantity) for quantity in everything(results) if (lead := quantity.lead(results))]
    worse = sorted(((lead, quantity) for lead, quantity in gaps if lead[1] > 1), key=lambda gap: -gap[0][1])
    if not worse:
        return "Nothing that was measured: no other contender leads anywhere."
    return "\n".join(
        f"* {quantity.text}: {name} is {number(times)} times better "
        f"({number(quantity.of(results, name))} against {number(quantity.of(results, TREE))} {quantity.unit})"
        for (name, times), quantity in worse
    )


def machines(results: Sequence[Results]) -> str:
    """What the runs ran on."""
    rows = [
        ["profile", *(f"`{result.name}`" for result in results)],
        ["points in the large archive", *(number(r.document["settings"]["points"]) for r in results)],
        ["processor", *(str(r.document["machine"]["processor"]) for r in results)],
        ["cores", *(str(r.document["machine"]["cores usable"]) for r in results)],
        ["memory, GB", *(number(r.document["machine"]["memory_bytes"] / 1e9) for r in results)],
        ["sync of 4 KiB, ms", *(number(r.document["machine"]["sync_4k_ms"]["median"]) for r in results)],
        ["file system", *(str(r.document["machine"]["file system"]) for r in results)],
        ["begun", *(str(r.document["started"]) for r in results)],
        ["took, s", *(number(r.document["seconds"]) for r in results)],
    ]
    return table(rows[0], rows[1:])


def capped(results: Results | None) -> str:
    """Who was given fewer points than the others."""
    caps = {} if results is None else results.document["settings"]["caps"]
    if not caps:
        return "All hold the same number of points."
    given = ", ".join(f"{name} {number(points)}" for name, points in caps.items())
    return f"Given fewer points than the others, because they take too long: {given}."
