"""`otrdb info`: what this archive, or one stream of it, is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from otrdb.cli.facts import json_option, print_facts
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, complete_streams
from otrdb.cli.selecting import Selector, find_stream, parse_pairs
from otrdb.errors import Thinned
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otrdb.interface import StreamLike
    from otrdb.results import Point


@click.command("info")
@click.argument("stream", required=False, shell_complete=complete_streams)
@click.option(
    "--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag STREAM must have; may be repeated."
)
@json_option
@archive_option
def command(archive: Path, stream: str | None, tags: tuple[str, ...], as_json: bool) -> None:
    """Say what this archive is, or all that is known of STREAM."""
    with read_archive(archive) as db:
        if stream is None:
            print_facts(db.info(), as_json)
        else:
            selector = Selector(stream, parse_pairs(tags, "tag"))
            print_facts(_stream_facts(find_stream(db, selector)), as_json)


def _stream_facts(stream: StreamLike) -> dict[str, Any]:
    committed = stream.as_of(
        time.time_ns() - 1
    )  # a version made for this question would end with this process
    points = stream.count()
    return {
        "uuid": str(stream.uuid),
        "collection": stream.collection,
        "kind": stream.kind.value,
        "tags": stream.tags,
        "annotations": stream.annotations,
        "property_version": stream.property_version,
        "version": committed.version,
        "points": points,
        "pending": points - committed.count(),
        "first": _point_facts(stream.earliest),
        "last": _point_facts(stream.latest),
    }


def _point_facts(ask: Callable[[], Point | None]) -> dict[str, Any] | None:
    try:
        point = ask()
    except Thinned as thinned:
        return {"thinned": f"{format_ns(thinned.start)} to {format_ns(thinned.end)}"}
    return None if point is None else {"time": format_ns(point.time), "value": point.value}
