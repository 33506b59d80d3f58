"""What the commands about rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import click

import otrdb
from otrdb.cli.opening import check_exists
from otrdb.cli.options import complete_streams
from otrdb.cli.output import emit
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.selecting import Selector, find_stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otrdb.cli.output import Output

Answer = TypeVar("Answer")
Scope: TypeAlias = dict[str, Any]
"""The keywords of `Archive.set_retention` that say whom a rule is for."""

NONE: Final = "none"
_COLUMNS: Final = {"key": "text", "value": "text", "prefix": "text", "stream": "text"}


def rule_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Adds --prefix and --stream."""
    for option in (
        click.option("--stream", shell_complete=complete_streams, help="Only this stream."),
        click.option("--prefix", default="", help="Only streams whose collection begins with this."),
    ):
        function = option(function)
    return function


def change(
    archive: Path, prefix: str, stream: str | None, set_rule: Callable[[otrdb.Archive, Scope], None]
) -> None:
    """Sets a rule of a prefix, a stream or the archive."""
    check_exists(archive)
    with otrdb.open(archive) as db:
        found = None if stream is None else find_stream(db, Selector(stream, {}))
        set_rule(db, {"prefix": prefix, "stream": found})


def show(archive: Path, key: str, output: Output) -> None:
    """Gives the rules of one key."""
    check_exists(archive)
    with otrdb.open(archive, mode="r") as db:
        records = [rule._asdict() for rule in db.rules() if rule.key == key]
    emit([sheet_of(records, _COLUMNS)], output)
