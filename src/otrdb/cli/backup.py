"""`otrdb backup`: copies what is new of the archive to a directory."""

from __future__ import annotations

from pathlib import Path

import click

import otrdb
from otrdb.cli.facts import json_option, print_facts
from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.cli.opening import check_exists
from otrdb.cli.options import archive_option
from otrdb.cli.progress import measured


@click.command("backup")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@json_option
@archive_option
@click.pass_context
def command(context: click.Context, archive: Path, target: Path, as_json: bool) -> None:
    """Copy the archive, as it is now, to the directory TARGET; or what is new, if it holds an earlier backup.

    Works beside a process that writes, and holds all streams as they were at one moment. What was copied is
    read back and proved. The exit code is 3 if the archive is damaged: then the backup holds that damage too.
    """
    check_exists(archive)
    with otrdb.open(archive, mode="r") as db, measured("Copying") as progress:
        done = db.backup(target, progress=progress)
    print_facts({"copied_bytes": done.copied, "reused_bytes": done.reused}, as_json)
    for finding in done.findings:
        click.echo(f"{finding.code} {finding.message}", err=True)
    if done.findings:
        context.exit(DAMAGE_FOUND)
