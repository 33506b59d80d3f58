"""Answers of any size, piece by piece, so that a server holds one of them at a time.

What is asked does not change meanwhile, so that the pieces are one answer. Most answers are one piece.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument, Thinned
from otrdb.ranges import align_down, window_count
from otrdb.server.parts import parts

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


def points(reads: Asked, start: int, end: int) -> Iterator[Points]:
    """The points of ``[start, end)``; at least one piece."""
    for low, high in _ranges(reads, start, end, POINTS):
        yield from _sliced_points(reads.values(low, high))


def aligned(reads: Asked, start: int, end: int, pointwidth: int, columns: Sequence[str]) -> Iterator[Windows]:
    """The windows of ``2**pointwidth`` ns; at least one piece."""
    low, high = align_down(start, pointwidth), align_down(end, pointwidth)
    if low == high:
        yield reads.aligned_windows(start, end, pointwidth, columns=columns)
        return
    for first, last in _ranges(reads, low, high, WINDOWS, pointwidth):
        yield reads.aligned_windows(first, last, pointwidth, columns=columns)


def windows(reads: Asked, start: int, end: int, width: int, columns: Sequence[str]) -> Iterator[Windows]:
    """The windows of ``width`` ns from ``start`` on; at least one piece."""
    number = window_count(start, end, width)
    if number <= WINDOWS:
        yield reads.windows(start, end, width, columns=columns)
        return
    last = start + number * width
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


def _ranges(
    reads: Asked, start: int, end: int, most: int, finest: int | None = None
) -> Iterator[tuple[int, int]]:
    """`parts`, with what is between them: there may be damage there, which an answer tells of."""
    try:
        found = [high for _, high in parts([reads], start, end, most, finest)]
    except Thinned:  # so will the question itself be refused, or it needs no points where it says
        found = []
    for high in [*found[:-1], end]:
        yield start, high
        start = high


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
