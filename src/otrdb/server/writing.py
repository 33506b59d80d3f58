"""RPCs that change points: Insert, ArrowInsert, Delete, Flush."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.errors import InsertTooBig, InvalidArgument, InvalidArrow
from otrdb.model import Merge
from otrdb.server.asking import check_end, stream_of
from otrdb.server.doubles import of_kind
from otrdb.server.rpc import Rpc, Scope
from otrdb.times import to_ns_array
from otrdb.wire import arrow_reading, btrdb
from otrdb.wire.points import take_points

if TYPE_CHECKING:
    from otrdb.model import Array, Int64Array
    from otrdb.server.rpc import Door

POINTS: Final = 1 << 18
"""Points one insert may bring. Clients send 50,000 at once."""

_MERGES: Final = {policy.code: policy for policy in Merge}


def insert(door: Door, request: bytes) -> btrdb.InsertResponse:
    """Store the points of a message."""
    params, times, values = take_points(request)
    return _stored(door, params, times, values)


def arrow_insert(door: Door, request: btrdb.ArrowInsertParams) -> btrdb.InsertResponse:
    """Store the points of an Arrow stream: the columns "time" and "value", or a first and a second one."""
    columns = arrow_reading.read(request.arrowBytes)
    if {"time", "value"} <= columns.keys():
        times, values = columns["time"], columns["value"]
    elif len(columns) == 2:
        times, values = columns.values()
    else:
        raise InvalidArrow(f"There are {len(columns)} columns, named {', '.join(columns)}.")
    return _stored(door, request, to_ns_array(times), values)


def _stored(
    door: Door, params: btrdb.InsertParams | btrdb.ArrowInsertParams, times: Int64Array, values: Array
) -> btrdb.InsertResponse:
    stream = stream_of(door.archive, params.uuid)
    if params.HasField("rounding"):
        raise InvalidArgument("Values are stored as they come, never rounded.", advice="Leave rounding out.")
    if params.merge_policy not in _MERGES:
        raise InvalidArgument(f"{params.merge_policy} is no merge policy.", advice="Give 0 to 3.")
    if len(times) > POINTS:
        raise InsertTooBig(f"{len(times)} points are more than {POINTS}.")
    done = stream.insert(times, of_kind(stream.kind, values), merge=_MERGES[params.merge_policy])
    return btrdb.InsertResponse(versionMajor=done.version, versionMinor=done.pending)


def delete(door: Door, request: btrdb.DeleteParams) -> btrdb.DeleteResponse:
    """Remove the points of a range, as a new version."""
    check_end(request.end)
    version = stream_of(door.archive, request.uuid).delete(request.start, request.end)
    return btrdb.DeleteResponse(versionMajor=version)


def flush(door: Door, request: btrdb.FlushParams) -> btrdb.FlushResponse:
    """Commit what is pending."""
    return btrdb.FlushResponse(versionMajor=stream_of(door.archive, request.uuid).flush())


RPCS: Final = (
    Rpc("Insert", Scope.WRITE, insert),
    Rpc("ArrowInsert", Scope.WRITE, arrow_insert, btrdb.ArrowInsertParams),
    Rpc("Delete", Scope.WRITE, delete, btrdb.DeleteParams),
    Rpc("Flush", Scope.WRITE, flush, btrdb.FlushParams),
)
