"""How leaves grow: which of their sections stay when points come behind them, and what is coded anew.

Three rules, all by numbers of points alone. A section goes with what is written behind it unless it is the
larger of the two, so a point is coded a few times only, however small the commits are. A leaf behind which
points have come is one block again, since it is rather read than written from then on. And a
leaf that will have to be divided in halves is divided there already when it is written.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb import kernels

from .geometry import LEAF_CAPACITY, LEVEL_SHIFT
from .leaves import ArrayLeaf, Columns, StoredLeaf, joined
from .nodes import EMPTY_SLOTS
from .sections import Leaf, Section, SectionedLeaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .leaves import Words
    from .nodes import Address
    from .source import Source

MOST_SECTIONS: Final = 8
"""Of a leaf to which more points are likely to come."""

MOST_WHEN_FULL: Final = 1
"""Of a leaf behind which points have come already: it is rather read than written from then on."""

LARGE: Final = 4_096
"""Points of a section that is not coded again for the sake of fewer sections."""


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
    """How a leaf is written: how many of its sections stay, and if the other points are divided, log2 of the
    width of the halves of time they are divided by.
    """

    kept: int
    shift: int = 0


def _planned(start: int, stored: Sequence[Section], times: Words, *, full: bool) -> _Plan:
    """A leaf that will have to be divided in halves, since the first holds more than half of what a leaf may,
    is divided there already: nothing is coded again when that happens.
    """
    sizes, new = [section.size for section in stored], len(times)
    first = stored[0].first if stored else int(times[0])
    middle = None if full else middle_of(start, first, int(times[-1]))
    if middle is None:
        return _Plan(kept_sections(sizes, new, MOST_WHEN_FULL if full else MOST_SECTIONS))
    before = sum(section.first < middle[0] for section in stored)
    cut = kernels.bisect(times, middle[0])
    if sum(sizes[:before]) + cut <= LEAF_CAPACITY // 2:
        return _Plan(kept_sections(sizes, new, MOST_SECTIONS))
    if cut:
        return _Plan(kept_sections(sizes, cut, MOST_WHEN_FULL), middle[1])
    if before == len(stored) > MOST_WHEN_FULL:
        return _Plan(kept_sections(sizes[:-1], sizes[-1], MOST_WHEN_FULL), middle[1])
    before = min(before, MOST_SECTIONS - 1)
    return _Plan(before + kept_sections(sizes[before:], new, MOST_SECTIONS - before))


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
    stay = sum(sizes[: plan.kept])
    rest = columns[0][stay:], columns[1][stay:]
    return _sectioned(source, start, shift, stored[: plan.kept], rest, plan)


def _sectioned(
    source: Source, start: int, shift: int, stored: Sequence[Section], columns: Columns, plan: _Plan
) -> SectionedLeaf:
    """A leaf of ``stored`` sections and ``columns`` behind them, to be written as planned."""
    times, words = columns
    cut, end = len(times), len(stored)
    if not plan.shift:
        parts = [ArrayLeaf(start, shift, times, words)]
    else:
        middle = start + ((int(times[-1]) - start) >> plan.shift << plan.shift)
        cut = kernels.bisect(times, middle)
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
