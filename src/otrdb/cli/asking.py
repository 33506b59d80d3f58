"""Questions before something is removed."""

from __future__ import annotations

import click

from otrdb.cli.failures import Failure


def ask(question: str, yes: bool) -> None:
    """Asks on stderr unless `yes`; any answer but yes, or none, ends the command before anything was
    changed."""
    if yes:
        return
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:  # no terminal to ask, or Ctrl-C
        agreed = False
    if not agreed:
        raise Failure("Nothing was changed. (--yes answers the question.)")
