"""Answers of any size, piece by piece, so that a server holds one of them at a time.

What is asked does not change meanwhile, so that the pieces are one answer. Most answers are one piece.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument, Thinned
from otrdb.model import MIN_TIME
from otrdb.ranges import align_down, pieces, slices, window_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otrdb import Points, Windows
    from otrdb.interface import ReadsLike

POINTS: Final = 1 << 16
"""Points in a piece: 1 MiB."""

WINDOWS: Final = 1 << 13
"""Windows in a piece: 640 KiB, if all is told of them."""

MOST_ZOOMED: Final = 1 << 20
"""Windows that one zoom may have: it is answered as a whole."""


def points(reads: ReadsLike, start: int, end: int, most: int | None = None) -> Iterator[Points]:
    """The points of ``[start, end)``, at most so many in a piece, or `POINTS`; at least one piece."""
    for low, high in _cut(reads.count, start, end, POINTS):
        yield from _sliced_points(reads.values(low, high), most or POINTS)


def aligned(
    reads: ReadsLike, start: int, end: int, pointwidth: int, columns: Sequence[str]
) -> Iterator[Windows]:
    """The windows of ``2**pointwidth`` ns; at least one piece."""
    low, high = align_down(start, pointwidth), align_down(end, pointwidth)
    if low == high:
        yield reads.aligned_windows(start, end, pointwidth, columns=columns)
        return

    def most(first: int, last: int) -> int:
        """How many windows from one number on to another may hold points."""
        number = last - first
        return number if number <= WINDOWS else min(number, reads.count(*_times(first, last, pointwidth)))

    numbers = low - MIN_TIME >> pointwidth, high - MIN_TIME >> pointwidth
    for first, last in _cut(most, *numbers, WINDOWS):
        piece = reads.aligned_windows(*_times(first, last, pointwidth), pointwidth, columns=columns)
        yield from _sliced_windows(piece)


def _times(first: int, last: int, pointwidth: int) -> tuple[int, int]:
    """The range of windows from one number on to another."""
    return MIN_TIME + (first << pointwidth), MIN_TIME + (last << pointwidth)


def windows(reads: ReadsLike, start: int, end: int, width: int, columns: Sequence[str]) -> Iterator[Windows]:
    """The windows of ``width`` ns from ``start`` on; at least one piece."""
    number = window_count(start, end, width)
    if number <= WINDOWS:
        yield reads.windows(start, end, width, columns=columns)
        return
    last = start + number * width
    for low in range(start, last, WINDOWS * width):
        yield reads.windows(low, min(low + WINDOWS * width, last), width, columns=columns)


def zoomed(
    reads: ReadsLike, start: int | None, end: int | None, most: int, columns: Sequence[str]
) -> Iterator[Windows]:
    """The windows of a zoom; at least one piece."""
    if most > MOST_ZOOMED and reads.count() > MOST_ZOOMED:
        raise InvalidArgument(
            f"{most} windows are more than a server answers to one zoom.",
            advice=f"Zoom to at most {MOST_ZOOMED}, or ask for aligned windows.",
        )
    yield from _sliced_windows(reads.zoom(start, end, most, columns=columns))


def _cut(count: Callable[[int, int], int], start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    """``[start, end)`` in ranges that count at most so many, with what is between them: it may be damaged,
    which an answer tells.
    """
    last = None
    try:
        for _, high in pieces(count, start, end, most):
            if last is not None:
                yield start, last
                start = last
            last = high
    except Thinned:  # the rest as a whole: the question itself is refused, or needs no points there
        pass
    yield start, end


def _sliced_points(points: Points, most: int) -> Iterator[Points]:
    """The same in pieces: there may be more at one time than in a piece."""
    for rows in slices(len(points), most):
        yield replace(
            points,
            times=points.times[rows],
            values=points.values[rows],
            left_out=() if rows.start else points.left_out,
        )


def _sliced_windows(windows: Windows) -> Iterator[Windows]:
    for rows in slices(len(windows), WINDOWS):
        columns = {name: column[rows] for name, column in windows.columns.items()}
        left_out = () if rows.start else windows.left_out
        yield replace(windows, time=windows.time[rows], columns=columns, left_out=left_out)
