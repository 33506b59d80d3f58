"""LookupStreams, ListCollections and GetMetadataUsage: what streams there are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from otrdb.server.batches import batches
from otrdb.server.properties import descriptor, holds
from otrdb.server.rpc import Rpc, Scope
from otrdb.wire import btrdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otrdb.metadata import Metadata
    from otrdb.server.rpc import Door


def lookup_streams(door: Door, request: btrdb.LookupStreamsParams) -> Iterator[btrdb.LookupStreamsResponse]:
    """The streams of a collection, or of all that start so, with these tags and annotations; by collection,
    name and uuid.
    """
    found = (
        descriptor(metadata)
        for metadata in _searched(door, request)
        if holds(metadata.tags, request.tags) and holds(metadata.annotations, request.annotations)
    )
    for batch in batches(found, lambda each: each.ByteSize()):
        yield btrdb.LookupStreamsResponse(results=batch)


def _searched(door: Door, request: btrdb.LookupStreamsParams) -> Sequence[Metadata]:
    if request.isCollectionPrefix:
        return door.archive.metadata(request.collection)
    return door.archive.metadata(collection=request.collection)


def list_collections(
    door: Door, request: btrdb.ListCollectionsParams
) -> Iterator[btrdb.ListCollectionsResponse]:
    """The collections that start so, in order of their bytes."""
    found = door.archive.collections(request.prefix)
    for batch in batches(found, lambda name: len(name.encode())):
        yield btrdb.ListCollectionsResponse(collections=batch)


def metadata_usage(door: Door, request: btrdb.MetadataUsageParams) -> btrdb.MetadataUsageResponse:
    """How many streams, of those whose collection starts so, have each tag and each annotation."""
    tags: Counter[str] = Counter()
    annotations: Counter[str] = Counter()
    for metadata in door.archive.metadata(request.prefix):
        tags.update(metadata.tags.keys())
        annotations.update(metadata.annotations.keys())
    return btrdb.MetadataUsageResponse(tags=_counted(tags), annotations=_counted(annotations))


def _counted(counts: Mapping[str, int]) -> list[btrdb.KeyCount]:
    return [btrdb.KeyCount(key=key, count=count) for key, count in sorted(counts.items())]


RPCS: Final = (
    Rpc("LookupStreams", Scope.READ, lookup_streams, btrdb.LookupStreamsParams, streaming=True),
    Rpc("ListCollections", Scope.READ, list_collections, btrdb.ListCollectionsParams, streaming=True),
    Rpc("GetMetadataUsage", Scope.READ, metadata_usage, btrdb.MetadataUsageParams),
)
