"""The bytes of a leaf: a checksummed head (directory and what pcodec's pages share) and a body of pages.

Every page carries its own CRC32C in the directory, so that one page can be read, proved and decoded alone.
The layout is the table of ``docs/format.md``, section "Leaf".
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from operator import add
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from otrdb.errors import Damaged
from otrdb.layout import Layout
from otrdb.model import Kind

from .codec import ColumnDecoder, EncodedColumn, encode_times, encode_values
from .geometry import page_counts

if TYPE_CHECKING:
    from .habit import Habit

Words = NDArray[np.int64]

LEAF_TYPE: Final = 2
"""Block type of a leaf; the blocks of a chain are leaves too."""

KIND_CODES: Final = {Kind.FLOAT: 0, Kind.INT: 1, Kind.BOOL: 2}
KINDS: Final = {code: kind for kind, code in KIND_CODES.items()}

LEAF_HEAD: Final = Layout(
    ("start", "q", "first time of the interval"),
    ("count", "I", "points, 1 to 16,384"),
    ("shift", "B", "the interval is 2^shift ns wide"),
    ("kind", "B", "0 float, 1 int, 2 bool"),
    ("times_codec", "B", "0 raw, 1 pcodec"),
    ("values_codec", "B", "0 raw, 1 pcodec, 2 bits"),
    ("times_meta", "H", "bytes of what all pages of times share"),
    ("values_meta", "H", "bytes of what all pages of values share"),
)
LEAF_PAGE: Final = Layout(
    ("first", "q", "time of the page's first point"),
    ("times", "H", "bytes of the page's times"),
    ("values", "H", "bytes of the page's values"),
    ("crc", "I", "CRC of both"),
)


class EncodedBlock(NamedTuple):
    """What the storage layer takes: a block type, a checksummed head and the pieces of the body."""

    type: int
    head: bytes
    body: list[bytes]


class LeafHead(NamedTuple):
    """A decoded leaf head: geometry, the directory and a decoder per column."""

    start: int
    shift: int
    kind: Kind
    counts: list[int]
    """Points of each page."""
    firsts: tuple[int, ...]
    """First time of each page."""
    splits: tuple[int, ...]
    """Bytes of each page's times."""
    offsets: list[int]
    """Where each page begins in the body, and where the last one ends."""
    crcs: tuple[int, ...]
    times: ColumnDecoder
    values: ColumnDecoder


def encode_leaf(
    kind: Kind, start: int, shift: int, times: Words, words: Words, habit: Habit | None = None
) -> EncodedBlock:
    """Code the points of one leaf. The dearest step of a commit; pcodec releases the GIL in it."""
    counts = page_counts(len(times))
    first = encode_times(times, counts)
    second = encode_values(kind, words, counts, habit)
    head = LEAF_HEAD.pack(
        start,
        len(times),
        shift,
        KIND_CODES[kind],
        first.codec,
        second.codec,
        len(first.meta),
        len(second.meta),
    )
    directory = _directory(times, counts, first, second)
    body = [piece for pair in zip(first.pages, second.pages, strict=True) for piece in pair]
    return EncodedBlock(LEAF_TYPE, head + directory + first.meta + second.meta, body)


def _directory(times: Words, counts: list[int], first: EncodedColumn, second: EncodedColumn) -> bytes:
    firsts = times[[0, *accumulate(counts[:-1])]].tolist()
    return b"".join(
        LEAF_PAGE.pack(time, len(a), len(b), crc32c(b, crc32c(a)))
        for time, a, b in zip(firsts, first.pages, second.pages, strict=True)
    )


def decode_leaf_head(head: bytes) -> LeafHead:
    """Read a leaf's head, whose checksum the storage layer has proved."""
    fields = LEAF_HEAD.unpack_from(head)
    start, count, shift, kind_code, times_codec, values_codec, times_meta, values_meta = fields
    if count == 0 or kind_code not in KINDS:
        raise Damaged("A leaf's head holds values no leaf can have.")
    kind = KINDS[kind_code]
    counts = page_counts(count)
    metas = LEAF_HEAD.size + len(counts) * LEAF_PAGE.size
    if len(head) != metas + times_meta + values_meta:
        raise Damaged("A leaf's head does not have the length its fields give it.")
    directory = _pages_struct(len(counts)).unpack_from(head, LEAF_HEAD.size)
    splits = directory[1::4]
    offsets = list(accumulate(map(add, splits, directory[2::4]), initial=0))
    times = ColumnDecoder(times_codec, head[metas : metas + times_meta], Kind.INT)
    values = ColumnDecoder(values_codec, head[metas + times_meta :], kind)
    return LeafHead(
        start, shift, kind, counts, directory[::4], splits, offsets, directory[3::4], times, values
    )


@lru_cache(maxsize=32)
def _pages_struct(pages: int) -> Struct:
    """The directory as one record: unpacked in a quarter of the time that an array of records takes."""
    return Struct("<" + pages * "".join(code for _, code, _ in LEAF_PAGE.fields))
