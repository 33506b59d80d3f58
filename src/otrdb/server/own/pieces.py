"""Answers of any size, piece by piece, so that a server holds one of them at a time.

Small ones are one piece, and most are. For larger ones the range is cut where counts say, and each part is
asked for by itself: of a state that does not change meanwhile, so that the parts are one answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument, Thinned
from otrdb.ranges import MAX_POINTWIDTH, align_down, align_up, window_count, zoom_pointwidth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb import Points, Windows
    from otrdb.server.own.states import Asked

POINTS: Final = 1 << 16
"""Points in a piece: 1 MiB."""

WINDOWS: Final = 1 << 13
"""Windows in a piece: 640 KiB, if all is told of them."""

MOST_ZOOMED: Final = 1 << 20
"""Windows that one zoom may have: it is answered as a whole."""

_PLANNED: Final = 512
"""Parts that a range is looked at in to see where to cut it."""


def few_points(reads: Asked, start: int, end: int) -> bool:
    """Whether a range has no more points than a piece; or whether to ask it will say what is wrong."""
    try:
        return reads.count(start, end) <= POINTS
    except Thinned:
        return True


def points(reads: Asked, start: int, end: int) -> Iterator[Points]:
    """The points of ``[start, end)``; at least one piece."""
    if few_points(reads, start, end):
        yield from _sliced_points(reads.values(start, end))
        return
    for low, high in _cut(reads, start, end, 0, POINTS, each=False):
        yield from _sliced_points(reads.values(low, high))


def few_aligned(reads: Asked, start: int, end: int, pointwidth: int) -> bool:
    """Whether there are no more aligned windows in a range than in a piece."""
    return (end - start) >> min(pointwidth, MAX_POINTWIDTH) < WINDOWS or _counted(
        reads, start, end
    ) <= WINDOWS


def aligned(reads: Asked, start: int, end: int, pointwidth: int, columns: Sequence[str]) -> Iterator[Windows]:
    """The windows of ``2**pointwidth`` ns; at least one piece."""
    if few_aligned(reads, start, end, pointwidth):
        yield from _sliced_windows(reads.aligned_windows(start, end, pointwidth, columns=columns))
        return
    low, high = align_down(start, pointwidth), align_down(end, pointwidth)
    for first, last in _cut(reads, low, high, pointwidth, WINDOWS, each=True):
        yield reads.aligned_windows(first, last, pointwidth, columns=columns)


def few_windows(start: int, end: int, width: int) -> bool:
    """Whether there are no more windows in a range than in a piece."""
    return (end - start) // width <= WINDOWS


def windows(reads: Asked, start: int, end: int, width: int, columns: Sequence[str]) -> Iterator[Windows]:
    """The windows of ``width`` ns from ``start`` on; at least one piece."""
    if few_windows(start, end, width):
        yield reads.windows(start, end, width, columns=columns)
        return
    last = start + window_count(start, end, width) * width
    for low in range(start, last, WINDOWS * width):
        yield reads.windows(low, min(low + WINDOWS * width, last), width, columns=columns)


def zoomed(
    reads: Asked, start: int | None, end: int | None, most: int, columns: Sequence[str]
) -> Iterator[Windows]:
    """The windows of a zoom; at least one piece."""
    if most > MOST_ZOOMED and reads.count() > MOST_ZOOMED:
        raise InvalidArgument(
            f"{most} windows are more than a server answers to one zoom.",
            advice=f"Zoom to at most {MOST_ZOOMED}, or ask for aligned windows.",
        )
    yield from _sliced_windows(reads.zoom(start, end, most, columns=columns))


def _counted(reads: Asked, start: int, end: int) -> int:
    """How many points are in a range; where its edges divide what was thinned, in the windows there."""
    try:
        return reads.count(start, end)
    except Thinned:
        return reads.count()


def _cut(
    reads: Asked, start: int, end: int, floor: int, most: int, *, each: bool
) -> Iterator[tuple[int, int]]:
    """``[start, end)`` in parts of at most so many points, or with ``each`` windows of ``2**floor`` ns.

    A part of one such window may have any number of points.
    """
    pointwidth = max(zoom_pointwidth(start, end, _PLANNED), floor)
    coarse = reads.aligned_windows(
        align_down(start, pointwidth), align_up(end, pointwidth), pointwidth, columns=["count"]
    )
    begin, total = start, 0
    for time, count in zip(coarse.time.tolist(), coarse["count"].tolist(), strict=True):
        weight = min(count, 1 << (pointwidth - floor)) if each else count
        if begin < time and total + weight > most:
            yield begin, time
            begin, total = time, 0
        if weight > most and pointwidth > floor:
            stop = min(time + coarse.width, end)
            yield from _cut(reads, begin, stop, floor, most, each=each)
            begin, total = stop, 0
        else:
            total += weight
    if begin < end:
        yield begin, end


def _sliced_points(points: Points) -> Iterator[Points]:
    """The same in pieces: there may be more at one time than in a piece."""
    for at in range(0, max(len(points), 1), POINTS):
        yield replace(
            points,
            times=points.times[at : at + POINTS],
            values=points.values[at : at + POINTS],
            left_out=() if at else points.left_out,
        )


def _sliced_windows(windows: Windows) -> Iterator[Windows]:
    for at in range(0, max(len(windows), 1), WINDOWS):
        columns = {name: column[at : at + WINDOWS] for name, column in windows.columns.items()}
        yield replace(
            windows,
            time=windows.time[at : at + WINDOWS],
            columns=columns,
            left_out=() if at else windows.left_out,
        )
