"""`otrdb repair`: rebuilds the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import otrdb
from otrdb.cli.findings import tell
from otrdb.cli.opening import check_exists
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, output_options
from otrdb.cli.progress import meter

if TYPE_CHECKING:
    from pathlib import Path


@click.command("repair")
@output_options
@archive_option
@click.pass_context
def command(context: click.Context, archive: Path, output: Output) -> None:
    """Rebuild the catalog from the segments, which hold everything, then check as `otrdb check --deep` does.

    Nobody may be writing meanwhile. What is damaged in the segments is reported and stays where it is; the
    exit code is 3 then.
    """
    check_exists(archive)
    with meter() as shown:
        tell(context, otrdb.repair(archive, progress=shown.report), output, shown)
