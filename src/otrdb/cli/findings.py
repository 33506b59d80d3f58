"""What `check` and `repair` found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.cli.output import emit
from otrdb.cli.output.cells import sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.cli.output import Output
    from otrdb.results import Finding

_COLUMNS: Final = {"code": "text", "stream": "text", "start": "time", "end": "time", "message": "text"}


def report(context: click.Context, findings: Sequence[Finding], output: Output) -> None:
    """Gives findings as rows; ends the command with DAMAGE_FOUND if there are any."""
    records = [finding._asdict() for finding in findings]
    for record in records:
        record["stream"] = None if record["stream"] is None else str(record["stream"])
    if findings or output.format != "table":
        emit([sheet_of(records, _COLUMNS)], output)
    if findings:
        click.echo(f"Found wrong: {len(findings)}.", err=True)
        context.exit(DAMAGE_FOUND)
    click.echo("No damage found.", err=True)
