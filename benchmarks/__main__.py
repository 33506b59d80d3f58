"""``python -m benchmarks``: runs a profile, prints its figures and bars, and writes them as JSON."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter
from typing import TYPE_CHECKING, Any

from . import budget
from .bars import judged
from .console import bars_table, figures_table
from .contenders import chosen
from .context import Context
from .figures import as_text, figures_of
from .machine import description, progress, versions
from .measures import MEASURES
from .profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path("bench/results")
WORK = Path("bench/work")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = _options(words)
    if options.report:
        from .report import write_report

        write_report(options.results)
        return 0
    if options.profile == "budget" and budget.inside() is None:
        return budget.run(words, options.work)
    budget.enter()
    document = run(options)
    _show(document, options.output or _output(options))
    return 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="how much of everything")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, help="this measure alone; may be repeated"
    )
    parser.add_argument("--points", type=int, help="archives of at most so many points")
    parser.add_argument("--contenders", default="", help="who takes part, separated by commas; default: all")
    parser.add_argument(
        "--drop-caches", action="store_true", help="cold: drop the whole machine's page cache too (root)"
    )
    parser.add_argument(
        "--work", type=Path, default=WORK, help="where the archives are made: on the disk to measure"
    )
    parser.add_argument("--output", type=Path, help="the results file to write")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are kept")
    parser.add_argument(
        "--report", action="store_true", help="run nothing: write docs/benchmark.md from the results"
    )
    return parser.parse_args(words)


def _output(options: argparse.Namespace) -> Path:
    """A run that is not the whole profile does not take the place of one that is."""
    whole = not (options.only or options.points or options.contenders)
    return Path(options.results) / f"{options.profile}{'' if whole else '-part'}.json"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Everything asked for, as the document that is written."""
    profile = PROFILES[options.profile]
    if options.points:
        profile = profile.resized(options.points)
    names = [name for name in options.contenders.split(",") if name]
    directory = _own_directory(options.work)
    context = Context(profile, directory, chosen(names), drop_caches=options.drop_caches)
    started, clock = datetime.now(UTC), perf_counter()
    machine = description(directory)
    try:
        seconds = _measure(context, options.only or list(MEASURES))
    finally:
        context.clean()
    return {
        "format": 1,
        "profile": options.profile,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(perf_counter() - clock, 1),
        "seconds by measure": seconds,
        "conditions": (budget.inside() or {}).get("notes", []),
        "machine": machine,
        "versions": versions(),
        "settings": asdict(profile),
        "contenders": {contender.name: contender.about for contender in context.contenders},
        "bars": judged(context.figures, throttled=budget.inside() is not None),
        "figures": [figure.as_json() for figure in context.figures.all],
    }


def _own_directory(work: Path) -> Path:
    """A new directory for this run's archives, in a place that keeps itself out of version control."""
    work.mkdir(parents=True, exist_ok=True)
    (work / ".gitignore").write_text("*\n")
    return Path(mkdtemp(prefix="run-", dir=work))


def _measure(context: Context, names: Sequence[str]) -> dict[str, float]:
    spent = {}
    for name in (name for name in MEASURES if name in names):
        progress(name)
        start = perf_counter()
        MEASURES[name](context)
        spent[name] = round(perf_counter() - start, 1)
    return spent


def _show(document: dict[str, Any], output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(as_text(document))
    print(*figures_table(figures_of(document)), "", *bars_table(document["bars"]), sep="\n")
    print(f"\n{document['seconds']} s; results in {output}")


if __name__ == "__main__":
    sys.exit(main())
