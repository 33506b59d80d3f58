"""`otrdb compact`: gives space back to the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import otrdb
from otrdb.cli.facts import json_option, print_facts
from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.cli.opening import check_exists
from otrdb.cli.options import archive_option
from otrdb.cli.progress import measured

if TYPE_CHECKING:
    from pathlib import Path


@click.command("compact")
@json_option
@archive_option
@click.pass_context
def command(context: click.Context, archive: Path, as_json: bool) -> None:
    """Give back to the disk what no version needs any more: what was replaced, expired, pruned, obliterated.

    Segments of which at least 30 % is needed by nobody are emptied, by copying the rest, and deleted. May be
    broken off at any moment. Files that somebody is still reading are deleted when the archive is opened
    next. The exit code is 3 if damage kept a segment from being moved.
    """
    check_exists(archive)
    with otrdb.open(archive) as db, measured("Moving") as progress:
        done = db.compact(progress=progress)
    facts = {
        "segments": done.segments,
        "bytes": done.bytes,
        "moved_bytes": done.moved,
        "waiting": done.waiting,
    }
    print_facts(facts, as_json)
    for finding in done.findings:
        click.echo(f"{finding.code} {finding.message}", err=True)
    if done.findings:
        context.exit(DAMAGE_FOUND)
