"""Insert: points go into the leaves they belong to, and what is above is made anew (copy on write)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.model import Merge

from .chains import Chain, build_chain
from .edit import Edit, halves, leaf_piece, top_parts
from .geometry import LEAF_CAPACITY, SLOTS_PER_CHILD, row_shift
from .growth import NONE_STORED, Stored, appended, stored_sections
from .leaves import ArrayLeaf, joined
from .nodes import EMPTY_SLOTS, Child, ChildKind, Node, NodeBuilder, Piece
from .thinned import refuse_points

if TYPE_CHECKING:
    from .leaves import Columns, StoredLeaf
    from .sections import Leaf, SectionedLeaf

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
    if not len(columns[0]):
        return root
    edit.last = int(columns[0][-1])
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
        if child.kind == ChildKind.NODE:
            edit.forget(child)
            edit.put_node(builder, child.index, self.into_node(edit.source.node(child), columns))
        elif child.kind == ChildKind.CHAIN:
            edit.forget(child)
            edit.put_chain(builder, child.index, self._into_chain(edit.source.chain(child), columns))
        else:
            leaf = edit.source.leaf(child)
            if not self._append(builder, child, leaf, columns):
                self._rewrite(builder, child, leaf, columns)

    def _rewrite(self, builder: NodeBuilder, child: Child, leaf: Leaf, columns: Columns) -> None:
        """Put the leaf's points and the new ones together; sections stay if the new ones come behind them."""
        edit, sections, before = self._edit, stored_sections(leaf), leaf.points()
        merged = _merged(before, columns, self._merge, edit.source.integer)
        stored = Stored(sections, before[0])
        builder.empty(child.index, child.span, child.version)
        behind = self._is_behind(columns, int(before[0][-1]))
        edit.build(builder, child.index, child.span, merged, stored if behind else NONE_STORED)
        edit.obsolete.extend(stored.left())
        if child.kind == ChildKind.SECTIONS:
            edit.forget(child)

    def _is_behind(self, columns: Columns, last: int) -> bool:
        """Whether all of the points come behind one of time ``last``, which stays as it is."""
        first = int(columns[0][0])
        return first > last or (first == last and self._merge is Merge.NEVER)

    def _append(self, builder: NodeBuilder, child: Child, leaf: Leaf, columns: Columns) -> bool:
        """Whether the points come behind all of a written leaf and fit in it, so that they were appended.

        Of the leaf only the points of its last row are read.
        """
        if isinstance(leaf, ArrayLeaf) or child.count + len(columns[0]) > LEAF_CAPACITY:
            return False
        piece = self._appended_piece(builder.node, child, leaf, columns)
        if piece is None:
            return False
        edit, end = self._edit, builder.node.child_end(child)
        edit.put_appended(builder, child, appended(leaf, edit.source, columns, full=end <= edit.last), piece)
        return True

    def _appended_piece(
        self, node: Node, child: Child, leaf: StoredLeaf | SectionedLeaf, columns: Columns
    ) -> Piece | None:
        """The rows of the leaf with ``columns`` behind its points; None if not all come behind them."""
        slots, rows = node.piece(child.index * SLOTS_PER_CHILD, (child.index + child.span) * SLOTS_PER_CHILD)
        time, whole = int(columns[0][0]), len(slots)
        last = node.start + (int(slots[-1]) << node.pointwidth)
        if time < last:
            return None
        if time < last + (1 << row_shift(node.pointwidth, child.span)):
            count = int(rows[-1, 0])
            before = leaf.run(child.count - count, count, child.count, keep=self._edit.keep)
            if not self._is_behind(columns, int(before[0][-1])):
                return None
            columns, whole = joined([before, columns]), whole - 1
        new = leaf_piece(node, child.span, columns, integer=self._edit.source.integer)
        return Piece(np.concatenate([slots[:whole], new.slots]), np.concatenate([rows[:whole], new.rows]))

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
