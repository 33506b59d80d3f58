"""`otrdb thin`: how long points are kept as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, output_options
from otrdb.cli.rules import NONE, change, rule_options, show

if TYPE_CHECKING:
    from pathlib import Path

_POINTWIDTH: Final = 36


@click.command("thin")
@click.argument("age", required=False)
@click.option(
    "--pointwidth",
    type=int,
    default=_POINTWIDTH,
    show_default=True,
    help="Windows of 2**POINTWIDTH ns: 28 are 0.27 s, 32 are 4.3 s, 36 are 69 s, 40 are 18 min.",
)
@rule_options
@output_options
@archive_option
def command(
    archive: Path, age: str | None, pointwidth: int, prefix: str, stream: str | None, output: Output
) -> None:
    """Say that points older than AGE (90d, 12h) give way to statistics of windows; or forever, to keep them
    as they came; or none for no rule of their own.

    PREFIX and STREAM as for `otrdb retention`. `otrdb expire` thins what is due, and collecting does so every
    hour. Without AGE the rules are shown.
    """
    if age is None:
        show(archive, "thin", output)
    else:
        value = None if age == NONE else age
        change(
            archive, prefix, stream, lambda db, scope: db.set_thinning(value, pointwidth=pointwidth, **scope)
        )
