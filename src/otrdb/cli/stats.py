"""`otrdb stats`: the archive's counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.facts import json_option, print_facts
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command("stats")
@json_option
@archive_option
def command(archive: Path, as_json: bool) -> None:
    """Print the archive's counters: points pending, bytes on disk and the like."""
    with read_archive(archive) as db:
        print_facts(db.stats(), as_json)
