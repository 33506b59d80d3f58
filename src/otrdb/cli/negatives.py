"""Arguments that begin with a minus sign but are no options."""

from __future__ import annotations

import re
from typing import Final

import click

_NEGATIVE: Final = re.compile(r"-[\d.]")


class CommandWithNegatives(click.Command):
    """Takes -5 and -1h as the arguments they are. None of our options begins with a digit."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hides the minus behind a blank, which whoever reads the argument strips."""
        return super().parse_args(ctx, [f" {text}" if _NEGATIVE.match(text) else text for text in args])
