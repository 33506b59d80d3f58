"""`otrdb export`: streams as a CSV or Parquet file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import numpy as np

from otrdb.cli.left_out import end_lacking, leave_out_option, tell_left_out
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, complete_streams, range_options
from otrdb.cli.output import times_option
from otrdb.cli.output.csv import CsvFile
from otrdb.cli.progress import progress
from otrdb.cli.reading import bounds
from otrdb.cli.selecting import find_streams, labels_of, path_of
from otrdb.errors import InvalidArgument, OtrError
from otrdb.export import Column
from otrdb.joined import Part, join
from otrdb.ranges import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb.cli.output import Writer
    from otrdb.cli.output.cells import Sheet, TimeForm
    from otrdb.cli.progress import Advance
    from otrdb.interface import ReadsLike, StreamLike

_PARQUET: Final = frozenset({".parquet", ".pq"})


@click.command("export")
@click.argument("streams", nargs=-1, metavar="[STREAM]...", shell_complete=complete_streams)
@click.option(
    "--prefix", "prefixes", multiple=True, help="All streams whose collection begins so; may be repeated."
)
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: .parquet or .csv.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@leave_out_option
@times_option
@range_options
@archive_option
def command(
    archive: Path,
    streams: tuple[str, ...],
    prefixes: tuple[str, ...],
    file: Path,
    force: bool,
    leave_out_damage: bool,
    times: TimeForm,
    start: int | None,
    end: int | None,
) -> None:
    """Write the points of every STREAM in [START, END) to one file, all of them as they were at one moment.

    The file has a row per time and a column per stream, empty where that has no point. A Parquet file says
    what its columns were, so that `otrdb import` makes the same streams of them.
    """
    if not streams and not prefixes:
        raise click.UsageError("Name a STREAM or a --prefix.")
    if file.exists() and not force:
        raise InvalidArgument(f"{file} exists.", advice="Give --force to replace it.")
    with read_archive(archive) as db, db.snapshot() as moment:
        found = find_streams(db, streams, prefixes)
        paths = {stream.uuid: path_of(stream) for stream in found}
        whole = [moment.view(stream) for stream in found]
        sound = [view.leaving_out_damage() for view in whole] if leave_out_damage else []
        views = sound or whole
        span = bounds(views, start, end)
        total = sum(view.count(*span) for view in views) if span else 0
        with progress("Writing", total) as advance, _replacing(file) as part:
            _write(_writer(file, part, found, times), _sheets(found, views, span, advance))
    lacking = [gap for view in sound for gap in view.left_out]
    click.echo(f"{file}: {total} points, {len(found)} streams", err=True)
    tell_left_out(paths, lacking)
    end_lacking(lacking)


def _write(writer: Writer, sheets: Iterator[Sheet]) -> None:
    try:
        for sheet in sheets:
            writer.write(sheet)
    finally:
        writer.close()


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    """A path beside `file` that takes its place if all goes well, and is removed otherwise."""
    part = file.with_name(f"{file.name}.part")
    try:
        yield part
        part.replace(file)
    except OtrError:  # of the archive, though some are errors of the system too
        raise
    except OSError as error:
        raise InvalidArgument(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def _writer(file: Path, part: Path, streams: Sequence[StreamLike], times: TimeForm) -> Writer:
    if file.suffix.lower() not in _PARQUET:
        return CsvFile(part, times)
    from otrdb.cli.importing.origins import ORIGINS_KEY, origins_text
    from otrdb.cli.output.parquet import ParquetWriter

    return ParquetWriter(
        part, {ORIGINS_KEY: origins_text(dict(zip(labels_of(streams), streams, strict=True)))}
    )


def _empty(stream: StreamLike) -> Column:
    return Column("", stream.kind.value, np.empty(0, stream.kind.dtype))


def _sheets(
    streams: Sequence[StreamLike],
    views: Sequence[ReadsLike],
    span: tuple[int, int] | None,
    advance: Advance,
) -> Iterator[Sheet]:
    """Rows in ascending time, at least one sheet."""
    names = ["time", *labels_of(streams)]

    def count(first: int, last: int) -> int:
        return sum(view.count(first, last) for view in views)

    none = [Column("", "time", np.empty(0, np.int64)), *(_empty(stream) for stream in streams)]
    yield _renamed(none, names)
    for first, last in pieces(count, *span) if span else ():
        points = [view.values(first, last) for view in views]
        parts = [Part(stream.uuid, each) for stream, each in zip(streams, points, strict=True)]
        yield _renamed(join(parts, "outer").table_columns(), names)
        advance(count(first, last))


def _renamed(columns: Sheet, names: Sequence[str]) -> Sheet:
    return [column._replace(name=name) for column, name in zip(columns, names, strict=True)]
