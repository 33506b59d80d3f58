"""Locate: which times does the block at some place on the medium hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.errors import Damaged
from otrdb.model import MAX_TIME, MIN_TIME

from .nodes import ChildKind
from .source import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .nodes import Address, Child, Node
    from .source import Source

Place = tuple[int, int]
"""Segment and offset."""

EVERYTHING: Final = (MIN_TIME, MAX_TIME)
"""The times of a root."""


def locate(source: Source, root: Node, place: Place) -> tuple[int, int] | None:
    """The times ``[start, end)`` of the block at ``place``, if the tree below ``root`` has it; else None.

    Reads nodes and directories until it is found, and steps over those that cannot be read. The
    answer is kept in the cache, since whoever met damage once often meets it again.
    """
    key = (place, "times")
    known: tuple[int, int] | None = source.cache.get(key)
    if known is None:
        known = _search(source, root, place)
        if known is not None:
            source.cache.put(key, known, 200)
    return known


def _search(source: Source, node: Node, place: Place) -> tuple[int, int] | None:
    for child in node.children:
        if place in _places(source, child):
            return node.child_start(child), node.child_end(child)
        if child.kind == ChildKind.NODE:
            try:
                found = _search(source, source.node(child), place)
            except Damaged:
                continue
            if found is not None:
                return found
    return None


def _places(source: Source, child: Child) -> Iterator[Place]:
    """Where the block of ``child`` is, and those it is a directory of."""
    if child.address is not None:
        yield _place(child.address)
    try:
        yield from map(_place, listed(source, child))
    except Damaged:
        return


def _place(address: Address) -> Place:
    return address[0], address[1]
