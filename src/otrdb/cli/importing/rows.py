"""Batches as times and values, with everything that is wrong in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from otrdb.cli.importing.cells import prepare
from otrdb.errors import BadValue, InvalidArgument, OtrError, TimeOutOfRange
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otrdb.cli.importing.batches import Batch
    from otrdb.cli.importing.cells import CellRules, Prepared, Values
    from otrdb.cli.importing.plan import FilePlan, Target
    from otrdb.cli.importing.times import TimeReader
    from otrdb.model import BoolArray, Int64Array


class Problem(NamedTuple):
    """Something that cannot be stored, and where it is."""

    line: int
    error: OtrError


class Rows(NamedTuple):
    """A batch read. `times` int64[n] mean something where `timed`; `values` are by column."""

    times: Int64Array
    timed: BoolArray
    values: dict[str, Values]
    problems: list[Problem]
    bad_rows: int
    done: int

    def stored(self, column: str) -> BoolArray:
        """Which rows give a point to the column's stream."""
        values = self.values[column]
        return self.timed & values.present & ~values.bad


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the batches of one file. `take` reads a column for the stream it goes into, and `most` bad times
    are looked for."""

    plan: FilePlan
    times: TimeReader
    cells: CellRules
    take: Callable[[Target, Prepared], Values]
    most: int | None = None

    def read(self) -> Iterator[Rows]:
        """All rows of the file."""
        plan = self.plan
        for batch in plan.source.batches([plan.time_column, *plan.targets]):
            yield self._rows(batch)

    def _rows(self, batch: Batch) -> Rows:
        prepared = {name: prepare(batch.columns[name], self.cells) for name in self.plan.targets}
        stamps = batch.columns[self.plan.time_column]
        blank = _blank(stamps, prepared)
        if blank.any():
            return self._rows(_without(batch, blank))
        read = self.times.read(stamps, self.most)
        values = {name: self.take(target, prepared[name]) for name, target in self.plan.targets.items()}
        bad = read.bad
        problems = [
            *(self._malformed(bad_line.line, bad_line.reason) for bad_line in batch.malformed),
            *self._bad_time(batch, read.outside, self._outside),
            *self._bad_time(batch, read.unreadable | read.unclear, self._no_time),
            *(
                self._bad_value(batch, name, part.bad & ~bad)
                for name, part in values.items()
                if (part.bad & ~bad).any()
            ),
        ]
        rejected = int(bad.sum()) + len(batch.malformed)
        return Rows(read.times, ~read.bad, values, problems, rejected, batch.done)

    def _where(self, line: int, column: str | None = None) -> str:
        source = self.plan.source
        return f"{source.path}, {source.row_word} {line}" + (f", column {column!r}" if column else "")

    def _malformed(self, line: int, reason: str) -> Problem:
        return Problem(line, InvalidArgument(f"{self._where(line)}: {reason}."))

    def _bad_time(
        self, batch: Batch, bad: BoolArray, make: Callable[[str, str], OtrError]
    ) -> Iterator[Problem]:
        """A problem for the first of the bad rows."""
        if bad.any():
            index = int(bad.argmax())
            line = int(batch.lines[index])
            text = str(batch.columns[self.plan.time_column][index].as_py())
            yield Problem(line, make(self._where(line, self.plan.time_column), text))

    def _outside(self, where: str, text: str) -> OtrError:
        low, high = (format_ns(limit) for limit in self.times.accept)
        return TimeOutOfRange(f"{where}: {text!r} is not from {low} to {high}.", advice="Check its unit.")

    def _no_time(self, where: str, text: str) -> OtrError:
        return InvalidArgument(f"{where}: {text!r} is no single instant ({self.times.description}).")

    def _bad_value(self, batch: Batch, column: str, bad: BoolArray) -> Problem:
        index = int(bad.argmax())
        line = int(batch.lines[index])
        text = str(batch.columns[column][index].as_py())
        kind = self.plan.targets[column].kind.value
        return Problem(
            line, BadValue(f"{self._where(line, column)}: {text!r} is no value of kind {kind}.", advice="")
        )


def _without(batch: Batch, blank: BoolArray) -> Batch:
    kept = pa.array(~blank)
    columns = {name: cells.filter(kept) for name, cells in batch.columns.items()}
    return batch._replace(columns=columns, lines=batch.lines[~blank])


def _blank(stamps: pa.Array, values: dict[str, Prepared]) -> BoolArray:
    """Lines without anything on them: they hold nothing, and so lack nothing."""
    empty = pc.is_null(stamps).to_numpy(zero_copy_only=False)
    if str(stamps.type) in ("string", "large_string"):
        empty |= pc.equal(pc.utf8_trim_whitespace(pc.fill_null(stamps, "")), "").to_numpy(
            zero_copy_only=False
        )
    for column in values.values():
        empty &= ~column.present
    return np.asarray(empty, dtype=np.bool_)
