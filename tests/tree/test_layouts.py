"""The tables of tree blocks in docs/format.md are the code's own, and so are the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from otrdb import tree
from otrdb.model import Kind
from otrdb.tree.chains import CHAIN_ENTRY, CHAIN_HEAD
from otrdb.tree.leaf_block import LEAF_HEAD, LEAF_PAGE
from otrdb.tree.node_block import NODE_CHILD, NODE_HEAD
from otrdb.tree.sections import SECTIONS_ENTRY, SECTIONS_HEAD
from tests.storage.test_layouts import table_after
from tests.tree.harness import Harness

if TYPE_CHECKING:
    from otrdb.layout import Layout

LAYOUTS = {
    "### Leaf": LEAF_HEAD,
    "A directory entry:": LEAF_PAGE,
    "### Node": NODE_HEAD,
    "A child:": NODE_CHILD,
    "### Sections": SECTIONS_HEAD,
    "An entry of these:": SECTIONS_ENTRY,
    "### Chain": CHAIN_HEAD,
    "An entry:": CHAIN_ENTRY,
}


@pytest.mark.parametrize("heading", LAYOUTS)
def test_documented_layouts_are_those_of_the_code(heading: str) -> None:
    assert table_after(heading) == LAYOUTS[heading].rows()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_arrays_of_records_have_the_same_bytes(layout: Layout) -> None:
    record = np.zeros(1, layout.dtype())
    values = []
    for number, (name, _, _) in enumerate(layout.fields, 1):
        record[name] = number
        values.append(number)
    assert record.tobytes() == layout.pack(*values)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_saved_tree_reads_back_to_the_same_bits(kind: Kind) -> None:
    harness = Harness(kind)
    times = np.arange(60_000, dtype=np.int64) ** 2
    harness.insert(times, (times % 2).astype(np.int64), save=False)
    before = rows_below(harness, harness.root)
    harness.save()
    assert rows_below(harness, harness.root) == before
    assert harness.faults() == []


def rows_below(harness: Harness, node: tree.Node) -> list[bytes]:
    found = [node.slots.tobytes(), node.rows.tobytes()]
    for child in node.children:
        if child.kind == tree.ChildKind.NODE:
            found += rows_below(harness, harness.source.node(child))
    return found
