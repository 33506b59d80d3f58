"""Create, StreamInfo, SetStreamAnnotations, SetStreamTags and Obliterate: one stream, without its points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument
from otrdb.server.asking import stream_of, to_uuid
from otrdb.server.properties import changes, descriptor, given
from otrdb.server.rpc import Rpc, Scope
from otrdb.wire import btrdb

if TYPE_CHECKING:
    from otrdb.server.rpc import Door


def create(door: Door, request: btrdb.CreateParams) -> btrdb.CreateResponse:
    """Make a float stream, which is all that BTrDB has."""
    door.archive.create(
        request.collection,
        tags=given(request.tags),
        annotations=given(request.annotations),
        uuid=to_uuid(request.uuid),
    )
    return btrdb.CreateResponse()


def stream_info(door: Door, request: btrdb.StreamInfoParams) -> btrdb.StreamInfoResponse:
    """A version with all acknowledged points, and the descriptor. Who omits the version makes no mark."""
    if request.omitVersion and request.omitDescriptor:
        raise InvalidArgument("Both the version and the descriptor are omitted.", advice="Ask for one.")
    stream = stream_of(door.archive, request.uuid)
    answer = btrdb.StreamInfoResponse()
    if not request.omitDescriptor:
        answer.descriptor.CopyFrom(descriptor(stream.metadata))
    if not request.omitVersion:
        answer.versionMajor = stream.version
    return answer


def set_annotations(
    door: Door, request: btrdb.SetStreamAnnotationsParams
) -> btrdb.SetStreamAnnotationsResponse:
    """Set and remove annotations."""
    stream_of(door.archive, request.uuid).update(
        annotations=changes(request.changes),
        remove_annotations=request.removals,
        expected=request.expectedPropertyVersion,
    )
    return btrdb.SetStreamAnnotationsResponse()


def set_tags(door: Door, request: btrdb.SetStreamTagsParams) -> btrdb.SetStreamTagsResponse:
    """Set and remove tags, and move to another collection unless that is empty."""
    stream_of(door.archive, request.uuid).update(
        tags=changes(request.tags),
        remove_tags=request.remove,
        collection=request.collection,
        expected=request.expectedPropertyVersion,
    )
    return btrdb.SetStreamTagsResponse()


def obliterate(door: Door, request: btrdb.ObliterateParams) -> btrdb.ObliterateResponse:
    """Remove a stream for ever."""
    stream_of(door.archive, request.uuid).obliterate()
    return btrdb.ObliterateResponse()


RPCS: Final = (
    Rpc("Create", Scope.WRITE, create, btrdb.CreateParams),
    Rpc("StreamInfo", Scope.READ, stream_info, btrdb.StreamInfoParams),
    Rpc("SetStreamAnnotations", Scope.WRITE, set_annotations, btrdb.SetStreamAnnotationsParams),
    Rpc("SetStreamTags", Scope.WRITE, set_tags, btrdb.SetStreamTagsParams),
    Rpc("Obliterate", Scope.ADMIN, obliterate, btrdb.ObliterateParams),
)
