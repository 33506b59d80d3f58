"""Leaves: the points of one aligned dyadic interval, in memory or on the medium.

A leaf is at most 64 KiB of pages there, so what is asked for decides what is read: a page for a window's edge
or a nearest point, everything for a long range. Decoded pages, points and sub-slot rows are kept in the
shared cache.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.errors import Damaged

from .geometry import subslot_shift
from .nodes import Address, Piece

if TYPE_CHECKING:
    from .cache import Cache
    from .leaf_block import LeafHead
    from .source import BlockReader

Words = NDArray[np.int64]
Columns = tuple[Words, Words]
"""Times and value words, int64[n] each, ascending by time."""

_MIN_SPARSE_PAGES = 4
_MAX_SUBSLOTS = 256


def summarise_aligned(columns: Columns, integer: bool, origin: int, shift: int, capacity: int) -> Piece:
    """Rows of the points, one for each interval of ``2**shift`` ns counted from ``origin`` that holds any."""
    times, words = columns
    size = min(capacity, len(times))
    slots = np.empty(size, np.int64)
    rows = np.empty((size, 8), np.int64)
    filled = kernels.summarise(times, words, integer, origin, shift, slots, rows, 0)
    return Piece(slots[:filled], rows[:filled])


def cache_points(cache: Cache, address: Address, columns: Columns) -> None:
    """Keep all points of the leaf at ``address``."""
    cache.put((address, "points"), columns, 16 * len(columns[0]) + 300)


class ArrayLeaf:
    """A leaf in memory: not yet written, or made by a merge for an overlay."""

    __slots__ = ("_subslots", "shift", "start", "times", "words")

    def __init__(self, start: int, shift: int, times: Words, words: Words) -> None:
        self.start = start
        self.shift = shift
        self.times = times
        self.words = words
        self._subslots: Piece | None = None

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about."""
        return 300 + self.times.nbytes + self.words.nbytes + (18_432 if self._subslots is not None else 0)

    def points(self) -> Columns:
        """All points."""
        return self.times, self.words

    def within(self, start: int, end: int) -> Columns:
        """The points of ``[start, end)``."""
        low = kernels.bisect(self.times, start)
        high = kernels.bisect(self.times, end)
        return self.times[low:high], self.words[low:high]

    def first_from(self, time: int) -> tuple[int, int] | None:
        """The first point (time, word) at or after ``time``."""
        at = kernels.bisect(self.times, time)
        return _point(self.points(), at) if at < len(self.times) else None

    def last_before(self, time: int) -> tuple[int, int] | None:
        """The last point (time, word) before ``time``."""
        at = kernels.bisect(self.times, time)
        return _point(self.points(), at - 1) if at else None

    def subslots(self, integer: bool) -> Piece:
        """The rows of the leaf's 256 sub-slots that hold points."""
        if self._subslots is None:
            self._subslots = _subslots(self.points(), integer, self.start, self.shift)
        return self._subslots


def _point(columns: Columns, at: int) -> tuple[int, int]:
    return int(columns[0][at]), int(columns[1][at])


def _subslots(columns: Columns, integer: bool, start: int, shift: int) -> Piece:
    return summarise_aligned(columns, integer, start, subslot_shift(shift), _MAX_SUBSLOTS)


