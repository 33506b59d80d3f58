"""`otrdb check`: reads everything and reports damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.findings import report
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, output_options
from otrdb.cli.progress import spinner

if TYPE_CHECKING:
    from pathlib import Path


@click.command("check")
@output_options
@archive_option
@click.pass_context
def command(context: click.Context, archive: Path, output: Output) -> None:
    """Read everything that is stored and report what is wrong with it. Nothing is changed.

    The exit code is 3 if anything is wrong.
    """
    with read_archive(archive) as db, spinner("Reading everything"):
        findings = list(db.check())
    report(context, findings, output)
