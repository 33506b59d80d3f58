"""`otrdb create`: a new stream, and the archive if there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.opening import make_archive
from otrdb.cli.options import archive_option
from otrdb.cli.selecting import parse_pairs
from otrdb.model import Kind

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from otrdb.model import KindLike


@click.command("create")
@click.argument("collection")
@click.option("--name", help='The tag "name".')
@click.option("--unit", help='The tag "unit".')
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.FLOAT.value,
    show_default=True,
    help="What the values are; it cannot be changed later.",
)
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A further tag; may be repeated.")
@click.option(
    "--annotation", "annotations", multiple=True, metavar="KEY=VALUE", help="An annotation; may be repeated."
)
@click.option("--uuid", type=click.UUID, help="The identity to give it [default: a random one].")
@archive_option
def command(
    archive: Path,
    collection: str,
    name: str | None,
    unit: str | None,
    kind: KindLike,
    tags: tuple[str, ...],
    annotations: tuple[str, ...],
    uuid: UUID | None,
) -> None:
    """Make a new stream in COLLECTION and print its uuid.

    The archive is made too if it does not exist. Tags tell the streams of a collection apart, and two streams
    cannot have the same collection and tags.
    """
    own = {key: text for key, text in (("name", name), ("unit", unit)) if text is not None}
    with make_archive(archive) as db:
        stream = db.create(
            collection,
            kind=kind,
            tags=parse_pairs(tags, "tag") | own,
            annotations=parse_pairs(annotations, "annotation"),
            uuid=uuid,
        )
        click.echo(stream.uuid)