class StoredLeaf:
    """A leaf on the medium: its decoded head, and pages on demand."""

    __slots__ = ("_blocks", "_cache", "_firsts", "_head", "_offsets", "_sizes", "address", "shift", "start")

    def __init__(self, address: Address, head: LeafHead, blocks: BlockReader, cache: Cache) -> None:
        self.address = address
        self.start = head.start
        self.shift = head.shift
        self._head = head
        self._blocks = blocks
        self._cache = cache
        self._firsts = [first for first, _, _, _ in head.pages]
        self._sizes = [times + values for _, times, values, _ in head.pages]
        self._offsets = [0, *accumulate(self._sizes)]

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about."""
        return 1_000 + 200 * len(self._firsts)

    def points(self) -> Columns:
        """All points: the whole body in one read."""
        key = (self.address, "points")
        columns: Columns | None = self._cache.get(key)
        if columns is None:
            columns = self._read_all()
            cache_points(self._cache, self.address, columns)
        return columns

    def within(self, start: int, end: int) -> Columns:
        """The points of ``[start, end)``; reads no more pages than needed unless that is most of them."""
        low, high = self._page_of(start), self._page_of(end) + 1
        wanted = high - low
        if wanted > _MIN_SPARSE_PAGES and 2 * wanted > len(self._firsts):
            times, words = self.points()
        else:
            times, words = self._pages(low, high)
        first = kernels.bisect(times, start)
        last = kernels.bisect(times, end)
        return times[first:last], words[first:last]

    def first_from(self, time: int) -> tuple[int, int] | None:
        """The first point (time, word) at or after ``time``."""
        for index in range(self._page_of(time), len(self._firsts)):
            columns = self._page(index)
            at = kernels.bisect(columns[0], time)
            if at < len(columns[0]):
                return _point(columns, at)
        return None

    def last_before(self, time: int) -> tuple[int, int] | None:
        """The last point (time, word) before ``time``."""
        for index in range(self._page_of(time), -1, -1):
            columns = self._page(index)
            at = kernels.bisect(columns[0], time)
            if at:
                return _point(columns, at - 1)
        return None

    def subslots(self, integer: bool) -> Piece:
        """The rows of the leaf's 256 sub-slots that hold points: made on first use, then cached."""
        key = (self.address, "subslots")
        piece: Piece | None = self._cache.get(key)
        if piece is None:
            piece = _subslots(self.points(), integer, self.start, self.shift)
            self._cache.put(key, piece, 72 * len(piece.slots) + 300)
        return piece

    def _page_of(self, time: int) -> int:
        """The page with the first point at or after ``time``, unless that begins the next page."""
        return max(bisect_left(self._firsts, time) - 1, 0)

    def _pages(self, low: int, high: int) -> Columns:
        if high == low + 1:
            return self._page(low)
        pages = [self._page(index) for index in range(low, high)]
        return np.concatenate([page[0] for page in pages]), np.concatenate([page[1] for page in pages])

    def _page(self, index: int) -> Columns:
        whole: Columns | None = self._cache.get((self.address, "points"))
        if whole is not None:
            start = sum(self._head.counts[:index])
            end = start + self._head.counts[index]
            return whole[0][start:end], whole[1][start:end]
        key = (self.address, index)
        columns: Columns | None = self._cache.get(key)
        if columns is None:
            data = self._blocks.read_body(self.address, self._offsets[index], self._sizes[index])
            count = self._head.counts[index]
            columns = np.empty(count, np.int64), np.empty(count, np.int64)
            self._decode(index, data, columns)
            self._cache.put(key, columns, 16 * count + 300)
        return columns

    def _read_all(self) -> Columns:
        body = self._blocks.read_body(self.address, 0, self._offsets[-1])
        head, offsets = self._head, self._offsets
        first, second = [], []
        for index, (_, split, _, _) in enumerate(head.pages):
            page = body[offsets[index] : offsets[index + 1]]
            self._prove(index, page)
            first.append(page[:split])
            second.append(page[split:])
        count = sum(head.counts)
        times, words = np.empty(count, np.int64), np.empty(count, np.int64)
        head.times.read_all(first, head.counts, times)
        head.values.read_all(second, head.counts, words)
        return times, words

    def _prove(self, index: int, data: bytes) -> None:
        if len(data) != self._sizes[index] or crc32c(data) != self._head.pages[index][3]:
            segment, offset, _, _ = self.address
            raise Damaged(
                f"Page {index} of the leaf at byte {offset:,} of segment {segment} fails its checksum.",
                segment=segment,
                offset=offset,
            )

    def _decode(self, index: int, data: bytes, out: Columns) -> None:
        self._prove(index, data)
        split = self._head.pages[index][1]
        self._head.times.read(data[:split], out[0])
        self._head.values.read(data[split:], out[1])


Leaf = ArrayLeaf | StoredLeaf
