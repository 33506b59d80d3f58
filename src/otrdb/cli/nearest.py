"""`otrdb nearest`: the point next to a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.moments import parse_moment
from otrdb.cli.negatives import CommandWithNegatives
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, stream_argument, tz_option, version_options, view_of
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.selecting import Selector, find_stream
from otrdb.errors import NoSuchPoint
from otrdb.times import format_ns

if TYPE_CHECKING:
    from pathlib import Path


@click.command("nearest", cls=CommandWithNegatives)
@stream_argument
@click.argument("time")
@click.option(
    "--backward", is_flag=True, help="The last point before TIME instead of the first at or after it."
)
@tz_option
@version_options
@output_options
@archive_option
def command(
    archive: Path,
    stream: Selector,
    time: str,
    backward: bool,
    tz: str | None,
    version: int | None,
    as_of: int | None,
    output: Output,
) -> None:
    """Print the first point of STREAM at or after TIME."""
    moment = parse_moment(time, tz)
    with read_archive(archive) as db:
        view = view_of(find_stream(db, stream), version, as_of)
        point = view.nearest(moment, backward)
        if point is None:
            side = "before" if backward else "at or after"
            raise NoSuchPoint(f"There is no point {side} {format_ns(moment)}.")
        emit([sheet_of([point._asdict()], {"time": "time", "value": view.kind.value})], output)
