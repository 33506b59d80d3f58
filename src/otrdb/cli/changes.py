"""`otrdb changes`: where two versions of a stream differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, stream_argument
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.selecting import Selector, find_stream

if TYPE_CHECKING:
    from pathlib import Path


@click.command("changes")
@stream_argument
@click.argument("from_version", metavar="FROM", type=int)
@click.argument("to_version", metavar="[TO]", type=int, default=0)
@click.option(
    "--resolution",
    type=int,
    default=0,
    show_default=True,
    help="Round the ranges to 2**RESOLUTION ns, which is faster.",
)
@click.option(
    "--leave-out-damage", is_flag=True, help="Take for changed what damage keeps from being compared."
)
@output_options
@archive_option
def command(
    archive: Path,
    stream: Selector,
    from_version: int,
    to_version: int,
    resolution: int,
    leave_out_damage: bool,
    output: Output,
) -> None:
    """Print the ranges outside which versions FROM and TO of STREAM are the same.

    Without TO the latest state is meant, pending points included.
    """
    with read_archive(archive) as db:
        found = db.stream(find_stream(db, stream).uuid)
        asked = found.leaving_out_damage() if leave_out_damage else found
        changes = asked.changes(from_version, to_version, resolution)
    emit([sheet_of([change._asdict() for change in changes], {"start": "time", "end": "time"})], output)
