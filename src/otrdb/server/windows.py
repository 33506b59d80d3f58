"""AlignedWindows and Windows, by protobuf and by Arrow: the same statistics, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from otrdb.errors import InvalidPointWidth
from otrdb.model import MIN_TIME
from otrdb.ranges import MAX_RESOLUTION, align_down, check_pointwidth, pieces, to_range, window_count
from otrdb.server.asking import asked, check_end
from otrdb.server.doubles import to_doubles
from otrdb.server.rpc import Rpc, Scope
from otrdb.times import to_width
from otrdb.wire import arrow, btrdb
from otrdb.wire.points import head, with_bytes, with_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otrdb import View, Windows
    from otrdb.model import Array
    from otrdb.server.rpc import Door

    _Request = TypeVar("_Request", btrdb.AlignedWindowsParams, btrdb.WindowsParams)
    _Ask = Callable[[View, _Request], Iterator[Windows]]
    _Write = Callable[[bytes, list[Array]], bytes]

WINDOWS: Final = 1 << 13
"""Windows in a message: at most 56 bytes each."""

_COLUMNS: Final = ("min", "mean", "max", "count", "stddev")
_ARROW: Final = 4
_FIELDS: Final = (
    arrow.Field("time", arrow.TIME),
    *(arrow.Field(name, arrow.COUNT if name == "count" else arrow.DOUBLE) for name in _COLUMNS),
)


def _by_points(begun: bytes, columns: list[Array]) -> bytes:
    return with_points(begun, columns)


def _by_arrow(begun: bytes, columns: list[Array]) -> bytes:
    return with_bytes(begun, _ARROW, arrow.stream(arrow.schema(_FIELDS), columns))


def _rpc(name: str, request: type[_Request], ask: _Ask[_Request], write: _Write) -> Rpc:
    def answer(door: Door, request: _Request) -> Iterator[bytes]:
        view, *version = asked(door.archive, request.uuid, request.versionMajor)
        begun = head(*version)
        for windows in ask(view, request):
            for first in range(0, max(len(windows), 1), WINDOWS):
                yield write(begun, [column[first : first + WINDOWS] for column in _columns(windows)])

    return Rpc(name, Scope.READ, answer, request, streaming=True)


def _columns(windows: Windows) -> list[Array]:
    low, mean, high, count, deviation = (windows[name] for name in _COLUMNS)
    return [windows.time, to_doubles(low), mean, to_doubles(high), count, deviation]


def aligned(view: View, request: btrdb.AlignedWindowsParams) -> Iterator[Windows]:
    """The windows of ``2**pointWidth`` ns that hold points, of the range rounded down; no windows at least.

    This range may end at MAX_TIME.
    """
    pointwidth = check_pointwidth(request.pointWidth)
    start, end = to_range(request.start, request.end)
    first, last = (align_down(time, pointwidth) - MIN_TIME >> pointwidth for time in (start, end))

    def held(low: int, high: int) -> int:
        """How many windows from number ``low`` on to ``high`` hold points, at most."""
        if high - low <= WINDOWS:
            return high - low
        return min(high - low, view.count(MIN_TIME + (low << pointwidth), MIN_TIME + (high << pointwidth)))

    nothing = True
    for low, high in pieces(held, first, last, WINDOWS) if first < last else ():
        nothing = False
        yield view.aligned_windows(
            MIN_TIME + (low << pointwidth), MIN_TIME + (high << pointwidth), pointwidth
        )
    if nothing:
        yield view.aligned_windows(start, end, pointwidth)


def windows(view: View, request: btrdb.WindowsParams) -> Iterator[Windows]:
    """All windows of ``width`` ns from ``start`` on that end by ``end``, exact whatever the ``depth``."""
    if request.depth > MAX_RESOLUTION:
        raise InvalidPointWidth(f"{request.depth} is no depth.", advice="Give 0: answers are exact.")
    check_end(request.end)
    start, end = to_range(request.start, request.end)
    width = to_width(request.width)
    number = window_count(start, end, width)
    if number <= WINDOWS:
        yield view.windows(start, end, width)
        return
    for first in range(0, number, WINDOWS):
        last = min(first + WINDOWS, number)
        yield view.windows(start + first * width, start + last * width, width)


RPCS: Final = (
    _rpc("AlignedWindows", btrdb.AlignedWindowsParams, aligned, _by_points),
    _rpc("ArrowAlignedWindows", btrdb.AlignedWindowsParams, aligned, _by_arrow),
    _rpc("Windows", btrdb.WindowsParams, windows, _by_points),
    _rpc("ArrowWindows", btrdb.WindowsParams, windows, _by_arrow),
)
