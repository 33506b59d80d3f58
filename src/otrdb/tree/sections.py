"""Leaves in sections: points that come behind those of a stored leaf are coded alone, and what is stored
stays.

A section is a leaf block that holds some of a leaf's points, those of the next section come behind them. A
block of its own, the directory, lists them; the node refers to that. Which points are in which section shows
in no answer, and is decided in `growth`. Layout: ``docs/format.md``, section "Sections".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from otrdb.errors import Damaged
from otrdb.layout import Layout

from .leaf_block import EncodedBlock
from .leaves import (
    MISCOUNTED,
    ArrayLeaf,
    Columns,
    StoredLeaf,
    damaged_leaf,
    joined,
    page_of,
    subslots_memory,
    summarise_subslots,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .nodes import Address, Piece
    from .source import Source

SECTIONS_TYPE: Final = 5

SECTIONS_HEAD: Final = Layout(
    ("start", "q", "first time of the interval"),
    ("shift", "B", "the interval is 2^shift ns wide"),
    ("sections", "B", "entries, 2 to 8"),
    ("zero", "H", ""),
)
SECTIONS_ENTRY: Final = Layout(
    ("first", "q", "time of the section's first point"),
    ("count", "I", "its points"),
    ("segment", "I", "address of its block"),
    ("offset", "I", ""),
    ("length", "I", ""),
    ("head", "I", ""),
)


class Section(NamedTuple):
    """``size`` points of a leaf, from time ``first`` on: in the block at ``address``, or still in memory."""

    first: int
    size: int
    address: Address | None
    points: ArrayLeaf | None = None

    @property
    def written(self) -> Address:
        """The address, which must be there."""
        if self.address is None:
            raise Damaged("A section of a leaf is nowhere.")
        return self.address


class SectionedLeaf:
    """A leaf in sections, in order.

    The first `kept` stay as they are when it is written; from each of ``borders`` to the next the others
    become one. Of a leaf that was written all stay.
    """

    __slots__ = (
        "_address",
        "_borders",
        "_firsts",
        "_source",
        "_starts",
        "_subslots",
        "sections",
        "shift",
        "start",
    )

    def __init__(
        self,
        source: Source,
        start: int,
        shift: int,
        sections: tuple[Section, ...],
        borders: tuple[int, ...],
        address: Address | None = None,
    ) -> None:
        self.start = start
        self.shift = shift
        self.sections = sections
        self._source = source
        self._address = address
        self._borders = borders
        self._firsts = tuple(section.first for section in sections)
        self._starts = tuple(accumulate((section.size for section in sections), initial=0))
        self._subslots: Piece | None = None

    @property
    def count(self) -> int:
        """Its points."""
        return self._starts[-1]

    @property
    def memory(self) -> int:
        """Bytes this object occupies, about."""
        held = sum(section.points.memory for section in self.sections if section.points is not None)
        return 700 + 350 * len(self.sections) + held + (18_432 if self._subslots is not None else 0)

    @property
    def kept(self) -> int:
        """How many sections are in blocks and stay there."""
        return self._borders[0]

    @property
    def stored(self) -> tuple[Section, ...]:
        """These sections."""
        return self.sections[: self.kept]

    @property
    def parts(self) -> int:
        """How many sections it has once it is written."""
        return self.kept + len(self._borders) - 1

    def unwritten(self) -> list[ArrayLeaf]:
        """What is to be coded, each for a section of its own."""
        return [self._together(low, high) for low, high in pairwise(self._borders)]

    def _together(self, low: int, high: int) -> ArrayLeaf:
        # Once they are written together nobody needs the old sections any more.
        parts = [self.leaf(at).run(0, size, size, keep=False) for at, size in self._sizes(low, high)]
        columns, last = joined(parts), self.leaf(high - 1)
        if isinstance(last, ArrayLeaf):
            return ArrayLeaf(last.start, last.shift, *columns)
        # Only what was stored: the half of time before that of the new points, unless it reaches beyond.
        behind = self.leaf(high)
        if columns[0][-1] < behind.start:
            return ArrayLeaf(behind.start - (1 << behind.shift), behind.shift, *columns)
        return ArrayLeaf(self.start, self.shift, *columns)

    def _sizes(self, low: int, high: int) -> list[tuple[int, int]]:
        return [(at, self.sections[at].size) for at in range(low, high)]

    def written(self, addresses: Sequence[Address]) -> tuple[Section, ...]:
        """All sections, once those that are `unwritten` are in blocks."""
        made = [
            Section(self._firsts[low], self._starts[high] - self._starts[low], address)
            for (low, high), address in zip(pairwise(self._borders), addresses, strict=True)
        ]
        return *self.stored, *made

    def section_times(self) -> list[tuple[int, int]]:
        """For each section the range ``[start, end)`` of its points; together they cover the leaf's interval.

        Points of one time may lie on both sides of a border, so there two ranges share a nanosecond.
        """
        borders = self._firsts[1:]
        starts = [self.start, *borders]
        ends = [*(border + 1 for border in borders), self.start + (1 << self.shift)]
        return list(zip(starts, ends, strict=True))

    def leaf(self, at: int) -> ArrayLeaf | StoredLeaf:
        """The points of one section."""
        section = self.sections[at]
        if section.points is not None:
            return section.points
        return self._source.leaf_at(section.written)

    def points(self) -> Columns:
        """All points."""
        return joined([self.leaf(at).points() for at in range(len(self.sections))])

    def run(self, first: int, count: int, total: int, *, keep: bool = True) -> Columns:
        """``count`` points from the one of index ``first`` on; ``total`` is the number of all, as the node
        says. What is read for them is cached, if it is to be kept.
        """
        if total != self.count:
            raise self._miscounted()
        end, parts = first + count, list[Columns]()
        for at in range(bisect_right(self._starts, first) - 1, bisect_left(self._starts, end)):
            begin, size = self._starts[at], self.sections[at].size
            low, high = max(first - begin, 0), min(end - begin, size)
            parts.append(self.leaf(at).run(low, high - low, size, keep=keep))
        return joined(parts)

    def within(self, start: int, end: int) -> Columns:
        """The points of ``[start, end)``, of each section as few pages as may be."""
        low = page_of(self._firsts, start)
        high = bisect_left(self._firsts, end, low + 1)
        return joined([self.leaf(at).within(start, end) for at in range(low, high)])

    def first_from(self, time: int) -> tuple[int, int] | None:
        """The first point (time, word) at or after ``time``."""
        for at in range(page_of(self._firsts, time), len(self.sections)):
            found = self.leaf(at).first_from(time)
            if found is not None:
                return found
        return None

    def last_before(self, time: int) -> tuple[int, int] | None:
        """The last point (time, word) before ``time``."""
        for at in range(page_of(self._firsts, time), -1, -1):
            found = self.leaf(at).last_before(time)
            if found is not None:
                return found
        return None

    def subslots(self, integer: bool) -> Piece:
        """The rows of the leaf's 256 sub-slots that hold points: made on first use, then cached."""
        cache, key = self._source.cache, (self._address, "subslots")
        piece: Piece | None = self._subslots if self._address is None else cache.get(key)
        if piece is None:
            piece = summarise_subslots(self.points(), integer, self.start, self.shift)
            if self._address is None:
                self._subslots = piece
            else:
                cache.put(key, piece, subslots_memory(self.count))
        return piece

    def _miscounted(self) -> Damaged:
        if self._address is None:
            return Damaged(f"A leaf {MISCOUNTED}.")
        return damaged_leaf(self._address, "The leaf", MISCOUNTED)


