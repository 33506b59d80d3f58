"""The addresses in a block are found without decoding it, and can be changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb import tree
from otrdb.errors import Damaged
from otrdb.model import Kind
from otrdb.tree.chains import CHAIN_TYPE
from otrdb.tree.node_block import NODE_TYPE
from otrdb.tree.sections import SECTIONS_TYPE
from tests.tree.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STANDING = 1 << 30
"""Where a clock stands still."""


class Typed:
    """Remembers the types of the blocks of a tree."""

    def __init__(self, harness: Harness) -> None:
        self.types: dict[tree.Address, int] = {}
        self._add = harness.blocks.add
        self._read_head = harness.blocks.read_head
        harness.blocks.add = self.add  # type: ignore[method-assign]

    def add(self, block_type: int, head: bytes, body: Sequence[bytes] = ()) -> tree.Address:
        assert {reference.address for reference in tree.references(block_type, head)} <= set(self.types)
        address = self._add(block_type, head, body)
        self.types[address] = block_type
        return address

    def below(self, address: tree.Address) -> Iterable[tree.Address]:
        yield address
        for reference in tree.references(self.types[address], self._read_head(address)):
            assert reference.is_leaf == (self.types[reference.address] == tree.LEAF_TYPE)
            yield from self.below(reference.address)


def grown(steps: list[tuple[int, int, int]]) -> tuple[Harness, Typed]:
    harness = Harness(Kind.INT)
    typed = Typed(harness)
    harness.insert(np.full(20_000, STANDING), np.arange(20_000))
    for start, count, step in steps:
        times = start + step * np.arange(count, dtype=np.int64)
        harness.insert(times, times)
    return harness, typed


steps = st.tuples(
    st.sampled_from([0, STANDING, 1 << 40]), st.sampled_from([1, 200, 9_000]), st.integers(0, 1 << 10)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, max_size=8))
def test_a_tree_is_found_by_its_references_and_stands_behind_what_it_refers_to(
    changes: list[tuple[int, int, int]],
) -> None:
    harness, typed = grown(changes)
    assert harness.address is not None
    found = list(typed.below(harness.address))
    assert len(found) == len(set(found))
    assert set(found) == harness.reachable()


ALL_KINDS = [(1 << 40, 9_000, 5), (2 << 40, 900, 5), (3 << 40, 90, 5), (0, 200, 7)]


@pytest.mark.parametrize("block_type", [NODE_TYPE, CHAIN_TYPE, SECTIONS_TYPE])
def test_references_can_be_changed_one_by_one(block_type: int) -> None:
    harness, typed = grown(ALL_KINDS)
    heads = [harness.blocks.read_head(address) for address, each in typed.types.items() if each == block_type]
    assert heads
    for head in heads:
        before = tree.references(block_type, head)
        for at, reference in enumerate(before):
            changed = tree.redirected(head, [(reference, (7, 8, 9, 10))])
            after = tree.references(block_type, changed)
            assert after == [*before[:at], reference._replace(address=(7, 8, 9, 10)), *before[at + 1 :]]
            assert tree.redirected(changed, [(reference, reference.address)]) == head


@pytest.mark.parametrize("block_type", [NODE_TYPE, CHAIN_TYPE, SECTIONS_TYPE])
def test_a_block_that_is_too_short_for_its_references_is_damage(block_type: int) -> None:
    harness, typed = grown(ALL_KINDS)
    head = next(
        harness.blocks.read_head(address) for address, each in typed.types.items() if each == block_type
    )
    with pytest.raises(Damaged):
        tree.references(block_type, head[:30])
    with pytest.raises(Damaged):
        tree.references(block_type, head[:3])
