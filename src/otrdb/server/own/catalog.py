"""Create, FindOne, Find, Describe, Collections, Update, Obliterate: which streams there are."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from otrdb.errors import InvalidArgument, NoSuchStream
from otrdb.ranges import slices
from otrdb.server.asking import stream_of, to_uuid
from otrdb.server.own.answering import many, one
from otrdb.server.own.states import snapshot_of, state_of
from otrdb.server.rpc import Scope
from otrdb.wire import otrdb as wire
from otrdb.wire.metadata import metadata_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otrdb import Stream
    from otrdb.server.rpc import Door

STREAMS: Final = 256
NAMES: Final = 2048
"""How many are in one message."""


def create(door: Door, params: wire.CreateParams) -> wire.StreamResponse:
    """Make a stream."""
    wanted = params.stream
    kind: Any = wanted.kind
    stream = door.archive.create(
        wanted.collection,
        kind=kind,
        tags=dict(wanted.tags),
        annotations=dict(wanted.annotations),
        uuid=to_uuid(wanted.uuid),
    )
    return wire.StreamResponse(stream=metadata_told(stream.metadata))


def find_one(door: Door, params: wire.FindOneParams) -> wire.StreamResponse:
    """The one stream that matches."""
    by_uuid = params.WhichOneof("what") == "uuid"
    what = to_uuid(params.uuid) if by_uuid else params.text
    tags: Any = _pattern(params.tags)
    if tags.keys() & {"self", "uuid_or_collection"} or None in tags.values():
        raise InvalidArgument("These are no tags to find one stream by.", advice="Give each a value.")
    return wire.StreamResponse(stream=metadata_told(door.archive.stream(what, **tags).metadata))


def find(door: Door, params: wire.FindParams) -> Iterator[wire.StreamsResponse]:
    """The streams that match, or those of a snapshot."""
    snapshot = snapshot_of(door, params.state)
    if snapshot is not None:
        return _told(snapshot.streams())
    found = door.archive.streams(
        params.prefix,
        collection=params.collection if params.HasField("collection") else None,
        tags=_pattern(params.tags),
        annotations=_pattern(params.annotations),
    )
    return _told(found)


def describe(door: Door, params: wire.StreamParams) -> wire.StreamResponse:
    """The metadata of a stream, which is in the state named."""
    state_of(door, params.uuid, params.state)
    return wire.StreamResponse(stream=metadata_told(stream_of(door.archive, params.uuid).metadata))


def collections(door: Door, params: wire.CollectionsParams) -> Iterator[wire.NamesResponse]:
    """The collections there are."""
    names = door.archive.collections(params.prefix)
    for some in slices(len(names), NAMES):
        yield wire.NamesResponse(names=names[some])


def update(door: Door, params: wire.UpdateParams) -> wire.NumberResponse:
    """Change metadata."""
    number = stream_of(door.archive, params.uuid).update(
        tags=_pattern(params.tags),
        annotations=_pattern(params.annotations),
        collection=params.collection if params.HasField("collection") else None,
        expected=params.expected,
    )
    return wire.NumberResponse(number=number)


def obliterate(door: Door, params: wire.StreamParams) -> wire.DoneResponse:
    """Remove a stream for ever."""
    stream_of(door.archive, params.uuid).obliterate()
    return wire.DoneResponse()


def _pattern(properties: Iterable[wire.Property]) -> dict[str, str | None]:
    return {each.key: each.value if each.HasField("value") else None for each in properties}


def _told(streams: list[Stream]) -> Iterator[wire.StreamsResponse]:
    for some in slices(len(streams), STREAMS):
        yield wire.StreamsResponse(streams=_still_there(streams[some]))


def _still_there(streams: list[Stream]) -> Iterator[wire.Metadata]:
    """What is known of them, but of those that have been obliterated since they were found."""
    for stream in streams:
        with suppress(NoSuchStream):
            yield metadata_told(stream.metadata)


RPCS: Final = (
    one("Create", Scope.WRITE, create, wire.CreateParams),
    one("FindOne", Scope.READ, find_one, wire.FindOneParams),
    many("Find", Scope.READ, find, wire.FindParams),
    one("Describe", Scope.READ, describe, wire.StreamParams),
    many("Collections", Scope.READ, collections, wire.CollectionsParams),
    one("Update", Scope.WRITE, update, wire.UpdateParams),
    one("Obliterate", Scope.ADMIN, obliterate, wire.StreamParams),
)
