"""Space: how many bytes of blocks lie in a range of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import Child, ChildKind, Node
from .source import listed

if TYPE_CHECKING:
    from .source import Source


def bytes_within(source: Source, node: Node, start: int, end: int) -> int:
    """Bytes of the written blocks below ``node`` that hold nothing outside ``[start, end)``, without headers.

    Reads the nodes and directories that meet the range, and no points.
    """
    return sum(_below(source, node, child, start, end) for child in node.children_within(start, end))


def _below(source: Source, node: Node, child: Child, start: int, end: int) -> int:
    whole = start <= node.child_start(child) and node.child_end(child) <= end
    own = child.address[2] if whole and child.address is not None else 0
    if child.kind == ChildKind.NODE:
        return own + bytes_within(source, source.node(child), start, end)
    return own + sum(address[2] for address in listed(source, child)) if whole else own
