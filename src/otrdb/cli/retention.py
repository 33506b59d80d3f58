"""`otrdb retention`: how long points are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, output_options
from otrdb.cli.rules import NONE, change, rule_options, show

if TYPE_CHECKING:
    from pathlib import Path


@click.command("retention")
@click.argument("age", required=False)
@rule_options
@output_options
@archive_option
def command(archive: Path, age: str | None, prefix: str, stream: str | None, output: Output) -> None:
    """Say that points may become as old as AGE: 90d, 12h, forever; or none for no rule of their own.

    The rule is for the streams whose collection begins with PREFIX, or for one STREAM; without either for
    the whole archive. A stream's own rule goes before that of the longest prefix. `otrdb expire` drops what
    is too old, and collecting does so every hour. Without AGE the rules are shown.
    """
    if age is None:
        show(archive, "retention", output)
    else:
        value = None if age == NONE else age
        change(archive, prefix, stream, lambda db, scope: db.set_retention(value, **scope))
