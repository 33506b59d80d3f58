"""`otrdb flush`: commits pending points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.opening import change_archive
from otrdb.cli.options import archive_option, complete_streams
from otrdb.cli.selecting import find_streams

if TYPE_CHECKING:
    from pathlib import Path


@click.command("flush")
@click.argument("streams", nargs=-1, metavar="[STREAM]...", shell_complete=complete_streams)
@archive_option
def command(archive: Path, streams: tuple[str, ...]) -> None:
    """Commit the pending points of every STREAM, or of all streams, as new versions.

    Points are safe and visible without it.
    """
    with change_archive(archive) as db:
        if not streams:
            db.flush()
        for stream in find_streams(db, streams, ()):
            click.echo(f"{stream.uuid} {stream.flush()}")
