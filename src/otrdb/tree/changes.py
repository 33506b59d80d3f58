"""Changes: which times may differ between two versions of a stream.

Every reference carries the version that last changed what is below it, also when that was a delete, so only
what differs is visited. The answer may be a superset (a changed leaf reports its whole interval), never less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import Damaged
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import align_down

from .nodes import ChildKind, Node

if TYPE_CHECKING:
    from .nodes import Child
    from .source import Source

Range = tuple[int, int]


def changes(source: Source, root: Node, after: int, resolution: int) -> list[Range]:
    """Ranges ``[start, end)`` changed by versions newer than ``after``, ascending, touching ones joined.

    Nodes whose children are ``2**resolution`` ns or narrower are not opened; ranges are rounded outwards to
    that.
    """
    found: list[Range] = []
    _collect(source, root, after, resolution, found)
    return found


def _collect(source: Source, node: Node, after: int, resolution: int, found: list[Range]) -> None:
    for child in node.children:
        if child.version <= after:
            continue
        below = _opened(source, node, child) if node.child_shift(child) > resolution else None
        if below is not None:
            _collect(source, below, after, resolution, found)
        else:
            _join(found, *_rounded(node.child_start(child), node.child_end(child), resolution))


def _opened(source: Source, node: Node, child: Child) -> Node | None:
    """The node that ``child`` is, if it is one and can be read; else all of it may have changed."""
    if child.kind != ChildKind.NODE:
        return None
    try:
        return source.node(child)
    except Damaged as damage:
        source.lost(damage, node.child_start(child), node.child_end(child))
        return None


def _rounded(start: int, end: int, resolution: int) -> Range:
    low = align_down(start, resolution)
    high = align_down(end - 1, resolution) + (1 << resolution)
    return max(low, MIN_TIME), min(high, MAX_TIME)


def _join(found: list[Range], start: int, end: int) -> None:
    if found and start <= found[-1][1]:
        start = min(start, found[-1][0])
        end = max(end, found.pop()[1])
    found.append((start, end))
