"""Blocks of a tree, taken apart for people, sound or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from crc32c import crc32c

from otrdb.columns import decode
from otrdb.errors import Damaged
from otrdb.model import MAX_TIME, Kind
from otrdb.sections import Section, all_taken_apart, finite, taken_apart

from .chains import CHAIN_ENTRY, CHAIN_HEAD, CHAIN_TYPE, decode_chain
from .leaf_block import KINDS, LEAF_HEAD, LEAF_PAGE, LEAF_TYPE, LeafHead
from .node_block import NODE_CHILD, NODE_HEAD, NODE_TYPE, decode_node
from .sections import SECTIONS_ENTRY, SECTIONS_HEAD, SECTIONS_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .nodes import Rows, Words

NAMES: Final = {LEAF_TYPE: "leaf", NODE_TYPE: "node", CHAIN_TYPE: "chain", SECTIONS_TYPE: "sections"}
"""What the types of tree blocks are called."""

_ROW: Final = {
    False: ("count", "min", "max", "first", "last", "M2", "mean"),
    True: ("count", "min", "max", "first", "last", "M2", "sum"),
}
"""Words of a summary row, by whether values are integers. The sum takes two; the last one of a float is 0."""


def describe(
    block_type: int, head: bytes, body: bytes, offset: int, *, proved: bool, points: bool
) -> Iterator[Section]:
    """A block whose head begins at ``offset`` of its file; with ``points`` those of a leaf too.

    Fields are read whatever they say; what is coded only in a head that is ``proved``, since decoders may do
    anything with bytes that are none of theirs. What stands before damage is given, then an error.
    """
    yield from _DESCRIBE[block_type](head, body, offset, proved, points)


def _leaf(head: bytes, body: bytes, offset: int, proved: bool, points: bool) -> Iterator[Section]:
    yield taken_apart("leaf", LEAF_HEAD, head, offset=offset)
    leaf = LeafHead(head)
    counts = leaf.counts
    at = LEAF_HEAD.size
    pages = all_taken_apart("pages", LEAF_PAGE, head, at, len(counts), offset=offset + at)
    begin, found, sound = 0, list[dict[str, Any]](), list[tuple[bytes, bytes, int]]()
    for page, count in zip(pages.records, counts, strict=True):
        middle, end = begin + page["times"], begin + page["times"] + page["values"]
        times, values = body[begin:middle], body[middle:end]
        holds = end <= len(body) and crc32c(values, crc32c(times)) == page["crc"]
        found.append({"points": count, "at": offset + len(head) + begin, **page, "sound": holds})
        sound += [(times, values, count)] if holds else []
        begin = end
    bad = sum(not page["sound"] for page in found)
    note = f"{bad} of {len(found)} pages fail their checksum" if bad else ""
    yield pages._replace(records=found, note=note)
    if points and proved:
        yield _points(leaf, sound, offset + len(head))


def _points(leaf: LeafHead, pages: list[tuple[bytes, bytes, int]], offset: int) -> Section:
    records = []
    for first, second, count in pages:
        times = leaf.times().read(first, count)
        values = decode(leaf.kind, leaf.values().read(second, count))
        records += [
            {"time": time, "value": value}
            for time, value in zip(times.tolist(), values.tolist(), strict=True)
        ]
    return Section("points", offset, records, times=frozenset({"time"}), many=True)


def _node(head: bytes, _: bytes, offset: int, proved: bool, __: bool) -> Iterator[Section]:
    yield taken_apart("node", NODE_HEAD, head, offset=offset)
    fields = NODE_HEAD.named(NODE_HEAD.unpack_from(head))
    at, count = NODE_HEAD.size, fields["children"]
    yield all_taken_apart("children", NODE_CHILD, head, at, count, offset=offset + at)
    at += count * NODE_CHILD.size
    if not proved:
        return
    node = decode_node(head)
    yield _rows(node.slots, node.rows, KINDS[fields["kind"]], offset + at)


def _chain(head: bytes, _: bytes, offset: int, proved: bool, __: bool) -> Iterator[Section]:
    yield taken_apart("chain", CHAIN_HEAD, head, offset=offset)
    fields = CHAIN_HEAD.named(CHAIN_HEAD.unpack_from(head))
    at, count = CHAIN_HEAD.size, fields["blocks"]
    yield all_taken_apart("entries", CHAIN_ENTRY, head, at, count, offset=offset + at)
    if not proved:
        return
    links = decode_chain(head).links
    slots = np.concatenate([link.piece.slots for link in links])
    rows = np.concatenate([link.piece.rows for link in links])
    # A chain does not say of which kind its values are, so they are shown as the words they are.
    yield _rows(slots, rows, Kind.INT, offset + at + count * CHAIN_ENTRY.size)


def _sections(head: bytes, _: bytes, offset: int, __: bool, ___: bool) -> Iterator[Section]:
    yield taken_apart("sections", SECTIONS_HEAD, head, offset=offset)
    count = SECTIONS_HEAD.named(SECTIONS_HEAD.unpack_from(head))["sections"]
    at = SECTIONS_HEAD.size
    yield all_taken_apart("section entries", SECTIONS_ENTRY, head, at, count, offset=offset + at)


def _rows(slots: Words, rows: Rows, kind: Kind, offset: int) -> Section:
    columns: list[list[Any]] = [rows[:, 0].tolist()]
    for word in range(1, 5):
        words = rows[:, word]
        columns.append(words.tolist() if kind.integer else _floats(words))
    columns.append(_floats(rows[:, 5]))
    if kind.integer:
        lows, highs = rows[:, 6].copy().view(np.uint64).tolist(), rows[:, 7].tolist()
        columns.append([(high << 64) + low for low, high in zip(lows, highs, strict=True)])
    else:
        columns.append(_floats(rows[:, 6]))
    names = ("slot", *_ROW[kind.integer])
    records = [dict(zip(names, row, strict=True)) for row in zip(slots.tolist(), *columns, strict=True)]
    return Section("rows", offset, records, many=True)


def _floats(words: Words) -> list[float | None]:
    return finite(words.copy().view(np.float64).tolist())


_DESCRIBE: Final[dict[int, Callable[[bytes, bytes, int, bool, bool], Iterator[Section]]]] = {
    LEAF_TYPE: _leaf,
    NODE_TYPE: _node,
    CHAIN_TYPE: _chain,
    SECTIONS_TYPE: _sections,
}


def interval(block_type: int, head: bytes) -> tuple[int, int] | None:
    """The times ``[start, end)`` of a block, by its head alone; None for a block of an unknown type."""
    try:
        if block_type == LEAF_TYPE:
            leaf = LeafHead(head)
            return leaf.start, leaf.start + (1 << leaf.shift)
        if block_type == NODE_TYPE:
            node = NODE_HEAD.named(NODE_HEAD.unpack_from(head))
            return node["start"], min(node["start"] + (1 << (node["pointwidth"] + 8)), MAX_TIME)
        if block_type == CHAIN_TYPE:
            start = CHAIN_HEAD.unpack_from(head)[0]
            return start, start + 16
        if block_type == SECTIONS_TYPE:
            start, shift = SECTIONS_HEAD.unpack_from(head)[:2]
            return start, start + (1 << shift)
    except Damaged:
        return None
    return None
