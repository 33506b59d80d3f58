"""The bytes of a node: references to its children and its rows, sparse, coded column by column.

All of a node is checksummed head; it has no body. The layout is the table of ``docs/format.md``, section
"Node".
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from otrdb.errors import Damaged
from otrdb.layout import Layout
from otrdb.model import Kind

from .codec import RAW_BELOW, decode_node_column, encode_node_column
from .leaf_block import KIND_CODES, KINDS, EncodedBlock
from .nodes import Child, ChildKind, Node

Words = NDArray[np.int64]
Rows = NDArray[np.int64]

NODE_TYPE: Final = 3

NODE_HEAD: Final = Layout(
    ("start", "q", "first time of the interval"),
    ("pointwidth", "B", "a slot is 2^pointwidth ns wide"),
    ("kind", "B", "0 float, 1 int, 2 bool"),
    ("codec", "B", "0 raw rows, 1 pcodec columns"),
    ("children", "B", "children that follow, 0 to 16"),
    ("rows", "H", "rows, 0 to 256"),
)
NODE_CHILD: Final = Layout(
    ("index", "B", "first child position it covers"),
    ("span", "B", "positions it covers: 1, 2, 4 or 8"),
    ("kind", "B", "0 empty, 1 leaf, 2 node, 3 chain, 4 leaf in sections, 5 thinned"),
    ("zero", "B", ""),
    ("version", "Q", "version that last changed anything below"),
    ("count", "Q", "points below"),
    ("segment", "I", "its address; all zero for an empty one"),
    ("offset", "I", ""),
    ("length", "I", ""),
    ("head", "I", ""),
)
_REFERENCE = struct.Struct("<" + "".join(code for _, code, _ in NODE_CHILD.fields))
_NOWHERE: Final = (0, 0, 0, 0)
_LENGTH = struct.Struct("<H")
_ROW_BYTES: Final = 64
_Group: TypeAlias = tuple[int, int, bool]
_FLOAT_COLUMNS: Final[tuple[_Group, ...]] = ((0, 1, False), (1, 5, True), (6, 7, True), (5, 6, True))
_INTEGER_COLUMNS: Final[tuple[_Group, ...]] = (
    (0, 1, False),
    (1, 5, False),
    (6, 7, False),
    (5, 6, True),
    (7, 8, False),
)
"""Which words of the rows, from first to before end, are coded together, and whether as floats: count; min,
max, first and last; mean or low sum; M2; high sum.
"""
_KINDS: Final = {int(kind): kind for kind in ChildKind}


def encode_node(kind: Kind, node: Node) -> EncodedBlock:
    """Code a node whose children have all been written."""
    count = len(node.slots)
    coded = count >= RAW_BELOW
    head = NODE_HEAD.pack(
        node.start, node.pointwidth, KIND_CODES[kind], int(coded), len(node.children), count
    )
    rows = _encode_columns(kind, node.rows) if coded else node.rows.astype("<i8", copy=False).tobytes()
    slots = node.slots.astype(np.uint8).tobytes()
    return EncodedBlock(NODE_TYPE, head + _references(node) + slots + rows, [])


def _references(node: Node) -> bytes:
    return b"".join(
        _REFERENCE.pack(
            child.index, child.span, child.kind, 0, child.version, child.count, *(child.address or _NOWHERE)
        )
        for child in node.children
    )


def _columns(kind: Kind) -> tuple[_Group, ...]:
    return _FLOAT_COLUMNS if kind is Kind.FLOAT else _INTEGER_COLUMNS


def _encode_columns(kind: Kind, rows: Rows) -> bytes:
    pieces = []
    for first, end, floats in _columns(kind):
        data = encode_node_column(rows[:, first:end].T.reshape(-1), floats=floats)
        pieces += [_LENGTH.pack(len(data)), data]
    return b"".join(pieces)


def decode_node(block: bytes) -> Node:
    """Read a node, whose checksum the storage layer has proved."""
    start, pointwidth, kind_code, codec, children, count = NODE_HEAD.unpack_from(block)
    if kind_code not in KINDS or codec > 1 or children > 16 or count > 256:
        raise Damaged("A node's head holds values no node can have.")
    at = NODE_HEAD.size + children * NODE_CHILD.size
    slots = np.frombuffer(block, np.uint8, count, at).astype(np.int64)
    data = memoryview(block)[at + count :]
    rows = _decode_columns(KINDS[kind_code], data, count) if codec else _raw_rows(data, count)
    references = _REFERENCE.iter_unpack(block[NODE_HEAD.size : at])
    return Node(start, pointwidth, slots, rows, tuple(_child(*fields) for fields in references))


def _child(index: int, span: int, kind: int, _: int, version: int, count: int, *address: int) -> Child:
    if kind == ChildKind.EMPTY:
        return Child(index, span, ChildKind.EMPTY, version, count)
    return Child(index, span, _KINDS[kind], version, count, address=address)  # type: ignore[arg-type]


def _raw_rows(data: memoryview, count: int) -> Rows:
    if len(data) != count * _ROW_BYTES:
        raise Damaged("A node does not have the length its head gives it.")
    return np.frombuffer(data, "<i8").reshape(count, 8).astype(np.int64)


def _decode_columns(kind: Kind, data: memoryview, count: int) -> Rows:
    rows = np.zeros((count, 8), np.int64)
    at = 0
    for first, end, floats in _columns(kind):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        column = decode_node_column(bytes(data[at : at + length]), count * (end - first), floats=floats)
        rows[:, first:end] = column.reshape(end - first, count).T
        at += length
    if at != len(data):
        raise Damaged("A node does not have the length its head gives it.")
    return rows
