"""`otrdb check`: reads everything and reports damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.progress import spinner

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otrdb.results import Finding

_COLUMNS: Final = {"code": "text", "stream": "text", "start": "time", "end": "time", "message": "text"}


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
    if findings or output.format != "table":
        emit_findings(findings, output)
    if findings:
        click.echo(f"{len(findings)} findings", err=True)
        context.exit(DAMAGE_FOUND)
    click.echo("No damage found.", err=True)


def emit_findings(findings: Iterable[Finding], output: Output) -> None:
    """Gives findings as rows."""
    records = [finding._asdict() for finding in findings]
    for record in records:
        record["stream"] = None if record["stream"] is None else str(record["stream"])
    emit([sheet_of(records, _COLUMNS)], output)
