"""AlignedWindows and Windows, by protobuf and by Arrow: the same statistics, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from otrdb.errors import InvalidPointWidth
from otrdb.ranges import MAX_RESOLUTION, check_pointwidth, to_range
from otrdb.server import pieces
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
            yield write(begun, _columns(windows))

    return Rpc(name, Scope.READ, answer, request, streaming=True)


def _columns(windows: Windows) -> list[Array]:
    low, mean, high, count, deviation = (windows[name] for name in _COLUMNS)
    return [windows.time, to_doubles(low), mean, to_doubles(high), count, deviation]


def aligned(view: View, request: btrdb.AlignedWindowsParams) -> Iterator[Windows]:
    """The windows of ``2**pointWidth`` ns that hold points, of the range rounded down; no windows at least.

    This range may end at MAX_TIME.
    """
    pointwidth = check_pointwidth(request.pointWidth)
    return pieces.aligned(view, *to_range(request.start, request.end), pointwidth, _COLUMNS)


def windows(view: View, request: btrdb.WindowsParams) -> Iterator[Windows]:
    """All windows of ``width`` ns from ``start`` on that end by ``end``, exact whatever the ``depth``."""
    if request.depth > MAX_RESOLUTION:
        raise InvalidPointWidth(f"{request.depth} is no depth.", advice="Give 0: answers are exact.")
    check_end(request.end)
    start, end = to_range(request.start, request.end)
    return pieces.windows(view, start, end, to_width(request.width), _COLUMNS)


RPCS: Final = (
    _rpc("AlignedWindows", btrdb.AlignedWindowsParams, aligned, _by_points),
    _rpc("ArrowAlignedWindows", btrdb.AlignedWindowsParams, aligned, _by_arrow),
    _rpc("Windows", btrdb.WindowsParams, windows, _by_points),
    _rpc("ArrowWindows", btrdb.WindowsParams, windows, _by_arrow),
)
