"""The exhaustive part, `make test-crash`: every history in every mode, cut everywhere; bit flips.

Prints what was tried, as the table in `docs/reliability.md`, and ends with 1 if anything was lost.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from otrdb.testing import Operation, PowerCuts, Tally
from otrdb.testing.strategies import histories
from tests.crash.flips import Flips, flip
from tests.crash.histories import DURABILITIES, HISTORIES, JOURNAL, SECTORS, SEGMENT, STREAMS, Run

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = 4
"""The steps of a history are shared out among so many tasks."""

MIXTURES = range(4)
RANDOM_TASKS, RANDOM_EACH = 12, 12
FLIP_TASKS, FLIPS_EACH = 20, 500


class Result(NamedTuple):
    """What one task tried."""

    row: str
    histories: int
    tally: Tally
    flips: Flips
    problems: list[str]


Task: TypeAlias = "Callable[[], Result]"


def cut(run: Run) -> Result:
    """A part of the steps of one history."""
    cuts = run.cuts()
    problems = [f"{run.name}, {run.durability}, {run.sector}: {each}" for each in cuts.run(run.history())]
    return Result(run.name.rstrip("0123456789 "), int(run.first == 0), cuts.tally, Flips(), problems)


def cut_at_random(number: int) -> Result:
    """Long histories drawn by Hypothesis, cut at some of their steps."""
    total, problems = Tally(), list[str]()

    @seed(number)
    @settings(max_examples=RANDOM_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(histories(STREAMS, longest=120), st.sampled_from(DURABILITIES), st.sampled_from(SECTORS))
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
        found = cuts.run(history)
        total.add(cuts.tally)
        assert not found, found

    try:
        run()
    except AssertionError as error:
        problems.append(f"random {number}: {error!r:.2000}")
    return Result("random", total.histories, total, Flips(), problems)


def flip_bits(number: int) -> Result:
    """Some single-bit flips."""
    flips = flip(number, FLIPS_EACH)
    return Result("flips", 0, Tally(), flips, flips.problems)


def tasks() -> list[Task]:
    """All there is to do, the longest first."""
    runs = [
        Run(
            name,
            durability,
            sector,
            every=PARTS,
            first=part,
            singles=1 << 30 if sector == SECTORS[-1] else 24,
        )
        for name in [
            "carry-overs",
            "segments",
            *(each for each in HISTORIES if each not in ("carry-overs", "segments")),
        ]
        for durability in DURABILITIES
        for sector in SECTORS
        for part in range(PARTS)
    ]
    mixtures = [
        Run(
            f"mixture {number}",
            DURABILITIES[number % 3],
            SECTORS[number % 2],
            every=PARTS,
            first=part,
            singles=4,
        )
        for number in MIXTURES
        for part in range(PARTS)
    ]
    return [
        *[partial(cut, run) for run in [*mixtures, *runs]],
        *[partial(cut_at_random, number) for number in range(RANDOM_TASKS)],
        *[partial(flip_bits, number) for number in range(FLIP_TASKS)],
    ]


def do(number: int) -> Result:
    return _TASKS[number]()


_TASKS = tasks()


def main() -> int:
    began = time.monotonic()
    tallies: dict[str, Tally] = defaultdict(Tally)
    flips, problems = Flips(), list[str]()
    with get_context("fork").Pool(os.cpu_count()) as pool:
        for result in pool.imap_unordered(do, range(len(_TASKS))):
            result.tally.histories = result.histories
            if result.row != "flips":
                tallies[result.row].add(result.tally)
            flips.add(result.flips)
            problems += result.problems
            for problem in result.problems:
                print(f"LOST: {problem}", file=sys.stderr, flush=True)
    _print_cuts(tallies)
    _print_flips(flips)
    print(f"\n{len(problems)} losses, wrong answers or alarms, in {time.monotonic() - began:.0f} s")
    return int(bool(problems))


def _print_cuts(tallies: dict[str, Tally]) -> None:
    total = Tally()
    print("| history | runs | crash points | survivals opened | the same again | cut while opening |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    names = [name for name in [*HISTORIES, "mixture", "random"] if name in tallies]
    for name in names:
        total.add(tallies[name])
        _print_row(name, tallies[name])
    _print_row("**all**", total)


def _print_row(name: str, tally: Tally) -> None:
    numbers = (tally.histories, tally.points, tally.cuts, tally.same, tally.again)
    print(f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |")


def _print_flips(flips: Flips) -> None:
    print("\n| bits flipped in | detected | harmless |")
    print("| --- | ---: | ---: |")
    for kind in sorted({*flips.detected, *flips.harmless}):
        print(f"| {kind} | {flips.detected[kind]:,} | {flips.harmless[kind]:,} |")
    print(f"| **all** | {flips.detected.total():,} | {flips.harmless.total():,} |")


if __name__ == "__main__":
    sys.exit(main())
