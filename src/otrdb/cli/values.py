"""`otrdb values`: the points of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, range_options, stream_argument, version_options, view_of
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.reading import point_sheets
from otrdb.cli.selecting import Selector, find_stream

if TYPE_CHECKING:
    from pathlib import Path


@click.command("values")
@stream_argument
@range_options
@version_options
@output_options
@archive_option
def command(
    archive: Path,
    stream: Selector,
    start: int | None,
    end: int | None,
    version: int | None,
    as_of: int | None,
    output: Output,
) -> None:
    """Print the points of STREAM in [START, END)."""
    with read_archive(archive) as db:
        view = view_of(find_stream(db, stream), version, as_of)
        emit(point_sheets(view, start, end), output)
