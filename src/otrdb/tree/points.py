"""Raw points: ranges of them, the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .edit import joined
from .nodes import EMPTY_SLOTS, Child, ChildKind, Node
from .thinned import refuse, refuse_first, refuse_last

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .leaves import Columns, Leaf
    from .source import Source

Found = tuple[int, int]
"""A point: time in ns and value word."""


def values(source: Source, root: Node, start: int, end: int) -> Columns:
    """Times and value words of the points of ``[start, end)``, ascending, equal times in order of arrival.

    `Thinned` if there are any that were thinned.
    """
    parts = [leaf.within(start, end) for leaf in leaves_within(source, root, start, end)]
    return joined(parts) if parts else (EMPTY_SLOTS, EMPTY_SLOTS)


def leaves_within(source: Source, node: Node, start: int, end: int) -> Iterator[Leaf]:
    """The leaves that may hold points of ``[start, end)``, in order of time."""
    for child in node.children_within(start, end):
        if child.kind == ChildKind.LEAF:
            yield source.leaf(child)
        elif child.kind == ChildKind.NODE:
            yield from leaves_within(source, source.node(child), start, end)
        elif child.kind == ChildKind.THINNED:
            refuse(source.node(child), start, end)
        else:
            yield from source.chain(child).leaves(source, start, end)


def first_from(source: Source, node: Node, time: int) -> Found | None:
    """The first point at or after ``time``; among equal times the first that arrived. `Thinned` if it may be
    one that was thinned.
    """
    for child in node.children:
        if child.kind and node.child_end(child) > time:
            found = _first_below(source, child, time)
            if found is not None:
                return found
    return None


def _first_below(source: Source, child: Child, time: int) -> Found | None:
    if child.kind == ChildKind.NODE:
        return first_from(source, source.node(child), time)
    if child.kind == ChildKind.LEAF:
        return source.leaf(child).first_from(time)
    if child.kind == ChildKind.THINNED:
        refuse_first(source.node(child), time)
        return None
    for link in source.chain(child).links:
        if link.last >= time:
            return source.leaf(link.leaf).first_from(time)
    return None


def last_before(source: Source, node: Node, time: int) -> Found | None:
    """The last point strictly before ``time``; among equal times the last that arrived. `Thinned` if it may
    be one that was thinned.
    """
    for child in reversed(node.children):
        if child.kind and node.child_start(child) < time:
            found = _last_below(source, child, time)
            if found is not None:
                return found
    return None


def _last_below(source: Source, child: Child, time: int) -> Found | None:
    if child.kind == ChildKind.NODE:
        return last_before(source, source.node(child), time)
    if child.kind == ChildKind.LEAF:
        return source.leaf(child).last_before(time)
    if child.kind == ChildKind.THINNED:
        refuse_last(source.node(child), time)
        return None
    for link in reversed(source.chain(child).links):
        if link.first < time:
            return source.leaf(link.leaf).last_before(time)
    return None
