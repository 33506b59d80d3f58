"""From when to when there are points in a stream, also where these were thinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import Thinned

if TYPE_CHECKING:
    from otrdb.interface import ReadsLike


def first_time(reads: ReadsLike) -> int | None:
    """The time of the first point, ns; if that was thinned, of its window. None if there is no point."""
    try:
        point = reads.earliest()
    except Thinned as thinned:
        return thinned.start
    return None if point is None else point.time


def last_time(reads: ReadsLike) -> int | None:
    """The time of the last point, ns; if that was thinned, the last one of its window. None without points.

    Example:
        >>> import otrdb, tempfile
        >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
        >>> _ = heat.insert([1, 7], [20.5, 20.7])
        >>> first_time(heat), last_time(heat)
        (1, 7)
    """
    try:
        point = reads.latest()
    except Thinned as thinned:
        return thinned.end - 1
    return None if point is None else point.time
