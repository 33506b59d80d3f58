"""Leaves: the points of one aligned dyadic interval, in memory or on the medium.

A leaf is at most 64 KiB of pages there, so what is asked for decides what is read: a page for a window's edge
or a nearest point, everything for a long range. Decoded pages, points and sub-slot rows are kept in the
shared cache.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from otrdb import kernels
from otrdb.errors import Damaged

from .geometry import subslot_shift
from .leaf_block import LEAF_PAGE
from .nodes import EMPTY_SLOTS, Address, Piece

if TYPE_CHECKING:
    from .cache import Cache
    from .leaf_block import LeafHead
    from .source import BlockReader

Words = NDArray[np.int64]
Columns = tuple[Words, Words]
"""Times and value words, int64[n] each, ascending by time."""

NO_POINTS: Columns = (EMPTY_SLOTS, EMPTY_SLOTS)

_MIN_SPARSE_PAGES = 4
_MAX_SUBSLOTS = 256

MISCOUNTED: Final = "holds another number of points than its node counts"


def summarise_aligned(columns: Columns, integer: bool, origin: int, shift: int, capacity: int) -> Piece:
    """Rows of the points, one for each interval of ``2**shift`` ns counted from ``origin`` that holds any."""
    times, words = columns
    size = min(capacity, len(times))
    slots = np.empty(size, np.int64)
    rows = np.empty((size, 8), np.int64)
    filled = kernels.summarise(times, words, integer, origin, shift, slots, rows, 0)
    return Piece(slots[:filled], rows[:filled])


def joined(parts: list[Columns]) -> Columns:
    """The columns one after another."""
    if len(parts) == 1:
        return parts[0]
    return (
        np.concatenate([EMPTY_SLOTS, *[part[0] for part in parts]]),
        np.concatenate([EMPTY_SLOTS, *[part[1] for part in parts]]),
    )


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

    def run(self, first: int, count: int, total: int, *, keep: bool = True) -> Columns:
        """``count`` points from the one of index ``first`` on."""
        return self.times[first : first + count], self.words[first : first + count]

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
            self._subslots = summarise_subslots(self.points(), integer, self.start, self.shift)
        return self._subslots


def _point(columns: Columns, at: int) -> tuple[int, int]:
    return int(columns[0][at]), int(columns[1][at])


def summarise_subslots(columns: Columns, integer: bool, start: int, shift: int) -> Piece:
    """Rows of points, all of one leaf of ``2**shift`` ns from ``start`` on, by its sub-slots."""
    return summarise_aligned(columns, integer, start, subslot_shift(shift), _MAX_SUBSLOTS)


def subslots_memory(count: int) -> int:
    """Bytes that the sub-slots of a leaf of ``count`` points occupy in the cache, about."""
    return 72 * min(count, _MAX_SUBSLOTS) + 900


class StoredLeaf:
    """A leaf on the medium: its decoded head, and pages on demand."""

    __slots__ = ("_blocks", "_cache", "_head", "address", "shift", "start")

    def __init__(self, address: Address, head: LeafHead, blocks: BlockReader, cache: Cache) -> None:
        self.address = address
        self.start = head.start
        self.shift = head.shift
        self._head = head
        self._blocks = blocks
        self._cache = cache

    @property
    def count(self) -> int:
        """How many points it holds."""
        return int(self._head.count)

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about."""
        return 600 + self._head.memory

    @property
    def first(self) -> int:
        """Time of its first point."""
        first: int = self._head.directory()[0]
        return first

    def points(self) -> Columns:
        """All points: the whole body in one read."""
        key = (self.address, "points")
        columns: Columns | None = self._cache.get(key)
        if columns is None:
            columns = self._read_all()
            cache_points(self._cache, self.address, columns)
        return columns

    def run(self, first: int, count: int, total: int, *, keep: bool = True) -> Columns:
        """``count`` points from the one of index ``first`` on, decoded no further than they reach; cached, if
        they are to be kept.

        ``total`` is the number of all points, as the node says by whose counts the index was found.
        """
        if total != self._head.count:
            raise damaged_leaf(self.address, "The leaf", MISCOUNTED)
        whole: Columns | None = self._cache.get((self.address, "points"))
        if whole is not None:
            return whole[0][first : first + count], whole[1][first : first + count]
        key = (self.address, "run", first, count)
        columns: Columns | None = self._cache.get(key)
        if columns is None:
            columns = self._read_run(first, count)
            if keep:
                self._cache.put(key, columns, 16 * count + 500)
        return columns

    def within(self, start: int, end: int) -> Columns:
        """The points of ``[start, end)``. Reads no more pages than needed unless that is most of them."""
        parts = self._around(start, end)
        times, words = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
        first = kernels.bisect(times, start)
        last = kernels.bisect(times, end)
        return times[first:last], words[first:last]

    def _around(self, start: int, end: int) -> list[Columns]:
        """Columns that hold the points of ``[start, end)`` in order, and maybe others around them."""
        whole: Columns | None = self._cache.get((self.address, "points"))
        if whole is not None:
            return [whole]
        firsts = self._head.firsts()
        low = page_of(firsts, start)
        high = bisect_left(firsts, end, low + 1)
        wanted = high - low
        if wanted > _MIN_SPARSE_PAGES and 2 * wanted > len(firsts):
            return [self.points()]
        return self._pages(low, high)

    def first_from(self, time: int) -> tuple[int, int] | None:
        """The first point (time, word) at or after ``time``."""
        firsts = self._head.firsts()
        for index in range(page_of(firsts, time), len(firsts)):
            columns = self.page(index)
            at = kernels.bisect(columns[0], time)
            if at < len(columns[0]):
                return _point(columns, at)
        return None

    def last_before(self, time: int) -> tuple[int, int] | None:
        """The last point (time, word) before ``time``."""
        for index in range(page_of(self._head.firsts(), time), -1, -1):
            columns = self.page(index)
            at = kernels.bisect(columns[0], time)
            if at:
                return _point(columns, at - 1)
        return None

    def subslots(self, integer: bool) -> Piece:
        """The rows of the leaf's 256 sub-slots that hold points: made on first use, then cached."""
        key = (self.address, "subslots")
        piece: Piece | None = self._cache.get(key)
        if piece is None:
            columns: Columns | None = self._cache.get((self.address, "points"))
            piece = summarise_subslots(columns or self._read_all(), integer, self.start, self.shift)
            self._cache.put(key, piece, subslots_memory(self._head.count))
        return piece

    def page_times(self) -> list[tuple[int, int]]:
        """For each page the range ``[start, end)`` of its points; together they cover the leaf's interval.

        Points of one time may lie on both sides of a border, so there two ranges share a nanosecond.
        """
        borders = self._head.firsts()[1:]
        starts = [self.start, *borders]
        ends = [*(border + 1 for border in borders), self.start + (1 << self.shift)]
        return list(zip(starts, ends, strict=True))

    def page(self, index: int) -> Columns:
        """The points of one page."""
        whole: Columns | None = self._cache.get((self.address, "points"))
        if whole is None:
            return self._pages(index, index + 1)[0]
        start, end = self._head.starts[index : index + 2]
        return whole[0][start:end], whole[1][start:end]

    def _pages(self, low: int, high: int) -> list[Columns]:
        """Pages ``[low, high)``; those between the first and the last that is not cached in one read."""
        get, address = self._cache.get, self.address
        pages: list[Columns | None] = [get((address, low))]
        if high > low + 1:
            pages += [get((address, index)) for index in range(low + 1, high)]
        if None in pages:
            first, last = pages.index(None), high - low
            while pages[last - 1] is not None:
                last -= 1
            pages[first:last] = self._load(low + first, low + last)
        return pages  # type: ignore[return-value]  # none is None now

    def _load(self, low: int, high: int) -> list[Columns]:
        """Read pages ``[low, high)`` at once, decode and keep each."""
        head, pages = self._head, list[Columns]()
        times, values = head.times(), head.values()
        for index, first, second in zip(range(low, high), *self._read(low, high), strict=True):
            count = head.counts[index]
            page = times.read(first, count), values.read(second, count)
            self._cache.put((self.address, index), page, 16 * count + 300)
            pages.append(page)
        return pages

    def _read_run(self, first: int, count: int) -> Columns:
        """Points ``[first, first + count)`` from the pages they lie in: one read."""
        head, starts = self._head, self._head.starts
        low, high = bisect_right(starts, first) - 1, bisect_left(starts, first + count)
        times, values = self._read(low, high)
        counts, part = head.counts[low:high], (first - starts[low], first + count - starts[low])
        return head.times().read_part(times, counts, *part), head.values().read_part(values, counts, *part)

    def _read_all(self) -> Columns:
        head = self._head
        times, words = np.empty(head.count, np.int64), np.empty(head.count, np.int64)
        first, second = self._read(0, len(head.counts))
        head.times().read_all(first, head.counts, times)
        head.values().read_all(second, head.counts, words)
        return times, words

    def _read(self, low: int, high: int) -> tuple[list[bytes], list[bytes]]:
        """The bytes of times and of values of pages ``[low, high)``, proved. One read."""
        directory, fields = self._head.directory(), len(LEAF_PAGE.fields)
        sizes, crcs = (directory[1::fields], directory[2::fields]), directory[3::fields]
        start = sum(sum(column[:low]) for column in sizes)
        body = self._blocks.read_body(self.address, start, sum(sum(column[low:high]) for column in sizes))
        at, times, values = 0, list[bytes](), list[bytes]()
        for index in range(low, high):
            middle = at + sizes[0][index]
            end = middle + sizes[1][index]
            times.append(body[at:middle])
            values.append(body[middle:end])
            if end > len(body) or crc32c(values[-1], crc32c(times[-1])) != crcs[index]:
                raise damaged_leaf(self.address, f"Page {index} of the leaf", "fails its checksum")
            at = end
        return times, values


def damaged_leaf(address: Address, subject: str, what: str) -> Damaged:
    """Something about the leaf at ``address`` is not as it should be."""
    segment, offset, _, _ = address
    text = f"{subject} at byte {offset:,} of segment {segment} {what}."
    return Damaged(text, segment=segment, offset=offset)


def page_of(firsts: tuple[int, ...], time: int) -> int:
    """The page with the first point at or after ``time``, unless that begins the next page."""
    return bisect_left(firsts, time, 1) - 1
