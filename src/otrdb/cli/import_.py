"""`otrdb import`: the columns of CSV and Parquet files as streams."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from otrdb.cli.opening import Accept, change_archive, make_archive, read_archive
from otrdb.cli.options import accept_option, archive_option, merge_option, tz_option
from otrdb.cli.selecting import parse_pairs
from otrdb.export import Foreign, import_extra
from otrdb.model import LAST_TIME, MIN_TIME, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otrdb.cli.importing.job import Job
    from otrdb.interface import ArchiveLike
    from otrdb.model import MergeLike

_ANY_TIME: Final = (MIN_TIME, LAST_TIME + 1)
_NAMED_SEPARATORS: Final = {"tab": "\t", "\\t": "\t", "blank": " ", "space": " "}


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--collection", help="Collection of the streams [default: the file's name without its ending].")
@click.option(
    "--paths", is_flag=True, help="Columns are named COLLECTION/NAME, as `otrdb export` writes them to CSV."
)
@click.option("--time-column", metavar="COLUMN", help="Name or number of the column of times.")
@click.option(
    "--time-unit",
    type=click.Choice(["s", "ms", "us", "ns"]),
    help="Unit of times given as numbers [default: guessed by their size].",
)
@click.option(
    "--time-format", metavar="FORMAT", help="Form of the times, as for strptime: '%d.%m.%Y %H:%M:%S.%f'."
)
@tz_option
@click.option(
    "--ambiguous",
    type=click.Choice(["refuse", "earlier", "later"]),
    default="refuse",
    show_default=True,
    help="What to make of local times that the clocks showed twice.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="[COLUMN=]KIND",
    help="Kind of a new stream, float, int or bool; without COLUMN of all [default: the narrowest "
    "that fits].",
)
@click.option(
    "--unit", "units", multiple=True, metavar="COLUMN=UNIT", help="Unit of a new stream; may be repeated."
)
@click.option("--only", multiple=True, metavar="COLUMN", help="Import only this column; may be repeated.")
@click.option("--skip", multiple=True, metavar="COLUMN", help="Leave this column out; may be repeated.")
@click.option(
    "--separator", metavar="CHARACTER", help="What separates columns, or `tab` [default: found out]."
)
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether the first line names the columns [default: found out].",
)
@click.option("--names", metavar="NAME,...", help="Names of all columns of a CSV file, separated by commas.")
@click.option(
    "--skip-lines", type=click.IntRange(min=0), default=0, help="Lines to leave out before the header."
)
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of CSV files.")
@click.option(
    "--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="The decimal sign."
)
@click.option(
    "--null",
    "nulls",
    multiple=True,
    metavar="TEXT",
    help="A cell that means no value; an empty one always does.",
)
@click.option(
    "--skip-bad",
    is_flag=True,
    help="Leave out what cannot be read, and count it, instead of refusing the file.",
)
@merge_option
@accept_option
@click.option("--dry-run", is_flag=True, help="Read and report everything, store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@archive_option
def command(
    archive: Path,
    files: tuple[Path, ...],
    merge: MergeLike,
    dry_run: bool,
    as_json: bool,
    accept: Accept,
    **given: Foreign,
) -> None:
    """Store the columns of CSV and Parquet FILES, one stream each.

    All files are read once before anything is stored; a bad row ends the import then, with its file, line and
    column. Streams that are there already go on, others are made. An import that was interrupted can be
    repeated with --merge equal.
    """
    from otrdb.cli.importing.report import print_report

    job = _job(given, accept)
    with ExitStack() as stack:
        db = _archive_there(archive, accept, stack, dry_run)
        surveys = job.survey(files, db)
        if not dry_run:
            job.store(surveys, db or stack.enter_context(make_archive(archive, accept)), merge)
    print_report(surveys, as_json)
    if dry_run:
        click.echo("Nothing was stored: this was a dry run.", err=True)


def _archive_there(path: Path, accept: Accept, stack: ExitStack, dry_run: bool) -> ArchiveLike | None:
    """The archive if it exists. It is not made yet: a file that is refused leaves nothing behind."""
    if not path.exists():
        return None
    return stack.enter_context(read_archive(path) if dry_run else change_archive(path, accept))


def _job(given: Mapping[str, Any], accept: Accept) -> Job:
    """The options as rules. Loading pyarrow waits until here."""
    import_extra("pyarrow", "cli")
    from otrdb.cli.importing.cells import CellRules
    from otrdb.cli.importing.csv_source import CsvOptions
    from otrdb.cli.importing.job import Job
    from otrdb.cli.importing.plan import PlanRules
    from otrdb.cli.importing.survey import SurveyRules
    from otrdb.cli.importing.times import TimeRules

    separator, names, decimal = given["separator"], given["names"], given["decimal"]
    csv = CsvOptions(
        _NAMED_SEPARATORS.get(separator, separator),
        given["header"],
        tuple(name.strip() for name in names.split(",")) if names else (),
        given["skip_lines"],
        given["encoding"],
    )
    plan = PlanRules(
        given["collection"],
        given["paths"],
        _kinds(given["kinds"]),
        parse_pairs(given["units"], "unit of a column"),
        given["only"],
        given["skip"],
        given["time_column"],
    )
    times = TimeRules(
        given["tz"],
        given["ambiguous"],
        given["time_unit"],
        given["time_format"],
        decimal,
        accept or _ANY_TIME,
    )
    cells = CellRules(("", *given["nulls"]), decimal)
    return Job(csv, plan, SurveyRules(times, cells, given["skip_bad"]))


def _kinds(texts: Sequence[str]) -> dict[str, Kind]:
    """Kinds by column; a kind without a column is under "", for all others."""
    pairs = (text.rpartition("=") for text in texts)
    return {column: Kind(kind) for column, _, kind in pairs}
