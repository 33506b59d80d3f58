"""Long answers in parts: a range is cut where its points are, so that no part takes much memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.ranges import align_down, align_up, zoom_pointwidth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb.interface import ReadsLike
    from otrdb.model import Int64Array

_LOOK: Final = 1024
"""Windows that are counted at a time to see where the points are."""


def parts(
    views: Sequence[ReadsLike], start: int, end: int, most: int, finest: int | None = None
) -> Iterator[tuple[int, int]]:
    """Ranges that follow one another in ``[start, end)`` and hold all points of it, ``most`` of them each.

    More only where they share one time. With ``finest``, the windows of ``2**finest`` ns that hold points are
    counted instead, at least; ``start`` and ``end`` are aligned to them then, and so are the ranges.
    """
    if _load(views, start, end, finest) <= most:
        yield start, end
        return
    pointwidth = zoom_pointwidth(start, end, _LOOK)
    times, loads = _survey(views, align_down(start, pointwidth), align_up(end, pointwidth), pointwidth, finest)
    begin, held = start, 0
    for time, load in zip(times.tolist(), loads.tolist(), strict=True):
        low, high = max(time, start), min(time + (1 << pointwidth), end)
        if held and held + load > most:
            yield begin, low
            begin, held = low, 0
        if load > most and pointwidth > (finest or 0):
            yield from parts(views, low, high, most, finest)
            begin = high
        else:
            held += load
    if held:
        yield begin, end


def _load(views: Sequence[ReadsLike], start: int, end: int, finest: int | None) -> int:
    windows = (end - start) >> finest if finest is not None else None
    if windows is not None and windows <= _LOOK:
        return windows
    count = sum(view.count(start, end) for view in views)
    return count if windows is None else min(count, windows)


def _survey(
    views: Sequence[ReadsLike], start: int, end: int, pointwidth: int, finest: int | None
) -> tuple[Int64Array, Int64Array]:
    """The windows that hold points, and how many points, or finer windows at most, each of them holds."""
    found = [view.aligned_windows(start, end, pointwidth, columns=("count",)) for view in views]
    times, position = np.unique(np.concatenate([windows.time for windows in found]), return_inverse=True)
    loads = np.zeros(len(times), np.int64)
    np.add.at(loads, position, np.concatenate([windows.count for windows in found]).astype(np.int64))
    return times, loads if finest is None else np.minimum(loads, 1 << pointwidth - finest)
