"""Answers that lack what is damaged, if that was chosen: what they lack is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from otrdb import LeftOut

leave_out_option = click.option(
    "--leave-out-damage",
    is_flag=True,
    help="Where stored data is damaged, answer without it and say what is lacking; else the command fails.",
)


def tell_left_out(paths: Mapping[UUID, str], left_out: Sequence[LeftOut]) -> None:
    """A line on stderr for each range that an answer lacks. ``paths`` says what streams are called."""
    for gap in left_out:
        times = f"from {format_ns(gap.start)} to before {format_ns(gap.end)}"
        click.echo(f"Left out: {paths[gap.stream]} {times}. {gap.message}", err=True)


def end_lacking(left_out: Sequence[LeftOut]) -> None:
    """End the command with the exit code for damage if the answer lacks anything."""
    if left_out:
        click.get_current_context().exit(DAMAGE_FOUND)
