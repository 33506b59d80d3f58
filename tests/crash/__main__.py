"""The exhaustive part, `make test-crash`: every history in every mode, cut and failed everywhere; bit flips.

Prints what was tried, the tables of `docs/reliability.md`, and ends with 1 if anything was lost.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from otrdb.testing import Operation, PowerCuts, Tally
from otrdb.testing.strategies import histories
from tests.crash.faults import failures, fillings
from tests.crash.flips import KINDS, Flips, flip
from tests.crash.histories import (
    DURABILITIES,
    HISTORIES,
    JOURNAL,
    SECTORS,
    SEGMENT,
    STREAMS,
    Run,
    small_leaves,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = 4
"""The steps of a history are shared out among so many tasks."""

LONG = ("carry-overs", "segments")
"""The histories that take longest: they come first, and fewer of their changes survive alone."""

MIXTURES = range(6)
RANDOM_TASKS, RANDOM_EACH = 12, 5
FLIP_TASKS, FLIPS_EACH = 20, 501


@dataclass
class Result:
    """What was tried: of one row of the table by one task, or of all rows."""

    row: str
    tally: Tally = field(default_factory=Tally)
    faults: Counter[str] = field(default_factory=Counter)
    flips: Flips = field(default_factory=Flips)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Result) -> None:
        self.tally.add(other.tally)
        self.faults += other.faults
        self.flips.add(other.flips)
        self.problems += other.problems


Task: TypeAlias = "Callable[[], Result]"


def cut(run: Run) -> Result:
    """A part of the steps of one history."""
    cuts = run.cuts()
    with run.conditions():
        problems = [f"{run}: {each}" for each in cuts.run(run.history())]
    cuts.tally.histories = int(run.first == 0)
    return Result(run.name.rstrip("0123456789 "), cuts.tally, problems=problems)


def fail(run: Run) -> Result:
    """Every step of one history fails, or finds no room."""
    with run.conditions():
        failed, lost = failures(run.cuts(), run.history())
        filled, torn = fillings(run.cuts(), run.history())
    faults = Counter(failed=failed, filled=filled)
    return Result(run.name, faults=faults, problems=[f"{run}: {each}" for each in lost + torn])


def cut_at_random(number: int) -> Result:
    """Long histories drawn by Hypothesis, cut at some of their steps."""
    result = Result("random")

    @seed(number)
    @settings(
        max_examples=RANDOM_EACH,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        histories(STREAMS, shortest=40, longest=100), st.sampled_from(DURABILITIES), st.sampled_from(SECTORS)
    )
    def run(history: list[Operation], durability: str, sector: int) -> None:
        cuts = PowerCuts(
            STREAMS,
            durability=durability,
            sector=sector,
            journal=JOURNAL,
            segment=SEGMENT,
            seed=number,
            singles=2,
            every=9,
            first=number,
        )
        with small_leaves():
            result.problems += [f"random {number}: {history}: {each}" for each in cuts.run(history)]
        result.tally.add(cuts.tally)

    run()
    return result


def flip_bits(number: int) -> Result:
    """Some single-bit flips."""
    flips = flip(number, FLIPS_EACH)
    return Result("flips", flips=flips, problems=flips.problems)


def tasks() -> list[Task]:
    """All there is to do, the longest first."""
    names = [*LONG, *(name for name in HISTORIES if name not in LONG)]
    runs = [
        Run(name, durability, sector, every=PARTS, first=part, singles=4 if name in LONG else 1 << 30)
        for name in names
        for durability in DURABILITIES
        for sector in SECTORS
        for part in range(PARTS)
    ]
    mixtures = [
        Run(f"mixture {number}", DURABILITIES[number % 3], SECTORS[number % 2], PARTS, part, singles=4)
        for number in MIXTURES
        for part in range(PARTS)
    ]
    faults = [
        Run(name, durability, SECTORS[(number + place) % 2])
        for number, name in enumerate(names)
        for place, durability in enumerate(DURABILITIES)
        if name not in LONG or durability == "sync"
    ]
    return [
        *[partial(cut, run) for run in [*mixtures, *runs]],
        *[partial(fail, run) for run in faults],
        *[partial(cut_at_random, number) for number in range(RANDOM_TASKS)],
        *[partial(flip_bits, number) for number in range(FLIP_TASKS)],
    ]


_TASKS = tasks()


def do(number: int) -> Result:
    """One of the tasks, by its number: they cannot be sent to another process."""
    return _TASKS[number]()


def main() -> int:
    began = time.monotonic()
    rows: dict[str, Result] = defaultdict(lambda: Result(""))
    total = Result("**all**")
    with get_context("fork").Pool(os.cpu_count()) as pool:
        for result in pool.imap_unordered(do, range(len(_TASKS))):
            rows[result.row].add(result)
            total.add(result)
            for problem in result.problems:
                print(f"LOST: {problem}", file=sys.stderr, flush=True)
    _print_cuts(rows, total)
    _print_flips(total.flips)
    print(
        f"\n{len(total.problems)} losses, wrong answers or false alarms, in {time.monotonic() - began:.0f} s"
    )
    return int(bool(total.problems))


def _print_cuts(rows: dict[str, Result], total: Result) -> None:
    print("| history | runs | power cuts | left and opened | cut again | failing steps | full steps |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in [*HISTORIES, "mixture", "random"]:
        _print_row(name, rows[name])
    _print_row("**all**", total)


def _print_row(name: str, result: Result) -> None:
    tally, faults = result.tally, result.faults
    numbers = (tally.histories, tally.points, tally.cuts, tally.again, faults["failed"], faults["filled"])
    print(f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |")


def _print_flips(flips: Flips) -> None:
    print("\n| bits flipped in | detected | harmless |")
    print("| --- | ---: | ---: |")
    for kind in KINDS:
        print(f"| {kind} | {flips.detected[kind]:,} | {flips.harmless[kind]:,} |")
    print(f"| **all** | {flips.detected.total():,} | {flips.harmless.total():,} |")


if __name__ == "__main__":
    sys.exit(main())
