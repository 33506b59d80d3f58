"""Thinned times: what can be said of them, and what cannot.

In the place of points stand the rows of a *summary*, a node without children. A question that rows answer
exactly is answered; one that would need a point of theirs is refused (`Thinned`), and so are new points.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from otrdb import kernels
from otrdb.errors import Damaged, Thinned
from otrdb.model import MIN_TIME
from otrdb.times import format_ns

from .nodes import Child, ChildKind, Node

if TYPE_CHECKING:
    from .nodes import Words
    from .source import Source


def refused(start: int, end: int, pointwidth: int, advice: str = "") -> Thinned:
    """The error for a question or a change that would need the points of ``[start, end)``."""
    text = f"The points from {format_ns(start)} to before {format_ns(end)} were thinned: only the statistics"
    advice = (
        advice or f"Ask for aligned windows of pointwidth {pointwidth} or more, as zoom does, or newer times."
    )
    text += f" of windows of 2**{pointwidth} ns are kept."
    return Thinned(text, advice=advice, start=start, end=end, pointwidth=pointwidth)


def refuse(summary: Node, start: int, end: int) -> None:
    """Raise `Thinned` if any row of ``summary`` meets ``[start, end)``: what is asked for is not known."""
    starts, ends = summary.bounds()
    first, last = int(ends.searchsorted(start, side="right")), int(starts.searchsorted(end))
    if first < last:
        raise refused(int(starts[first]), int(ends[last - 1]), summary.pointwidth)


def refuse_first(summary: Node, time: int) -> None:
    """Raise `Thinned`, for the window it is in, if ``summary`` has the first point from ``time`` on."""
    starts, ends = summary.bounds()
    at = int(ends.searchsorted(time, side="right"))
    if at < len(ends):
        raise refused(int(starts[at]), int(ends[at]), summary.pointwidth)


def refuse_last(summary: Node, time: int) -> None:
    """The same for the last point before ``time``."""
    starts, ends = summary.bounds()
    at = int(starts.searchsorted(time)) - 1
    if at >= 0:
        raise refused(int(starts[at]), int(ends[at]), summary.pointwidth)


def rows_outside(summary: Node, start: int, end: int) -> Node:
    """``summary`` without the rows of ``[start, end)``; `Thinned` if that divides one."""
    starts, ends = summary.bounds()
    kept = (ends <= start) | (starts >= end)
    cut = np.flatnonzero(~kept & ((starts < start) | (ends > end)))
    if len(cut):
        low, high, width = int(starts[cut[0]]), int(ends[cut[0]]), summary.pointwidth
        raise refused(low, high, width, f"Delete whole windows of 2**{width} ns, or none of their times.")
    return Node(summary.start, summary.pointwidth, summary.slots[kept], summary.rows[kept], ())


def refuse_points(source: Source, node: Node, times: Words) -> None:
    """Raise `Thinned` if any of ``times`` (int64[n], ascending) lies where ``node`` is thinned.

    Cost: the nodes over the times.
    """
    for child in node.children:
        if child.kind not in (ChildKind.NODE, ChildKind.THINNED):
            continue
        start, end = node.child_start(child), node.child_end(child)
        low, high = kernels.bisect(times, start), kernels.bisect(times, end)
        if low == high:
            continue
        below = source.node(child)
        if child.kind == ChildKind.THINNED:
            raise refused(
                start, end, below.pointwidth, "Leave out the points of these times; none is stored."
            )
        refuse_points(source, below, times[low:high])


def thinned_until(source: Source, node: Node) -> int:
    """The time, ns, from which on nothing below ``node`` is thinned; `MIN_TIME` if nothing is.

    What cannot be read is left out. Cost: the nodes that are newer than that.
    """
    for child in reversed(node.children):
        if child.kind == ChildKind.THINNED:
            return node.child_end(child)
        if child.kind == ChildKind.NODE:
            with suppress(Damaged):
                until = thinned_until(source, source.node(child))
                if until > MIN_TIME:
                    return until
    return MIN_TIME


def is_raw(source: Source, child: Child) -> bool:
    """Whether all points below ``child`` are there, so that it may become another shape.

    Reads nodes until something thinned is met: only asked where no more points are than fit a leaf.
    """
    if child.kind == ChildKind.NODE:
        return all(is_raw(source, below) for below in source.node(child).children)
    return child.kind != ChildKind.THINNED
