"""The first pass: reads everything, stores nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa

from otrdb.cli.importing.plan import Target
from otrdb.cli.importing.rows import RowReader
from otrdb.cli.importing.times import TimeReader, TimeRules, time_reader
from otrdb.errors import OtrError

if TYPE_CHECKING:
    from otrdb.cli.importing.cells import CellRules
    from otrdb.cli.importing.plan import FilePlan
    from otrdb.cli.importing.rows import Problem, Rows
    from otrdb.cli.progress import Advance

_EXAMPLES: Final = 5
_HOW_TO_GO_ON: Final = "Nothing was stored. Correct it, or leave out what is bad with --skip-bad."


class SurveyRules(NamedTuple):
    """How cells are read, and what becomes of bad ones."""

    times: TimeRules
    cells: CellRules
    skip_bad: bool


@dataclass(slots=True)
class ColumnCount:
    """What a column holds, and whether its stream was `there` before. Times in ns; None if it gives no
    point."""

    there: bool
    points: int = 0
    empty: int = 0
    bad: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, rows: Rows, column: str) -> None:
        """Counts one batch."""
        stored, values = rows.stored(column), rows.values[column]
        self.empty += int((rows.timed & ~values.present).sum())
        self.bad += int((rows.timed & values.bad).sum())
        if not stored.any():
            return
        times = rows.times[stored]
        self.points += len(times)
        first, last = int(times.min()), int(times.max())
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


@dataclass(slots=True)
class Survey:
    """What a file holds, and how it has to be read to be stored."""

    plan: FilePlan
    times: TimeReader
    columns: dict[str, ColumnCount]
    rows: int = 0
    bad_rows: int = 0
    examples: list[str] = field(default_factory=list)


def survey(plan: FilePlan, rules: SurveyRules, advance: Advance) -> Survey:
    """Reads a whole file. Unless bad rows are to be skipped, raises the error of the first one."""
    reader = _time_reader(plan, rules.times)
    result = Survey(plan, reader, {name: ColumnCount(target.known) for name, target in plan.targets.items()})
    take, most = (Target.salvage, None) if rules.skip_bad else (Target.narrow, 1)
    for rows in RowReader(plan, reader, rules.cells, take, most).read():
        if rows.problems and not rules.skip_bad:
            raise _refusal(min(rows.problems, key=lambda problem: problem.line))
        _count(result, rows)
        advance(rows.done)
    return result


def _time_reader(plan: FilePlan, rules: TimeRules) -> TimeReader:
    try:
        return time_reader(_first_times(plan), rules)
    except OtrError as error:
        error.message = f"{plan.source.path}, column {plan.time_column!r}: {error.message}"
        raise


def _first_times(plan: FilePlan) -> pa.Array:
    """The times of the first batch that has any."""
    column = plan.time_column
    for batch in plan.source.batches([column]):
        if len(batch.lines):
            return batch.columns[column]
    return pa.array([], plan.source.types[column])


def _refusal(problem: Problem) -> OtrError:
    error = problem.error
    error.advice = (
        f"{error.advice} {_HOW_TO_GO_ON}".strip() if error.advice != error.default_advice else _HOW_TO_GO_ON
    )
    return error


def _count(result: Survey, rows: Rows) -> None:
    result.rows += int(rows.timed.sum())
    result.bad_rows += rows.bad_rows
    room = _EXAMPLES - len(result.examples)
    result.examples += [problem.error.message for problem in rows.problems[:room]]
    for name, count in result.columns.items():
        count.add(rows, name)
        result.plan.targets[name].points += int(np.count_nonzero(rows.stored(name)))
