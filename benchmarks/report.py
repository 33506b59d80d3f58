"""The answer so far: docs/benchmark.md and its plots, made from the results files.

The text is a template, `report.md`; every figure in it that is not a quotation is filled in from the results.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from . import tables
from .bars import unmet
from .comparison import SPACE, WRITING, reading
from .console import number
from .measures import bulk, footprint, growth, rates, wide
from .plots import PLOTS, draw_all
from .racing import PCODEC
from .results import Results, load, main_and_budget

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT = Path("docs/benchmark.md")
PICTURES = Path("docs/benchmark")
TEMPLATE = Path(__file__).with_name("report.md")


def write_report(directory: Path, document: Path = DOCUMENT, pictures: Path = PICTURES) -> None:
    """Reads the results kept under ``directory`` and writes the document and its plots."""
    results = load(directory)
    for result in results:
        draw_all(result, pictures)
    document.parent.mkdir(parents=True, exist_ok=True)
    text = Template(TEMPLATE.read_text()).substitute(_parts(results, pictures.name))
    document.write_text(text)


def _parts(results: Sequence[Results], pictures: str) -> dict[str, str]:
    main, budget = main_and_budget(results)
    parts = {
        "summary": "\n\n".join(_summary(result) for result in (main, budget) if result is not None),
        "machines": tables.machines(results) if results else "",
        "contenders": _contenders(main),
        "budget_conditions": _conditions(budget),
        "bars": tables.bars(results),
        "missed": _missed(results),
    }
    for name, result in (("main", main), ("budget", budget)):
        parts |= _profile_parts(name, result, pictures)
    return parts


def _profile_parts(name: str, result: Results | None, pictures: str) -> dict[str, str]:
    return {
        f"{name}_name": "not run" if result is None else result.name,
        f"{name}_writing": tables.side_by_side(result, WRITING),
        f"{name}_reading": tables.side_by_side(result, [] if result is None else reading(result)),
        f"{name}_space": tables.side_by_side(result, SPACE),
        f"{name}_behind": tables.behind(result),
        f"{name}_capped": tables.capped(result),
        **{f"{name}_{plot}": _picture(plot, result, pictures) for plot in PLOTS},
    }


def _picture(plot: str, result: Results | None, pictures: str) -> str:
    return "" if result is None else f"![{plot}]({pictures}/{plot}-{result.name}.svg)"


def _summary(result: Results) -> str:
    """What the tree does on this machine, beside the limits of the same run."""
    rate = result.value(bulk.NAME, "rate", cores=bulk.ALL_CORES)
    share = result.value(bulk.NAME, "share of pcodec alone", cores=bulk.ONE_CORE)
    kept = result.value(footprint.NAME, "live bytes")
    coded = result.value(rates.NAME, "live bytes", PCODEC, rate=100.0)
    sizes = result.line(growth.NAME, "whole view", "tree", "points", state="warm")
    per_sync = result.value(wide.NAME, "share of one sync")
    peak = result.value(footprint.NAME, "peak memory")
    return f"""On profile `{result.name}` OtrDB

* stores {_millions(rate)} M points/s durably, and on one core {_percent(share)} of what pcodec
  alone codes there in the same time;
* keeps {number(kept)} bytes per point, of which pcodec alone needs {number(coded)};
* shows everything in 1,000 windows within {_largest(sizes)};
* stores a point of each of many streams at {_percent(per_sync)} of the speed of one bare sync;
* holds {_millions(peak)} MB of memory at most."""


def _millions(value: float | None) -> str:
    return number(None if value is None else value / 1e6)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _largest(line: Sequence[tuple[float, float]]) -> str:
    if not line:
        return "a time that was not measured"
    (few, quick), (many, slow) = line[0], line[-1]
    return f"{number(slow)} ms at {number(many)} points ({number(quick)} ms at {number(few)})"


def _contenders(result: Results | None) -> str:
    about = {} if result is None else result.document["contenders"]
    versions = {} if result is None else result.document["versions"]
    lines = [f"* **{name}**: {text}." for name, text in about.items()]
    return "\n".join(
        [*lines, "", f"Versions: {', '.join(f'{name} {text}' for name, text in versions.items())}."]
    )


def _conditions(result: Results | None) -> str:
    if result is None:
        return "*This profile has not been run yet.*"
    return "\n".join(f"* {note}" for note in result.document["conditions"])


def _missed(results: Sequence[Results]) -> str:
    missed = [(result.name, bar) for result in results for bar in unmet(result.document["bars"])]
    return "\n".join(_missed_line(name, bar) for name, bar in missed) or "None."


def _missed_line(name: str, bar: dict[str, Any]) -> str:
    value, limit = (f"{number(bar[key])} {bar['unit']}".rstrip() for key in ("value", "limit"))
    return f"* `{name}`: {bar['text']}: {value}, limit {limit}"