Leaf: TypeAlias = ArrayLeaf | StoredLeaf | SectionedLeaf


def encode_sections(leaf: SectionedLeaf, sections: Sequence[Section]) -> EncodedBlock:
    """The directory's bytes, once all ``sections`` are in blocks."""
    head = SECTIONS_HEAD.pack(leaf.start, leaf.shift, len(sections), 0)
    entries = [SECTIONS_ENTRY.pack(section.first, section.size, *section.written) for section in sections]
    return EncodedBlock(SECTIONS_TYPE, head + b"".join(entries), [])


def decode_sections(source: Source, address: Address, block: bytes) -> SectionedLeaf:
    """Read a directory, whose checksum the storage layer has proved."""
    start, shift, number, _ = SECTIONS_HEAD.unpack_from(block)
    if not number or len(block) != SECTIONS_HEAD.size + number * SECTIONS_ENTRY.size:
        raise Damaged("A leaf's directory does not have the length its head gives it.")
    sections = tuple(_entry(block, at) for at in range(number))
    return SectionedLeaf(source, start, shift, sections, (number,), address)


def _entry(block: bytes, at: int) -> Section:
    first, count, *address = SECTIONS_ENTRY.unpack_from(block, SECTIONS_HEAD.size + at * SECTIONS_ENTRY.size)
    return Section(first, count, tuple(address))


def section_addresses(leaf: SectionedLeaf) -> list[Address]:
    """The addresses of the sections that are in blocks and stay there."""
    return [section.written for section in leaf.stored]
