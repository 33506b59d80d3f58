"""`otrdb obliterate`: removes a stream for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.asking import ask
from otrdb.cli.opening import change_archive
from otrdb.cli.options import archive_option, stream_argument, yes_option
from otrdb.cli.selecting import Selector, find_stream, path_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command("obliterate")
@stream_argument
@yes_option
@archive_option
def command(archive: Path, stream: Selector, yes: bool) -> None:
    """Remove STREAM with its metadata and all its versions. Its uuid is never accepted again."""
    with change_archive(archive) as db:
        found = find_stream(db, stream)
        ask(f"Obliterate {path_of(found)} ({found.uuid}) with {found.count()} points and all versions?", yes)
        found.obliterate()
