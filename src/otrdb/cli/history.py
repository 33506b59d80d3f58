"""`otrdb history`: which old versions are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, output_options
from otrdb.cli.rules import NONE, change, rule_options, show

if TYPE_CHECKING:
    from pathlib import Path


@click.command("history")
@click.argument("history", required=False)
@rule_options
@output_options
@archive_option
def command(archive: Path, history: str | None, prefix: str, stream: str | None, output: Output) -> None:
    """Say which versions are kept: with 1h,1d,7d all for an hour, one per hour until they are a day old, one
    per day until they are 7 days old.

    That is what holds without a rule. HISTORY may also be all, or none for no rule of their own. PREFIX and
    STREAM as for `otrdb retention`. Without HISTORY the rules are shown.
    """
    if history is None:
        show(archive, "history", output)
    else:
        value = None if history == NONE else history
        change(archive, prefix, stream, lambda db, scope: db.set_history(value, **scope))
