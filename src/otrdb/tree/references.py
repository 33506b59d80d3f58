"""The addresses that stand in a block, found without decoding it: what a move of blocks needs to know.

A block stands behind all blocks it refers to, so nothing below it lies in a younger segment than its own.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.errors import Damaged
from otrdb.layout import Layout

from .chains import CHAIN_ENTRY, CHAIN_HEAD, CHAIN_TYPE
from .node_block import NODE_CHILD, NODE_HEAD, NODE_TYPE
from .nodes import ChildKind
from .sections import SECTIONS_ENTRY, SECTIONS_HEAD, SECTIONS_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .nodes import Address

_ADDRESS: Final = Layout(("segment", "I", ""), ("offset", "I", ""), ("length", "I", ""), ("head", "I", ""))
_NODE_ADDRESS: Final = NODE_CHILD.offset("segment")
_NODE_KIND: Final = NODE_CHILD.offset("kind")
_CHAIN_ADDRESS: Final = CHAIN_ENTRY.offset("segment")
_SECTION_ADDRESS: Final = SECTIONS_ENTRY.offset("segment")
_LEAVES: Final = (ChildKind.LEAF, ChildKind.THINNED)


class Reference(NamedTuple):
    """An address in a block: at which byte of the head it stands, and whether what is there, a plain leaf or
    thinned, refers to nothing.
    """

    at: int
    address: Address
    is_leaf: bool


def references(block_type: int, head: bytes) -> list[Reference]:
    """What the block with this head refers to, in its order; a leaf refers to nothing."""
    try:
        if block_type == NODE_TYPE:
            return list(_of_node(head))
        if block_type == CHAIN_TYPE:
            return list(_of_chain(head))
        if block_type == SECTIONS_TYPE:
            return list(_of_sections(head))
    except (struct.error, IndexError) as error:
        raise Damaged("A block is shorter than the references it should hold.") from error
    return []


def _of_node(head: bytes) -> Iterable[Reference]:
    children = NODE_HEAD.named(NODE_HEAD.unpack_from(head))["children"]
    for index in range(children):
        start = NODE_HEAD.size + index * NODE_CHILD.size
        kind = head[start + _NODE_KIND]
        if kind != ChildKind.EMPTY:
            yield _reference(head, start + _NODE_ADDRESS, is_leaf=kind in _LEAVES)


def _of_chain(head: bytes) -> Iterable[Reference]:
    blocks = CHAIN_HEAD.named(CHAIN_HEAD.unpack_from(head))["blocks"]
    for index in range(blocks):
        start = CHAIN_HEAD.size + index * CHAIN_ENTRY.size
        yield _reference(head, start + _CHAIN_ADDRESS, is_leaf=True)


def _of_sections(head: bytes) -> Iterable[Reference]:
    sections = SECTIONS_HEAD.named(SECTIONS_HEAD.unpack_from(head))["sections"]
    for index in range(sections):
        start = SECTIONS_HEAD.size + index * SECTIONS_ENTRY.size
        yield _reference(head, start + _SECTION_ADDRESS, is_leaf=True)


def _reference(head: bytes, at: int, *, is_leaf: bool) -> Reference:
    return Reference(at, _ADDRESS.unpack_from(head, at), is_leaf)


def redirected(head: bytes, targets: Iterable[tuple[Reference, Address]]) -> bytes:
    """The head with other addresses in the place of some references."""
    changed = bytearray(head)
    for reference, address in targets:
        changed[reference.at : reference.at + _ADDRESS.size] = _ADDRESS.pack(*address)
    return bytes(changed)
