"""`otrdb streams`: what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.selecting import parse_pairs
from otrdb.extent import first_time, last_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otrdb.interface import StreamLike

_COLUMNS: Final = {
    "collection": "text",
    "name": "text",
    "unit": "text",
    "kind": "text",
    "uuid": "text",
    "tags": "text",
}
_POINT_COLUMNS: Final = {"points": "int", "first": "time", "last": "time"}


@click.command("streams")
@click.argument("prefix", default="")
@click.option("--collection", help="Only streams in exactly this collection.")
@click.option(
    "--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Only streams with this tag; may be repeated."
)
@click.option(
    "--annotation",
    "annotations",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="Only streams with this annotation; may be repeated.",
)
@click.option("--points", is_flag=True, help="Count the points of each, and give the first and last time.")
@output_options
@archive_option
def command(
    archive: Path,
    prefix: str,
    collection: str | None,
    tags: tuple[str, ...],
    annotations: tuple[str, ...],
    points: bool,
    output: Output,
) -> None:
    """List the streams whose collection begins with PREFIX."""
    with read_archive(archive) as db:
        found = db.streams(
            prefix, collection=collection, tags=_pattern(tags), annotations=_pattern(annotations)
        )
        records = [_record(stream, points) for stream in found]
    emit([sheet_of(records, _COLUMNS | _POINT_COLUMNS if points else _COLUMNS)], output)


def _pattern(texts: Iterable[str]) -> dict[str, str | None]:
    """Keys that must be there, with the value they must have or None."""
    present = {text: None for text in texts if "=" not in text}
    return present | parse_pairs((text for text in texts if "=" in text), "tag")


def _record(stream: StreamLike, points: bool) -> dict[str, Any]:
    others = {key: value for key, value in stream.tags.items() if key not in ("name", "unit")}
    record = {
        "collection": stream.collection,
        "name": stream.name,
        "unit": stream.unit,
        "kind": stream.kind.value,
        "uuid": str(stream.uuid),
        "tags": " ".join(f"{key}={value}" for key, value in sorted(others.items())),
    }
    return record | _extent(stream) if points else record


def _extent(stream: StreamLike) -> dict[str, Any]:
    return {"points": stream.count(), "first": first_time(stream), "last": last_time(stream)}
