"""The bytes of a leaf: a checksummed head (directory and what pcodec's pages share) and a body of pages.

Every page carries its own CRC32C in the directory, so that one page can be read, proved and decoded alone.
The layout is the table of ``docs/format.md``, section "Leaf".
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from otrdb.errors import Damaged
from otrdb.layout import Layout
from otrdb.model import Kind

from .codec import ColumnDecoder, EncodedColumn, encode_times, encode_values
from .geometry import page_counts, page_starts

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


class LeafHead:
    """A leaf head, read as far as it is asked for: many are cached, so it is one object that holds bytes."""

    __slots__ = ("_codecs", "_head", "_metas", "count", "kind", "shift", "start")

    def __init__(self, head: bytes) -> None:
        fields = LEAF_HEAD.unpack_from(head)
        self.start, self.count, self.shift, kind, times_codec, values_codec, times_meta, values_meta = fields
        if self.count == 0 or kind not in KINDS:
            raise Damaged("A leaf's head holds values no leaf can have.")
        self.kind = KINDS[kind]
        self._head = head
        self._codecs = times_codec, values_codec
        metas = LEAF_HEAD.size + len(self.counts) * LEAF_PAGE.size
        self._metas = metas, metas + times_meta
        if len(head) != metas + times_meta + values_meta:
            raise Damaged("A leaf's head does not have the length its fields give it.")

    @property
    def counts(self) -> tuple[int, ...]:
        """Points of each page."""
        return page_counts(self.count)

    @property
    def starts(self) -> tuple[int, ...]:
        """Index of the first point of each page, and the points of all."""
        return page_starts(self.count)

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about."""
        return 400 + len(self._head)

    def directory(self) -> tuple[int, ...]:
        """Of each page the fields of `LEAF_PAGE`: first time, bytes of times and of values, CRC."""
        return _pages_struct(len(self.counts)).unpack_from(self._head, LEAF_HEAD.size)

    def firsts(self) -> tuple[int, ...]:
        """First time of each page."""
        return self.directory()[:: len(LEAF_PAGE.fields)]

    def times(self) -> ColumnDecoder:
        """The decoder of the times."""
        return ColumnDecoder(self._codecs[0], self._head[slice(*self._metas)], Kind.INT)

    def values(self) -> ColumnDecoder:
        """The decoder of the values."""
        return ColumnDecoder(self._codecs[1], self._head[self._metas[1] :], self.kind)


def page_sums(head: bytes) -> list[tuple[int, int]]:
    """Bytes and CRC of each page of the leaf with this head, in the order of the body."""
    fields = LeafHead(head).directory()
    width = len(LEAF_PAGE.fields)
    return [
        (times + values, crc)
        for times, values, crc in zip(*(fields[at::width] for at in (1, 2, 3)), strict=True)
    ]


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
    directory = _directory(times, first, second)
    body = [piece for pair in zip(first.pages, second.pages, strict=True) for piece in pair]
    return EncodedBlock(LEAF_TYPE, head + directory + first.meta + second.meta, body)


def _directory(times: Words, first: EncodedColumn, second: EncodedColumn) -> bytes:
    firsts = times[list(page_starts(len(times))[:-1])].tolist()
    return b"".join(
        LEAF_PAGE.pack(time, len(a), len(b), crc32c(b, crc32c(a)))
        for time, a, b in zip(firsts, first.pages, second.pages, strict=True)
    )


@lru_cache(maxsize=32)
def _pages_struct(pages: int) -> Struct:
    """The directory as one record: unpacked in a quarter of the time that an array of records takes."""
    return Struct("<" + pages * "".join(code for _, code, _ in LEAF_PAGE.fields))
