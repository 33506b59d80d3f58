"""`otrdb completion`: the script that teaches a shell to complete."""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from otrdb.cli.failures import Failure

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@click.pass_context
def command(context: click.Context, shell: str | None) -> None:
    """Print the completion script for SHELL, by default the one in $SHELL.

    For bash, put this into ~/.bashrc:  eval "$(otrdb completion bash)"
    """
    name = shell or PurePath(os.environ.get("SHELL", "")).name
    script = get_completion_class(name)
    if name not in _SHELLS or script is None:
        raise click.UsageError(f"Name the shell: {', '.join(_SHELLS)}.")
    try:
        click.echo(script(context.find_root().command, {}, "otrdb", "_OTRDB_COMPLETE").source())
    except RuntimeError as error:  # click found a bash too old for its script
        raise Failure(str(error)) from error
