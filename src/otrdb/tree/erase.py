"""Erase: points of a time range leave the tree, and the canonical rule is restored above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .edit import empty_root
from .geometry import CHILDREN
from .leaves import joined
from .nodes import Child, ChildKind, Node, NodeBuilder
from .thinned import rows_outside

if TYPE_CHECKING:
    from .edit import Edit
    from .leaves import Columns


def erase(edit: Edit, root: Node, start: int, end: int) -> Node:
    """The root of a tree without the points of ``[start, end)``; ``root`` itself if there are none.

    Nothing is written. What is emptied keeps the edit's version, so that changes are seen. Cost: the leaves
    at the two edges and, where a level collapses, their siblings are read; blocks that fall away as a whole
    are only listed, damaged ones too. `Thinned` if the range divides a row of what was thinned.
    """
    builder = NodeBuilder(root)
    for child in root.children_within(start, end):
        _erase_child(edit, builder, child, start, end)
    if not builder.touched:
        return root
    edit.settle(builder)
    return builder.finish()


def emptied_root(version: int) -> Node:
    """The root of a tree of which ``version`` took away all points, whatever they were."""
    builder = NodeBuilder(empty_root())
    builder.empty(0, CHILDREN, version)
    return builder.finish()


def _erase_child(edit: Edit, builder: NodeBuilder, child: Child, start: int, end: int) -> None:
    node = builder.node
    if start <= node.child_start(child) and node.child_end(child) <= end:
        edit.forget_below(child)
        builder.empty(child.index, child.span, edit.version)
    elif child.kind == ChildKind.NODE:
        _erase_below(edit, builder, child, start, end)
    elif child.kind == ChildKind.THINNED:
        _erase_rows(edit, builder, child, start, end)
    else:
        _erase_points(edit, builder, child, start, end)


def _erase_below(edit: Edit, builder: NodeBuilder, child: Child, start: int, end: int) -> None:
    before = edit.source.node(child)
    after = erase(edit, before, start, end)
    if after is before:
        return
    edit.forget(child)
    if len(after.slots):
        edit.put_node(builder, child.index, after)
    else:
        builder.empty(child.index, child.span, edit.version)


def _erase_rows(edit: Edit, builder: NodeBuilder, child: Child, start: int, end: int) -> None:
    before = edit.source.node(child)
    after = rows_outside(before, start, end)
    if len(after.slots) == len(before.slots):
        return
    edit.forget(child)
    if len(after.slots):
        edit.put_node(builder, child.index, after, kind=ChildKind.THINNED)
    else:
        builder.empty(child.index, child.span, edit.version)


def _erase_points(edit: Edit, builder: NodeBuilder, child: Child, start: int, end: int) -> None:
    columns = edit.points_below(child)
    kept = _outside(columns, start, end)
    if len(kept[0]) == len(columns[0]):
        return
    edit.forget_below(child)
    if len(kept[0]):
        builder.empty(child.index, child.span, child.version)
        edit.build(builder, child.index, child.span, kept)
    else:
        builder.empty(child.index, child.span, edit.version)


def _outside(columns: Columns, start: int, end: int) -> Columns:
    times, words = columns
    low, high = np.searchsorted(times, (start, end))
    return joined([(times[:low], words[:low]), (times[high:], words[high:])])
