"""GenerateCSV: the points or windows of several streams side by side, a message per row.

Rows are made piece by piece of the time asked for, so memory is bounded by the piece. A piece is counted in
steps: nanoseconds for points, windows for windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from otrdb.errors import InvalidArgument
from otrdb.joined import pair_rows
from otrdb.ranges import align_down, check_pointwidth, pieces, to_range, window_count
from otrdb.server.asking import stream_of
from otrdb.server.rpc import Rpc, Scope
from otrdb.times import format_ns, to_width
from otrdb.wire import btrdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otrdb import View, Windows
    from otrdb.model import Int64Array
    from otrdb.server.rpc import Door

PIECE: Final = 16_384
"""Points or windows read at once, of all streams together."""

_STATISTICS: Final = ("min", "mean", "max", "count")
_TIMES: Final = ["Timestamp (ns)", "Human-Readable Time (UTC)"]


class Read(NamedTuple):
    """What one stream has in a piece: times, and for each the text of its cells."""

    times: Int64Array
    cells: list[tuple[str, ...]]


class Table(Protocol):
    """What the rows are made of. Steps count from 0 to `steps`."""

    titles: tuple[str, ...]
    """What is added to a stream's label for each of its columns."""
    steps: int

    def count(self, view: View, first: int, last: int) -> int:
        """At most how many rows a stream has in the steps from ``first`` to before ``last``."""
        ...

    def read(self, view: View, first: int, last: int) -> Read:
        """These rows."""
        ...


class Points:
    """Raw points."""

    titles: tuple[str, ...] = ("",)

    def __init__(self, request: btrdb.GenerateCSVParams) -> None:
        self._start, end = to_range(request.startTime, request.endTime)
        self.steps = end - self._start

    def count(self, view: View, first: int, last: int) -> int:
        """The points there are."""
        return view.count(self._start + first, self._start + last)

    def read(self, view: View, first: int, last: int) -> Read:
        """The points."""
        points = view.values(self._start + first, self._start + last)
        return Read(points.times, [(_fixed(value),) for value in points.values.tolist()])


class Aligned:
    """Windows of 2**depth ns that hold points."""

    titles = tuple(f" ({name.title()})" for name in _STATISTICS)

    def __init__(self, request: btrdb.GenerateCSVParams) -> None:
        start, end = to_range(request.startTime, request.endTime)
        self._pointwidth = check_pointwidth(request.depth)
        self._start = align_down(start, self._pointwidth)
        self.steps = (align_down(end, self._pointwidth) - self._start) >> self._pointwidth

    def _at(self, step: int) -> int:
        return self._start + (step << self._pointwidth)

    def count(self, view: View, first: int, last: int) -> int:
        """The points there are, or the windows if these are fewer."""
        return min(last - first, view.count(self._at(first), self._at(last)))

    def read(self, view: View, first: int, last: int) -> Read:
        """The windows that hold points."""
        start, end = self._at(first), self._at(last)
        return _statistics(view.aligned_windows(start, end, self._pointwidth, columns=_STATISTICS))


class Divided:
    """Windows of any width, the empty ones with zeros."""

    titles = Aligned.titles

    def __init__(self, request: btrdb.GenerateCSVParams) -> None:
        self._start, end = to_range(request.startTime, request.endTime)
        self._width = to_width(request.windowSize)
        self.steps = window_count(self._start, end, self._width)

    def count(self, view: View, first: int, last: int) -> int:
        """All windows."""
        return last - first

    def read(self, view: View, first: int, last: int) -> Read:
        """All windows."""
        start, end = self._start + first * self._width, self._start + last * self._width
        return _statistics(view.windows(start, end, self._width, columns=_STATISTICS))


_TABLES: Final[dict[int, Callable[[btrdb.GenerateCSVParams], Table]]] = {
    btrdb.GenerateCSVParams.ALIGNED_WINDOWS_QUERY: Aligned,
    btrdb.GenerateCSVParams.WINDOWS_QUERY: Divided,
    btrdb.GenerateCSVParams.RAW_QUERY: Points,
}


def generate_csv(door: Door, request: btrdb.GenerateCSVParams) -> Iterator[btrdb.GenerateCSVResponse]:
    """A row of titles, then a row for every time that any of the streams has.

    Where times repeat, the k-th point of one stream at some time shares a row with the k-th of the others.
    """
    if request.queryType not in _TABLES:
        raise InvalidArgument(f"{request.queryType} is no type of query.", advice="Give 0, 1 or 2.")
    table = _TABLES[request.queryType](request)
    views = [stream_of(door.archive, config.uuid).at(config.version) for config in request.streams]
    yield btrdb.GenerateCSVResponse(isHeader=True, row=_titles(table, views, request))
    for row in _rows(table, views):
        yield btrdb.GenerateCSVResponse(row=row)


def _titles(table: Table, views: Sequence[View], request: btrdb.GenerateCSVParams) -> list[str]:
    titles = list(_TIMES)
    for config, view in zip(request.streams, views, strict=True):
        label = f"{config.label}, ver. {view.version}" if request.includeVersions else config.label
        titles += [label + title for title in table.titles]
    return titles


def _rows(table: Table, views: Sequence[View]) -> Iterator[list[str]]:
    def count(first: int, last: int) -> int:
        return sum(table.count(view, first, last) for view in views)

    if table.steps:
        for first, last in pieces(count, 0, table.steps, PIECE):
            yield from _joined([table.read(view, first, last) for view in views], len(table.titles))


def _joined(reads: Sequence[Read], columns: int) -> Iterator[list[str]]:
    places, times, _ = pair_rows([read.times for read in reads])
    filled: list[list[tuple[int, tuple[str, ...]]]] = [[] for _ in times]
    for stream, (read, rows) in enumerate(zip(reads, places, strict=True)):
        for row, cells in zip(rows.tolist(), read.cells, strict=True):
            filled[row].append((2 + stream * columns, cells))
    for time, cells_of_row in zip(times.tolist(), filled, strict=True):
        line = [str(time), format_ns(time)] + [""] * (len(reads) * columns)
        for place, cells in cells_of_row:
            line[place : place + columns] = cells
        yield line


def _statistics(windows: Windows) -> Read:
    fixed = [map(_fixed, windows[name].tolist()) for name in _STATISTICS[:-1]]
    return Read(windows.time, list(zip(*fixed, map(str, windows["count"].tolist()), strict=True)))


def _fixed(value: float) -> str:
    return f"{value:f}"


RPCS: Final = (Rpc("GenerateCSV", Scope.READ, generate_csv, btrdb.GenerateCSVParams, streaming=True),)
