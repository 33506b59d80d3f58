"""Ranges of time and the windows in them: the arithmetic every archiver must agree on.

Aligned windows are aligned to MIN_TIME, where the tree begins. Up to pointwidth 60 that is the same as
alignment to the epoch; at 61 the windows start at MIN_TIME and 2**60, and at 62 there is one,
[MIN_TIME, MAX_TIME).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.errors import (
    InvalidArgument,
    InvalidPointWidth,
    InvalidTimeRange,
    InvalidVersions,
    TimeOutOfRange,
)
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.times import TimeLike, format_ns, is_integer, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_POINTWIDTH: Final = 62
MAX_RESOLUTION: Final = 63

MAX_WINDOWS: Final = 1 << 24
"""Most windows one call of `windows` computes: empty ones count too, and the answer must fit in memory."""

PIECE: Final = 65_536
"""Points read at once where a long answer is read in pieces."""


def to_range(start: TimeLike, end: TimeLike) -> tuple[int, int]:
    """`[start, end)` in ns, or InvalidTimeRange unless MIN_TIME <= start < end <= MAX_TIME."""
    first, last = to_ns(start), to_ns(end)
    if not MIN_TIME <= first < last <= MAX_TIME:
        raise InvalidTimeRange(f"[{first}, {last}) is no range an archive holds.")
    return first, last


def to_instant(time: TimeLike) -> int:
    """`time` in ns, or TimeOutOfRange unless MIN_TIME <= time < MAX_TIME."""
    instant = to_ns(time)
    if not MIN_TIME <= instant < MAX_TIME:
        raise TimeOutOfRange(f"{format_ns(instant)} lies outside the times an archive holds.")
    return instant


def check_pointwidth(pointwidth: int) -> int:
    """`pointwidth`, or InvalidPointWidth unless it is a whole number from 0 to 62."""
    return _check_exponent("pointwidth", pointwidth, MAX_POINTWIDTH)


def check_resolution(resolution: int) -> int:
    """`resolution`, or InvalidPointWidth unless it is a whole number from 0 to 63."""
    return _check_exponent("resolution", resolution, MAX_RESOLUTION)


def check_version(version: int) -> int:
    """`version`, or InvalidVersions unless it is a whole number that is not negative."""
    if not is_integer(version) or version < 0:
        raise InvalidVersions(f"{version!r} is no version.")
    return int(version)


def _check_exponent(name: str, exponent: int, most: int) -> int:
    if not is_integer(exponent) or not 0 <= exponent <= most:
        raise InvalidPointWidth(
            f"{exponent!r} is no {name}.", advice=f"Give a whole number from 0 to {most}: 2**{name} ns."
        )
    return int(exponent)


def align_down(time: int, pointwidth: int) -> int:
    """Start of the aligned window of 2**pointwidth ns that holds `time`.

    Example:
        >>> align_down(1_500_000_000_000_000_000, 28)
        1499999999814008832
    """
    return MIN_TIME + ((time - MIN_TIME) >> pointwidth << pointwidth)


def align_up(time: int, pointwidth: int) -> int:
    """Start of the first aligned window of 2**pointwidth ns that begins at or after `time`."""
    return align_down(time + (1 << pointwidth) - 1, pointwidth)


def window_count(start: int, end: int, width: int) -> int:
    """How many whole windows of `width` ns fit into [start, end); InvalidArgument above MAX_WINDOWS."""
    count = (end - start) // width
    if count > MAX_WINDOWS:
        raise InvalidArgument(
            f"[{start}, {end}) holds {count} windows of {width} ns, more than {MAX_WINDOWS}.",
            advice="Ask for wider windows or for aligned ones, which leave out the empty.",
        )
    return count


def zoom_pointwidth(start: int, end: int, points: int) -> int:
    """The least pointwidth at which at most `points` aligned windows cover [start, end).

    Example:
        >>> zoom_pointwidth(0, 10**9, 1000)
        20
    """
    if not is_integer(points) or points < 1:
        raise InvalidArgument(
            f"{points!r} is no number of points.", advice="Give a whole number of at least 1."
        )
    pointwidth = max(0, ((end - start - 1) // int(points)).bit_length() - 1)
    while (align_up(end, pointwidth) - align_down(start, pointwidth)) >> pointwidth > points:
        pointwidth += 1
    return pointwidth


def pieces(
    count: Callable[[int, int], int], start: int, end: int, most: int = PIECE
) -> Iterator[tuple[int, int]]:
    """[start, end) cut into ranges that hold 1 to `most` points each, or one instant that holds more.

    `count` says how many points a range holds.
    """
    waiting = [(start, end)]
    while waiting:
        first, last = waiting.pop()
        held = count(first, last)
        if held <= most or last - first == 1:
            if held:
                yield first, last
            continue
        middle = (first + last) // 2
        waiting += [(middle, last), (first, middle)]


def slices(length: int, most: int) -> Iterator[slice]:
    """A column of that length in slices of at most `most`; at least one slice.

    Example:
        >>> [range(5)[each] for each in slices(5, 3)], list(slices(0, 3))
        ([range(0, 3), range(3, 5)], [slice(0, 3, None)])
    """
    return (slice(at, at + most) for at in range(0, max(length, 1), most))
