"""`otrdb keys`: who may use the server of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.opening import check_exists, make_archive, read_archive
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.errors import NotAnArchive
from otrdb.server.keys import KeyFile
from otrdb.server.rpc import Scope

if TYPE_CHECKING:
    from pathlib import Path


@click.group("keys")
def command() -> None:
    """Make, list and revoke the API keys of an archive's server. A server that is running knows at once."""


@command.command("create")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.name.lower() for scope in Scope]),
    required=True,
    help="read: ask; write: store and delete, too; admin: obliterate, too.",
)
@archive_option
def create(archive: Path, name: str, scope: str) -> None:
    """Make a key called NAME and print it: this once, since only its SHA-256 is stored.

    The archive is made if it is not there: a server that others reach does not start without a key.
    """
    _make_sure_of(archive)
    click.echo(KeyFile(archive).create(name, Scope[scope.upper()]))
    click.echo(
        "Keep it: it is not shown again. From now on the server lets in nobody without a key.", err=True
    )


def _make_sure_of(archive: Path) -> None:
    try:
        read_archive(archive).close()
    except NotAnArchive:
        make_archive(archive).close()


@command.command("list")
@output_options
@archive_option
def list_(archive: Path, output: Output) -> None:
    """Print the names and scopes of all keys, and when they were made."""
    check_exists(archive)
    rows = [
        {"name": key.name, "scope": key.scope.name.lower(), "created": key.created}
        for key in KeyFile(archive).read() or ()
    ]
    emit([sheet_of(rows, {"name": "text", "scope": "text", "created": "time"})], output)


@command.command("revoke")
@click.argument("name")
@archive_option
def revoke(archive: Path, name: str) -> None:
    """Remove the key NAME: calls that carry it are refused from now on."""
    check_exists(archive)
    keys = KeyFile(archive)
    if not keys.revoke(name):
        click.echo(
            f"No key is left, so nobody is let in. To let in everybody again, remove {keys.path}", err=True
        )
