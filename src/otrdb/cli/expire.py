"""`otrdb expire`: drops and thins what the rules do not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

import otrdb
from otrdb.cli.opening import check_exists
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.selecting import path_of

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = {
    "stream": "text",
    "uuid": "text",
    "before": "time",
    "points": "int",
    "bytes": "int",
    "snapshots": "text",
    "pointwidth": "int",
}


@click.command("expire")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@output_options
@archive_option
def command(archive: Path, dry_run: bool, output: Output) -> None:
    """Drop the points that are older than their retention, thin those that are due, and let go of versions
    that history does not keep.

    Shows for each stream the time before which points went, how many, the bytes of the blocks that hold
    nothing else, the named snapshots that go on holding some of them, and the pointwidth of the statistics
    that took their place, if any did.
    """
    check_exists(archive)
    with otrdb.open(archive, mode="r" if dry_run else "w") as db:
        records = [_record(db, expiry) for expiry in db.expire(dry_run=dry_run)]
    emit([sheet_of(records, _COLUMNS)], output)


def _record(db: otrdb.Archive, expiry: otrdb.Expiry) -> dict[str, Any]:
    stream = db.stream(expiry.stream)
    own = {"stream": path_of(stream), "uuid": str(stream.uuid), "snapshots": ", ".join(expiry.snapshots)}
    return expiry._asdict() | own
