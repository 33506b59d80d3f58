"""ArrowMultiValues: the points of several streams in one table, joined on time, or snapped to a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from otrdb.errors import InvalidArgument
from otrdb.joined import pair_rows
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import pieces, to_range
from otrdb.server.asking import check_end, stream_of, to_uuid
from otrdb.server.doubles import to_doubles
from otrdb.server.rpc import Rpc, Scope
from otrdb.server.templates import Shape
from otrdb.wire import btrdb
from otrdb.wire.points import with_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb.interface import ReadsLike
    from otrdb.model import Float64Array, Int64Array
    from otrdb.server.rpc import Door

    Columns = tuple[Int64Array, Float64Array]
    Table = tuple[Int64Array, list[Float64Array]]

READ: Final = 1 << 15
"""Points of all streams together that are read at a time."""

STREAMS: Final = 1024
"""Streams in one table."""

MESSAGE: Final = 1 << 19
"""Bytes of a message, about."""

_ARROW: Final = 2


def multi_values(door: Door, request: btrdb.ArrowMultiValuesParams) -> Iterator[bytes]:
    """A row for each time that any stream has, or each time of the grid; NaN where a stream has no point."""
    check_end(request.end)
    start, end = to_range(request.start, request.end)
    period = request.snapPeriodNs
    if period < 0:
        raise InvalidArgument(f"{period} ns is no period.", advice="Give 0 for the times as they are.")
    versions = _versions(request)
    shape = Shape(["time", *(str(to_uuid(uuid)) for uuid in request.uuid)], request.templateBytes)
    streams = [stream_of(door.archive, uuid) for uuid in request.uuid]
    with door.archive.snapshot() as now:
        views: list[ReadsLike] = [
            stream.at(version) if version else now.view(stream)
            for stream, version in zip(streams, versions, strict=True)
        ]
        tables = _snapped(views, start, end, period) if period else _joined(views, start, end)
        yield from _messages(shape, len(views), tables)


def _messages(shape: Shape, streams: int, tables: Iterator[Table]) -> Iterator[bytes]:
    most = max(1, MESSAGE // (8 * (streams + 1)))
    nothing = True
    for times, columns in tables:
        for first in range(0, len(times), most):
            nothing = False
            rows = slice(first, first + most)
            yield with_bytes(b"", _ARROW, shape.stream(times[rows], [column[rows] for column in columns]))
    if nothing:
        yield with_bytes(b"", _ARROW, shape.stream(np.empty(0, np.int64), [np.empty(0)] * streams))


def _versions(request: btrdb.ArrowMultiValuesParams) -> list[int]:
    """The version that is asked for of each stream; 0, the latest, if none is given at all."""
    versions = list(request.versionMajor) or [0] * len(request.uuid)
    if len(versions) != len(request.uuid):
        raise InvalidArgument(f"There are {len(request.uuid)} uuids and {len(versions)} versions.")
    if not 1 <= len(versions) <= STREAMS:
        raise InvalidArgument(
            f"{len(versions)} streams are not joined.", advice=f"Name 1 to {STREAMS} of them."
        )
    return versions


def _pieces(views: Sequence[ReadsLike], start: int, end: int) -> Iterator[tuple[int, int]]:
    return pieces(lambda low, high: sum(view.count(low, high) for view in views), start, end, READ)


def _read(views: Sequence[ReadsLike], low: int, high: int) -> list[Columns]:
    points = [view.values(low, high) for view in views]
    return [(each.times, to_doubles(each.values)) for each in points]


# --- times as they are


def _joined(views: Sequence[ReadsLike], start: int, end: int) -> Iterator[Table]:
    """An outer join. Where times repeat, the k-th point of one shares a row with the k-th of the others."""
    for low, high in _pieces(views, start, end):
        columns = _read(views, low, high)
        rows, times, _ = pair_rows([times for times, _ in columns])
        yield (
            times,
            [_spread(row, values, len(times)) for row, (_, values) in zip(rows, columns, strict=True)],
        )


def _spread(rows: Int64Array, values: Float64Array, length: int) -> Float64Array:
    spread = np.full(length, np.nan)
    spread[rows] = values
    return spread


# --- times of a grid


class Grid(NamedTuple):
    """The times ``start + k * period`` before ``end``. A point belongs to the nearest; halfway the later."""

    start: int
    end: int
    period: int

    @property
    def range(self) -> tuple[int, int]:
        """Where points are that belong to a time of the grid."""
        last = self.start + (self.end - 1 - self.start) // self.period * self.period
        low, high = self.start - self.period // 2, last + self.period - self.period // 2
        return max(low, MIN_TIME), min(high, MAX_TIME)

    def cells(self, times: Int64Array) -> Int64Array:
        """To which k each time belongs."""
        return (times - self.start + self.period // 2) // self.period

    def distances(self, times: Int64Array, cells: Int64Array) -> Int64Array:
        """How far each time is from that of its cell."""
        apart: Int64Array = np.abs(times - self.start - cells * self.period)
        return apart


def _snapped(views: Sequence[ReadsLike], start: int, end: int, period: int) -> Iterator[Table]:
    """A row for each time of the grid that a point of some stream belongs to: of several the nearest, of two
    as near the earlier.

    The last cell of a part is held back, since it may go on in the next.
    """
    grid = Grid(start, end, period)
    held = [(np.empty(0, np.int64), np.empty(0))] * len(views)
    for low, high in _pieces(views, *grid.range):
        found = [_nearest(grid, *_behind(*pair)) for pair in zip(held, _read(views, low, high), strict=True)]
        newest = max((int(grid.cells(times)[-1]) for times, _ in found if len(times)), default=0)
        ready = [int(np.searchsorted(grid.cells(times), newest)) for times, _ in found]
        yield _table(grid, [_rows(pair, slice(done)) for pair, done in zip(found, ready, strict=True)])
        held = [_rows(pair, slice(done, None)) for pair, done in zip(found, ready, strict=True)]
    yield _table(grid, held)


def _rows(columns: Columns, rows: slice) -> Columns:
    return columns[0][rows], columns[1][rows]


def _behind(before: Columns, after: Columns) -> Columns:
    return np.concatenate([before[0], after[0]]), np.concatenate([before[1], after[1]])


def _nearest(grid: Grid, times: Int64Array, values: Float64Array) -> Columns:
    """One point of each cell."""
    cells = grid.cells(times)
    order = np.lexsort((np.arange(len(times)), grid.distances(times, cells), cells))
    first = np.ones(len(times), np.bool_)
    first[1:] = np.diff(cells[order]) != 0
    chosen = order[first]
    return times[chosen], values[chosen]


def _table(grid: Grid, columns: Sequence[Columns]) -> Table:
    rows, cells, _ = pair_rows([grid.cells(times) for times, _ in columns])
    spread = [_spread(row, values, len(cells)) for row, (_, values) in zip(rows, columns, strict=True)]
    return grid.start + cells * grid.period, spread


RPCS: Final = (
    Rpc("ArrowMultiValues", Scope.READ, multi_values, btrdb.ArrowMultiValuesParams, streaming=True),
)
