"""Leaves in sections: points that come behind those of a stored leaf are coded alone, and what is stored
stays.

A section is a leaf block that holds some of a leaf's points, those of the next section come behind them. A
block of its own, the directory, lists them; the node refers to that. Which points are in which section shows
in no answer. Layout: ``docs/format.md``, section "Sections".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from otrdb import kernels
from otrdb.errors import Damaged
from otrdb.layout import Layout

from .geometry import LEAF_CAPACITY, LEVEL_SHIFT
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
    subslots_of,
)
from .nodes import EMPTY_SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .leaves import Words
    from .nodes import Address, Piece
    from .source import Source

SECTIONS_TYPE: Final = 5

MOST_SECTIONS: Final = 8
"""Of a leaf to which more points are likely to come."""

MOST_WHEN_FULL: Final = 2
"""Of a leaf behind which points have come already: it is rather read than written from then on."""

LARGE: Final = 4_096
"""Points of a section that is not coded again for the sake of fewer sections."""

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
        last = self.leaf(high - 1)
        parts = [self.leaf(at).points() for at in range(low, high)]
        return ArrayLeaf(last.start, last.shift, *joined(parts))

    def written(self, addresses: Sequence[Address]) -> tuple[Section, ...]:
        """All sections, once those that are `unwritten` are in blocks."""
        made = [
            Section(self._firsts[low], self._starts[high] - self._starts[low], address)
            for (low, high), address in zip(pairwise(self._borders), addresses, strict=True)
        ]
        return *self.stored, *made

    def leaf(self, at: int) -> ArrayLeaf | StoredLeaf:
        """The points of one section."""
        section = self.sections[at]
        if section.points is not None:
            return section.points
        return self._source.leaf_at(section.written)

    def points(self) -> Columns:
        """All points."""
        return joined([self.leaf(at).points() for at in range(len(self.sections))])

    def run(self, first: int, count: int, total: int) -> Columns:
        """``count`` points from the one of index ``first`` on; ``total`` is the number of all, as the node
        says.
        """
        if total != self.count:
            raise self._miscounted()
        end, parts = first + count, list[Columns]()
        for at in range(bisect_right(self._starts, first) - 1, bisect_left(self._starts, end)):
            begin, size = self._starts[at], self.sections[at].size
            low, high = max(first - begin, 0), min(end - begin, size)
            parts.append(self.leaf(at).run(low, high - low, size))
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
            piece = subslots_of(self.points(), integer, self.start, self.shift)
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


def kept_sections(sizes: Sequence[int], new: int, most: int) -> int:
    """How many of the sections of so many points stay as they are when ``new`` points come behind them, so
    that there are at most ``most`` sections then; the others are coded anew together with the new points.

    A section that is not larger than what is written behind it goes with it, so sizes fall from one section
    to the next and every point is coded a few times only, however small the commits are.

    Example:
        >>> kept_sections([4_096, 1_000, 250], new=250, most=8)
        2
        >>> kept_sections([6_000, 3_000], new=9, most=2)
        1
    """
    kept = len(sizes)
    while kept and (kept >= most or sizes[kept - 1] <= min(new, LARGE - 1)):
        kept -= 1
        new += sizes[kept]
    return kept


def middle_of(start: int, first: int, last: int) -> tuple[int, int] | None:
    """Where the points from ``first`` to ``last`` of a leaf that begins at ``start`` are divided first if it
    has to be, and log2 of the width of either half; None if it never is.

    Example:
        >>> middle_of(0, first=3, last=40), middle_of(0, first=33, last=40)
        ((32, 5), None)
    """
    shift = ((first - start) ^ (last - start)).bit_length() - 1
    return (start + ((last - start) >> shift << shift), shift) if shift >= LEVEL_SHIFT else None


class _Plan(NamedTuple):
    """How a leaf is written: how many of its sections stay, how many of the new points go with the others,
    and if they are not all of them, log2 of the width of the halves of time they are divided by.
    """

    kept: int
    cut: int
    shift: int = 0


def _planned(start: int, stored: Sequence[Section], times: Words, *, full: bool) -> _Plan:
    """A leaf that will have to be divided in halves, since the first holds more than half of what a leaf may,
    is divided there already: nothing is coded again when that happens.
    """
    sizes, new = [section.size for section in stored], len(times)
    first = stored[0].first if stored else int(times[0])
    middle = None if full else middle_of(start, first, int(times[-1]))
    if middle is None:
        return _Plan(kept_sections(sizes, new, MOST_WHEN_FULL if full else MOST_SECTIONS), new)
    before = sum(section.first < middle[0] for section in stored)
    cut = kernels.bisect(times, middle[0])
    if sum(sizes[:before]) + cut <= LEAF_CAPACITY // 2:
        return _Plan(kept_sections(sizes, new, MOST_SECTIONS), new)
    if cut:
        return _Plan(kept_sections(sizes, cut, MOST_WHEN_FULL), cut, middle[1])
    if before == len(stored) > MOST_WHEN_FULL:
        return _Plan(kept_sections(sizes[:-1], sizes[-1], MOST_WHEN_FULL), 0, middle[1])
    before = min(before, MOST_SECTIONS - 1)
    return _Plan(before + kept_sections(sizes[before:], new, MOST_SECTIONS - before), new)


def appended(
    leaf: StoredLeaf | SectionedLeaf, source: Source, columns: Columns, *, full: bool
) -> SectionedLeaf:
    """The leaf with ``columns`` behind its points. A ``full`` one is not expected to get more."""
    stored = stored_sections(leaf)
    if isinstance(leaf, SectionedLeaf):
        stored = tuple(section for section in leaf.sections if section.address is not None)
        columns = joined([*(section.points.points() for section in leaf.sections if section.points), columns])
    plan = _planned(leaf.start, stored, columns[0], full=full)
    if isinstance(leaf, SectionedLeaf) and leaf.kept < plan.kept:
        plan = plan._replace(kept=leaf.kept)
    return _sectioned(source, leaf.start, leaf.shift, stored, columns, plan)


class Stored:
    """The sections of a leaf that is divided or grows into nodes, until a new leaf takes them."""

    def __init__(self, sections: Sequence[Section], times: Words) -> None:
        ends = accumulate(section.size for section in sections)
        self._sections = [(section, int(times[end - 1])) for section, end in zip(sections, ends, strict=True)]

    def within(self, start: int, end: int) -> tuple[Section, ...]:
        """Those that hold the first points of ``[start, end)``, and no others."""
        inside = tuple(each for each in self._sections if each[0].first < end and each[1] >= start)
        if inside and (inside[0][0].first < start):
            return ()
        return tuple(section for section, last in inside if last < end)

    def take(self, sections: Sequence[Section]) -> None:
        """These are part of a leaf again."""
        self._sections = [each for each in self._sections if each[0] not in sections]

    def left(self) -> list[Address]:
        """The blocks of those that nobody took."""
        return [section.address for section, _ in self._sections if section.address is not None]


NONE_STORED: Final = Stored((), EMPTY_SLOTS)


def made_leaf(
    source: Source, start: int, shift: int, stored: Sequence[Section], columns: Columns, *, full: bool
) -> Leaf:
    """A leaf of ``columns``, of which the first are in blocks already; one of them, if that is all of it."""
    if len(stored) == 1 and stored[0].size == len(columns[0]):
        leaf = source.leaf_at(stored[0].written)
        if (leaf.start, leaf.shift) == (start, shift):
            return leaf
        stored = ()
    made = _divided(source, start, shift, stored, columns, full=full)
    return made if made.parts > 1 else made.unwritten()[0]


def _divided(
    source: Source, start: int, shift: int, stored: Sequence[Section], columns: Columns, *, full: bool
) -> SectionedLeaf:
    """A leaf of ``columns``, of which the first are in blocks already: those that are worth it stay there."""
    sizes = [section.size for section in stored]
    if sum(sizes) == len(columns[0]):
        if len(sizes) <= (MOST_WHEN_FULL if full else MOST_SECTIONS):
            return SectionedLeaf(source, start, shift, tuple(stored), (len(sizes),))
        stored, sizes = stored[:-1], sizes[:-1]
    new = columns[0][sum(sizes) :]
    plan = _planned(start, stored, new, full=full)
    again, stay = sum(sizes[plan.kept :]), sum(sizes[: plan.kept])
    rest = columns[0][stay:], columns[1][stay:]
    return _sectioned(source, start, shift, stored[: plan.kept], rest, plan._replace(cut=again + plan.cut))


def _sectioned(
    source: Source, start: int, shift: int, stored: Sequence[Section], columns: Columns, plan: _Plan
) -> SectionedLeaf:
    """A leaf of ``stored`` sections and ``columns`` behind them, to be written as planned."""
    times, words = columns
    cut, end = plan.cut, len(stored)
    if cut == len(times):
        parts = [ArrayLeaf(start, shift, times, words)]
    else:
        middle = start + ((int(times[-1]) - start) >> plan.shift << plan.shift)
        parts = [ArrayLeaf(middle, plan.shift, times[cut:], words[cut:])]
        if cut:
            before = middle - (1 << plan.shift)
            parts.insert(0, ArrayLeaf(before, plan.shift, times[:cut], words[:cut]))
    new = [Section(int(part.times[0]), len(part.times), None, part) for part in parts]
    borders = range(end + (cut > 0), end + len(new) + 1)
    return SectionedLeaf(source, start, shift, (*stored, *new), (plan.kept, *borders))


def stored_sections(leaf: Leaf) -> tuple[Section, ...]:
    """The sections of a leaf that are in blocks and stay there if only more points come."""
    if isinstance(leaf, StoredLeaf):
        return (Section(leaf.first, leaf.count, leaf.address),)
    return leaf.stored if isinstance(leaf, SectionedLeaf) else ()


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
