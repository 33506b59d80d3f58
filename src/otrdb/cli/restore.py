"""`otrdb restore`: an archive from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

import otrdb
from otrdb.cli.moments import parse_moment
from otrdb.cli.opening import check_exists
from otrdb.cli.options import tz_option
from otrdb.cli.progress import measured
from otrdb.cli.selecting import find_streams

if TYPE_CHECKING:
    from uuid import UUID


@click.command("restore")
@click.argument("backup", type=click.Path(file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--stream", "streams", multiple=True, metavar="STREAM", help="Only this one; may be repeated.")
@click.option(
    "--prefix", "prefixes", multiple=True, help="Only streams whose collection begins so; may be repeated."
)
@click.option(
    "--as-of", metavar="VERSION|TIME", help="What was there at that time, or in that version of one stream."
)
@tz_option
def command(
    backup: Path,
    target: Path,
    streams: tuple[str, ...],
    prefixes: tuple[str, ...],
    as_of: str | None,
    tz: str | None,
) -> None:
    """Make the archive TARGET, a new directory, from the directory BACKUP.

    Without options it is a copy of everything that was backed up, proved by its checksums. With any of them
    it is a new archive of the streams chosen, or of all as they were then, with their uuids and metadata.
    """
    check_exists(backup)
    chosen = _chosen(backup, streams, prefixes)
    moment = None if as_of is None else _moment(as_of, tz)
    with measured("Restoring") as progress:
        count = otrdb.restore(backup, target, streams=chosen, as_of=moment, progress=progress)
    click.echo(f"{target}: {count} streams", err=True)


def _chosen(backup: Path, streams: tuple[str, ...], prefixes: tuple[str, ...]) -> list[UUID] | None:
    if not streams and not prefixes:
        return None
    with otrdb.open(backup, mode="r") as db:
        return [stream.uuid for stream in find_streams(db, streams, prefixes)]


def _moment(text: str, zone: str | None) -> int | np.datetime64:
    """Digits alone are a version."""
    return int(text) if text.isdecimal() else np.datetime64(parse_moment(text, zone), "ns")
