"""RPCs that give points: RawValues, Nearest, by protobuf and by Arrow; and Changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.errors import NoSuchPoint
from otrdb.ranges import slices, to_range
from otrdb.server import pieces
from otrdb.server.asking import asked, check_end, stream_of
from otrdb.server.doubles import to_doubles
from otrdb.server.rpc import Rpc, Scope
from otrdb.server.templates import Shape
from otrdb.wire import btrdb
from otrdb.wire.points import head, with_bytes, with_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb import View
    from otrdb.model import Float64Array, Int64Array
    from otrdb.server.rpc import Door

POINTS: Final = 1 << 14
"""Points in a message: at most 20 bytes each."""

ARROW_POINTS: Final = 1 << 15
"""Points in a message of Arrow data: 16 bytes each."""

RANGES: Final = 1000
"""Changed ranges in a message."""

_ARROW: Final = 4


def raw_values(door: Door, request: btrdb.RawValuesParams) -> Iterator[bytes]:
    """The points of a range."""
    view, *version = asked(door.archive, request.uuid, request.versionMajor)
    check_end(request.end)
    for columns in _columns(view, request.start, request.end, POINTS):
        yield with_points(head(*version), columns)


def arrow_raw_values(door: Door, request: btrdb.ArrowRawValuesParams) -> Iterator[bytes]:
    """The points of a range, by Arrow."""
    view, *version = asked(door.archive, request.uuid, request.versionMajor)
    check_end(request.end)
    shape = Shape(("time", "value"), request.templateBytes)
    for times, values in _columns(view, request.start, request.end, ARROW_POINTS):
        yield with_bytes(head(*version), _ARROW, shape.stream(times, [values]))


def _columns(view: View, start: int, end: int, most: int) -> Iterator[tuple[Int64Array, Float64Array]]:
    """The points of a range, ``most`` at a time; no points at least."""
    for piece in pieces.points(view, *to_range(start, end), most):
        yield piece.times, to_doubles(piece.values)


def nearest(door: Door, request: btrdb.NearestParams) -> btrdb.NearestResponse:
    """The first point from a time on, or the last one before it."""
    view, *version = asked(door.archive, request.uuid, request.versionMajor)
    point = view.nearest(request.time, request.backward)
    if point is None:
        raise NoSuchPoint(f"There is no point {'before' if request.backward else 'from'} {request.time}.")
    major, minor = version
    value = btrdb.RawPoint(time=point.time, value=point.value)
    return btrdb.NearestResponse(versionMajor=major, versionMinor=minor, value=value)


def changes(door: Door, request: btrdb.ChangesParams) -> Iterator[bytes]:
    """The ranges that differ between two versions. The latest, 0, gets a number to ask for it again."""
    stream = stream_of(door.archive, request.uuid)
    newer = request.toMajor or stream.version
    stream.at(newer)
    found = np.array(stream.changes(request.fromMajor, newer, request.resolution), np.int64).reshape(-1, 2)
    for rows in slices(len(found), RANGES):
        starts, ends = np.ascontiguousarray(found[rows].T)
        yield with_points(head(newer, 0), (starts, ends))


RPCS: Final = (
    Rpc("RawValues", Scope.READ, raw_values, btrdb.RawValuesParams, streaming=True),
    Rpc("ArrowRawValues", Scope.READ, arrow_raw_values, btrdb.ArrowRawValuesParams, streaming=True),
    Rpc("Nearest", Scope.READ, nearest, btrdb.NearestParams),
    Rpc("Changes", Scope.READ, changes, btrdb.ChangesParams, streaming=True),
)
