"""Values, Windows, Nearest, Count, Changes, Version: questions about streams."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from otrdb import Partial
from otrdb.columns import words
from otrdb.ranges import check_pointwidth, slices, to_range
from otrdb.server import pieces
from otrdb.server.asking import stream_of
from otrdb.server.own.answering import many, one
from otrdb.server.own.messages import left_out
from otrdb.server.own.states import snapshot_of, sound, state_of
from otrdb.server.rpc import Scope
from otrdb.times import to_width
from otrdb.wire import otrdb as wire
from otrdb.wire.tables import packed, packed_statistic, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb import LeftOut, Points, Windows
    from otrdb.interface import ReadsLike
    from otrdb.server.rpc import Door, Rpc

CHANGES: Final = 1 << 15
"""Ranges in one message: 512 KiB."""


def values(door: Door, params: wire.ValuesParams) -> Iterator[wire.PointsResponse]:
    """The points of one or several streams, all of one state."""
    start, end = to_range(params.start, params.end)
    with _one_state(door, params.state, params.uuid) as all_:
        for position, reads in enumerate(all_):
            for piece in pieces.points(reads, start, end):
                yield _points(position, piece)


def windows(door: Door, params: wire.WindowsParams) -> Iterator[wire.WindowsResponse]:
    """Windows of any of the three ways."""
    reads = state_of(door, params.uuid, params.state)
    for piece in _pieces_of_windows(reads, params):
        yield _windows(piece, params.columns)


def nearest(door: Door, params: wire.NearestParams) -> wire.NearestResponse:
    """The nearest point."""
    reads = state_of(door, params.uuid, params.state)
    found = reads.nearest(params.time, backward=params.backward)
    told = wire.NearestResponse(left_out=left_out(_lacking(reads)))
    if found is not None:
        told.time = found.time
        told.value = int(words(reads.kind, [found.value])[0])
    return told


def count(door: Door, params: wire.RangeParams) -> wire.CountResponse:
    """The number of points of a range."""
    reads = state_of(door, params.uuid, params.state)
    number = reads.count(params.start, params.end)
    return wire.CountResponse(count=number, left_out=left_out(_lacking(reads)))


def changes(door: Door, params: wire.ChangesParams) -> Iterator[wire.ChangesResponse]:
    """The ranges that may have changed."""
    stream = stream_of(door.archive, params.uuid)
    source = stream.leaving_out_damage() if params.leave_out_damage else stream
    found = source.changes(params.from_version, params.to_version, params.resolution)
    for rows in slices(len(found), CHANGES):
        some = found[rows]
        starts, ends = [change.start for change in some], [change.end for change in some]
        yield wire.ChangesResponse(starts=packed(starts), ends=packed(ends))


def version(door: Door, params: wire.VersionParams) -> wire.NumberResponse:
    """The number of a version that is there: one asked for, the latest, or the one of a time."""
    stream = stream_of(door.archive, params.uuid)
    view = stream.as_of(params.as_of) if params.HasField("as_of") else stream.at(params.at)
    return wire.NumberResponse(number=view.version)


@contextmanager
def _one_state(door: Door, state: wire.State, uuids: Sequence[bytes]) -> Iterator[list[ReadsLike]]:
    """What to ask of each stream. The latest state of several is held, so that all answers are of one."""
    if len(uuids) == 1 or state.version or snapshot_of(door, state) is not None:
        yield [state_of(door, identity, state) for identity in uuids]
        return
    with door.archive.snapshot() as snapshot:
        yield [sound(snapshot.view(stream_of(door.archive, identity)), state) for identity in uuids]


def _pieces_of_windows(reads: ReadsLike, params: wire.WindowsParams) -> Iterator[Windows]:
    way, columns = params.WhichOneof("windows"), params.columns
    if way == "points":
        low = params.start if params.HasField("start") else None
        high = params.end if params.HasField("end") else None
        return pieces.zoomed(reads, low, high, params.points, columns)
    start, end = to_range(params.start, params.end)
    if way == "width":
        return pieces.windows(reads, start, end, to_width(params.width), columns)
    return pieces.aligned(reads, start, end, check_pointwidth(params.pointwidth), columns)


def _points(position: int, points: Points) -> wire.PointsResponse:
    return wire.PointsResponse(
        stream=position,
        version=points.version,
        times=packed(points.times),
        values=packed(words_of(points.kind, points.values)),
        left_out=left_out(points.left_out),
    )


def _windows(windows: Windows, columns: Sequence[str]) -> wire.WindowsResponse:
    return wire.WindowsResponse(
        version=windows.version,
        width=windows.width,
        time=packed(windows.time),
        columns=[packed_statistic(name, windows.kind, windows[name]) for name in columns],
        left_out=left_out(windows.left_out),
    )


def _lacking(reads: ReadsLike) -> tuple[LeftOut, ...]:
    return reads.left_out if isinstance(reads, Partial) else ()


RPCS: Final[tuple[Rpc, ...]] = (
    many("Values", Scope.READ, values, wire.ValuesParams),
    many("Windows", Scope.READ, windows, wire.WindowsParams),
    one("Nearest", Scope.READ, nearest, wire.NearestParams),
    one("Count", Scope.READ, count, wire.RangeParams),
    many("Changes", Scope.READ, changes, wire.ChangesParams),
    one("Version", Scope.READ, version, wire.VersionParams),
)
