"""`otrdb check`: verifies the archive and reports damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import otrdb
from otrdb.cli.findings import tell
from otrdb.cli.opening import check_exists
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, output_options
from otrdb.cli.progress import meter
from otrdb.errors import Damaged
from otrdb.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb.cli.progress import Meter


@click.command("check")
@click.option("--deep", is_flag=True, help="Read every byte, and make every summary again from its points.")
@output_options
@archive_option
@click.pass_context
def command(context: click.Context, archive: Path, deep: bool, output: Output) -> None:
    """Verify the structure of what is stored and report what is wrong with it. Nothing is changed.

    What is wrong is told as it is found: code, stream and range of times where known, and a sentence. The
    exit code is 3 if anything is wrong.
    """
    check_exists(archive)
    with meter() as shown:
        tell(context, _findings(archive, deep, shown), output, shown)


def _findings(archive: Path, deep: bool, shown: Meter) -> Iterator[Finding]:
    try:
        db = otrdb.open(archive, mode="r")
    except Damaged as error:  # so badly that it does not open
        yield Finding(error.code, error.message)
        return
    with db:
        yield from db.check(deep=deep, progress=shown.report)
