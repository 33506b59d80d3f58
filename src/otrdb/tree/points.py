"""Raw points: ranges of them, the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import Damaged
from otrdb.model import MAX_TIME, MIN_TIME

from .leaves import NO_POINTS, joined
from .nodes import LEAVES, Child, ChildKind, Node
from .thinned import refuse, refuse_first, refuse_last

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .chains import Chain
    from .leaves import Columns
    from .source import Source

Found = tuple[int, int]
"""A point: time in ns and value word."""


def values(source: Source, root: Node, start: int, end: int) -> Columns:
    """Times and value words of the points of ``[start, end)``, ascending, equal times in order of arrival.

    `Thinned` if there are any that were thinned.
    """
    parts = list(_runs(source, root, start, end))
    return joined(parts) if parts else NO_POINTS


def _runs(source: Source, node: Node, start: int, end: int) -> Iterator[Columns]:
    """The points of ``[start, end)``, leaf by leaf."""
    for child in node.children_within(start, end):
        if child.kind in LEAVES:
            yield points_of(source, node, child, start, end)
            continue
        below = _opened(source, node, child, start, end)
        if isinstance(below, Node):
            if child.kind == ChildKind.THINNED:
                refuse(below, start, end)
            yield from _runs(source, below, start, end)
        elif below is not None:
            yield from _linked(source, below, start, end)


def points_of(source: Source, node: Node, child: Child, start: int, end: int) -> Columns:
    """The points of ``[start, end)`` in the leaf that ``child`` of ``node`` is."""
    try:
        return source.leaf(child).within(start, end)
    except Damaged as damage:
        return source.salvaged(child, damage, *node.common(child, start, end))


def _opened(source: Source, node: Node, child: Child, start: int, end: int) -> Node | Chain | None:
    """What ``child`` is, if not a leaf; None if its part of ``[start, end)`` is lost."""
    try:
        return source.chain(child) if child.kind == ChildKind.CHAIN else source.node(child)
    except Damaged as damage:
        source.lost(damage, *node.common(child, start, end))
        return None


def _linked(source: Source, chain: Chain, start: int, end: int) -> Iterator[Columns]:
    for link in chain.within(start, end):
        try:
            points = source.leaf(link.leaf).within(start, end)
        except Damaged as damage:
            points = source.salvaged(link.leaf, damage, max(start, link.first), min(end, link.last + 1))
        yield points


def first_from(source: Source, node: Node, time: int) -> Found | None:
    """The first point at or after ``time``; among equal times the first that arrived. `Thinned` if it may be
    one that was thinned.
    """
    for child in node.children:
        if child.kind and node.child_end(child) > time:
            found = _first_below(source, node, child, time)
            if found is not None:
                return found
    return None


def _first_below(source: Source, node: Node, child: Child, time: int) -> Found | None:
    if child.kind in LEAVES:
        try:
            return source.leaf(child).first_from(time)
        except Damaged as damage:
            return _point(source.salvaged(child, damage, *node.common(child, time, MAX_TIME)), 0)
    below = _opened(source, node, child, time, MAX_TIME)
    if isinstance(below, Node):
        if child.kind == ChildKind.THINNED:
            refuse_first(below, time)
        return first_from(source, below, time)
    return None if below is None else _first_linked(source, below, time)


def _first_linked(source: Source, chain: Chain, time: int) -> Found | None:
    for link in chain.within(time, MAX_TIME):
        try:
            found = source.leaf(link.leaf).first_from(time)
        except Damaged as damage:
            found = _point(source.salvaged(link.leaf, damage, max(time, link.first), link.last + 1), 0)
        if found is not None:
            return found
    return None


def last_before(source: Source, node: Node, time: int) -> Found | None:
    """The last point strictly before ``time``; among equal times the last that arrived. `Thinned` if it may
    be one that was thinned.
    """
    for child in reversed(node.children):
        if child.kind and node.child_start(child) < time:
            found = _last_below(source, node, child, time)
            if found is not None:
                return found
    return None


def _last_below(source: Source, node: Node, child: Child, time: int) -> Found | None:
    if child.kind in LEAVES:
        try:
            return source.leaf(child).last_before(time)
        except Damaged as damage:
            return _point(source.salvaged(child, damage, *node.common(child, MIN_TIME, time)), -1)
    below = _opened(source, node, child, MIN_TIME, time)
    if isinstance(below, Node):
        if child.kind == ChildKind.THINNED:
            refuse_last(below, time)
        return last_before(source, below, time)
    return None if below is None else _last_linked(source, below, time)


def _last_linked(source: Source, chain: Chain, time: int) -> Found | None:
    for link in reversed(chain.within(MIN_TIME, time)):
        try:
            found = source.leaf(link.leaf).last_before(time)
        except Damaged as damage:
            found = _point(source.salvaged(link.leaf, damage, link.first, min(time, link.last + 1)), -1)
        if found is not None:
            return found
    return None


def _point(columns: Columns, at: int) -> Found | None:
    times, words = columns
    return (int(times[at]), int(words[at])) if len(times) else None
