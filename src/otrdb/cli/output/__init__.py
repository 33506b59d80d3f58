"""Answers on stdout: tables for people; JSON, CSV and Parquet for programs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, TypeVar

import click

from otrdb.cli.output.cells import Sheet, TimeForm, first_rows, row_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otrdb.export import Foreign

Answer = TypeVar("Answer")
Format: TypeAlias = Literal["table", "json", "csv", "parquet"]

TABLE_ROWS: Final = 100
"""Rows of a table for people, unless --limit says otherwise."""


@dataclass(frozen=True, slots=True)
class Output:
    """How an answer is to be given. `limit` is the greatest number of rows, None for all."""

    format: Format
    times: TimeForm
    limit: int | None
    file: Path | None = None


class Writer(Protocol):
    """Takes an answer in pieces that have the same columns."""

    def write(self, sheet: Sheet) -> None:
        """Adds rows."""
        ...

    def close(self) -> None:
        """Ends the answer."""
        ...


times_option = click.option(
    "--times",
    type=click.Choice(["iso", "ns"]),
    default="iso",
    show_default=True,
    help="Times as ISO-8601 in UTC, or as integer ns since 1970; no matter for Parquet.",
)


def output_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Adds --json, --csv, --parquet, --times and --limit; passes an `Output` as `output`."""

    @click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
    @click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
    @click.option(
        "--parquet", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write a Parquet file."
    )
    @times_option
    @click.option(
        "--limit",
        type=click.IntRange(min=0),
        help=f"Most rows to give; 0 for all [default: {TABLE_ROWS} in tables, else all].",
    )
    @wraps(function)
    def command(
        as_json: bool,
        as_csv: bool,
        file: Path | None,
        times: TimeForm,
        limit: int | None,
        **others: Foreign,
    ) -> Answer:
        if as_json + as_csv + (file is not None) > 1:
            raise click.UsageError("--json, --csv and --parquet exclude each other.")
        form: Format = "json" if as_json else "csv" if as_csv else "parquet" if file else "table"
        most = TABLE_ROWS if limit is None and form == "table" else limit or None
        return function(output=Output(form, times, most, file), **others)

    return command


def emit(sheets: Iterable[Sheet], output: Output) -> None:
    """Gives the rows of `sheets`, at least one and all with the same columns, in the form chosen."""
    writer = make_writer(output)
    for sheet in _limited(sheets, output):
        writer.write(sheet)
    writer.close()  # not after an error: half an answer must not look whole


def make_writer(output: Output) -> Writer:
    """The writer of a form. Each loads what it needs, and nothing else is loaded."""
    stdout = sys.stdout
    if output.format == "json":
        from otrdb.cli.output.json import JsonWriter

        return JsonWriter(stdout, output.times)
    if output.format == "csv":
        from otrdb.cli.output.csv import CsvWriter

        return CsvWriter(stdout, output.times)
    if output.file is not None:
        from otrdb.cli.output.parquet import ParquetWriter

        return ParquetWriter(output.file)
    from otrdb.cli.output.table import PlainTable, RichTable

    return RichTable(output.times) if sys.stdout.isatty() else PlainTable(stdout, output.times)


def _limited(sheets: Iterable[Sheet], output: Output) -> Iterator[Sheet]:
    left = output.limit
    for sheet in sheets:
        if left is None or row_count(sheet) <= left:
            left = None if left is None else left - row_count(sheet)
            yield sheet
            continue
        yield first_rows(sheet, left)
        if output.format == "table":
            click.echo(f"The first {output.limit} rows; --limit 0 gives all.", err=True)
        return
