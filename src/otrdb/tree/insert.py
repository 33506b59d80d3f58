"""Insert: points go into the leaves they belong to, and what is above is made anew (copy on write)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.model import Merge

from .chains import Chain, build_chain
from .edit import Edit, halves, top_parts
from .nodes import EMPTY_SLOTS, Child, ChildKind, Node, NodeBuilder
from .thinned import refuse_points

if TYPE_CHECKING:
    from .leaves import Columns

Words = NDArray[np.int64]


def insert(edit: Edit, root: Node, columns: Columns, merge: Merge) -> Node:
    """The root of a tree that holds the points of ``root`` and ``columns``.

    ``columns`` are int64[n] times, ascending with equal times in order of arrival, and int64[n] value words;
    they are kept by reference. ``merge`` says what happens to points of equal times. Nothing is written.
    `Thinned` if a point is where points were thinned. Cost: the touched leaves read once, plus the path above
    them.
    """
    if merge is not Merge.NEVER:
        columns = _merged((EMPTY_SLOTS, EMPTY_SLOTS), columns, merge, edit.source.integer)
    return _Insert(edit, merge).into_node(root, columns)


def _merged(stored: Columns, new: Columns, merge: Merge, integer: bool) -> Columns:
    size = len(stored[0]) + len(new[0])
    times, words = np.empty(size, np.int64), np.empty(size, np.int64)
    count = kernels.merge_runs(*stored, *new, merge.code, integer, times, words)
    return times[:count], words[:count]


class _Insert:
    """The recursion of one insert."""

    def __init__(self, edit: Edit, merge: Merge) -> None:
        self._edit = edit
        self._merge = merge

    def into_node(self, node: Node, columns: Columns) -> Node:
        builder = NodeBuilder(node)
        for index, span, part in top_parts(node, columns):
            self._into_interval(builder, index, span, part)
        if self._merge is Merge.REPLACE:
            self._edit.settle(builder)
        return builder.finish()

    def _into_interval(self, builder: NodeBuilder, index: int, span: int, columns: Columns) -> None:
        if len(columns[0]) == 0:
            return
        children = builder.children(index, span)
        if not children:
            self._edit.build(builder, index, span, columns)
        elif children[0].span == span:
            self._into_child(builder, children[0], columns)
        else:
            for at, part in halves(builder.node, index, span, columns):
                self._into_interval(builder, at, span // 2, part)

    def _into_child(self, builder: NodeBuilder, child: Child, columns: Columns) -> None:
        edit = self._edit
        if child.kind == ChildKind.THINNED:
            refuse_points(edit.source, builder.node, columns[0])
        edit.forget(child)
        if child.kind == ChildKind.NODE:
            edit.put_node(builder, child.index, self.into_node(edit.source.node(child), columns))
        elif child.kind == ChildKind.CHAIN:
            edit.put_chain(builder, child.index, self._into_chain(edit.source.chain(child), columns))
        else:
            stored = edit.source.leaf(child).points()
            merged = _merged(stored, columns, self._merge, edit.source.integer)
            builder.empty(child.index, child.span, child.version)
            edit.build(builder, child.index, child.span, merged)

    def _into_chain(self, chain: Chain, columns: Columns) -> Chain:
        edit = self._edit
        from_block = chain.block_for(int(columns[0][0]), after_equals=self._merge is Merge.NEVER)
        for link in chain.links[from_block:]:
            edit.forget(link.leaf)
        merged = _merged(chain.tail(edit.source, from_block), columns, self._merge, edit.source.integer)
        return build_chain(
            chain.start,
            chain.links[:from_block],
            merged,
            integer=edit.source.integer,
            version=edit.version,
        )
