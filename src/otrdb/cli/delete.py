"""`otrdb delete`: removes the points of a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.asking import ask
from otrdb.cli.opening import change_archive
from otrdb.cli.options import archive_option, range_options, stream_argument, yes_option
from otrdb.cli.selecting import Selector, find_stream, path_of
from otrdb.model import MAX_TIME, MIN_TIME

if TYPE_CHECKING:
    from pathlib import Path


@click.command("delete")
@stream_argument
@range_options
@click.option("--all", "everything", is_flag=True, help="All points; instead of --start and --end.")
@yes_option
@archive_option
def command(
    archive: Path, stream: Selector, start: int | None, end: int | None, everything: bool, yes: bool
) -> None:
    """Remove the points of STREAM in [START, END) and print the new version. Older versions keep them.

    At least one of --start and --end must be given, or --all.
    """
    if everything == (start is not None or end is not None):
        raise click.UsageError("Give --start, --end or both, or --all alone.")
    first = MIN_TIME if start is None else start
    last = MAX_TIME if end is None else end
    with change_archive(archive) as db:
        found = find_stream(db, stream)
        ask(f"Delete {found.count(first, last)} points of {path_of(found)}?", yes)
        click.echo(found.delete(first, last))
