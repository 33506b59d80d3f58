"""A source that leaves out what is damaged, and remembers what that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otrdb import kernels
from otrdb.errors import Damaged

from .leaves import NO_POINTS, ArrayLeaf, StoredLeaf, joined
from .sections import SectionedLeaf
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .leaves import Columns
    from .nodes import Child
    from .sections import Leaf


class Lost(NamedTuple):
    """A range ``[start, end)`` whose points an answer lacks, as ``damage`` was met where they are."""

    start: int
    end: int
    damage: Damaged


class TolerantSource(Source):
    """The blocks of ``source``, for one question that is answered from what is sound.

    What the question finds lies in no range of ``lost``, but for points that share their time with such a
    range, at the borders of pages, of sections and of a chain's blocks: these are taken out by whoever asked.
    """

    __slots__ = ("ranges",)

    def __init__(self, source: Source) -> None:
        super().__init__(source.kind, source.blocks, source.cache)
        self.ranges: list[Lost] = []

    def lost(self, damage: Damaged, start: int, end: int) -> None:
        """The answer does without ``[start, end)``."""
        self.ranges.append(Lost(start, end, damage))

    def salvaged(self, child: Child, damage: Damaged, start: int, end: int) -> Columns:
        """The points of ``[start, end)`` in the leaf's sound pages."""
        try:
            leaf = self.leaf(child)
        except Damaged:
            leaf = None
        if isinstance(leaf, SectionedLeaf) and leaf.count == child.count:
            parts = list(self._sound_sections(leaf, damage, start, end))
        else:
            parts = list(self._sound_part(leaf, child.count, damage, start, end))
        return joined(parts) if parts else NO_POINTS

    def _sound_sections(
        self, leaf: SectionedLeaf, damage: Damaged, start: int, end: int
    ) -> Iterator[Columns]:
        for at, (low, high) in enumerate(leaf.section_times()):
            if low < end and high > start:
                part: Leaf | None
                try:
                    part = leaf.leaf(at)
                except Damaged as met:
                    part, damage = None, met
                size = leaf.sections[at].size
                yield from self._sound_part(part, size, damage, max(low, start), min(high, end))

    def _sound_part(
        self, leaf: Leaf | None, count: int, damage: Damaged, start: int, end: int
    ) -> Iterator[Columns]:
        """What is sound of ``[start, end)`` in a block that should have ``count`` points, or in memory."""
        if isinstance(leaf, ArrayLeaf):
            yield leaf.within(start, end)
        elif not isinstance(leaf, StoredLeaf) or leaf.count != count:
            self.lost(damage, start, end)
        else:
            for times, words in self._sound_pages(leaf, start, end):
                first, last = kernels.bisect(times, start), kernels.bisect(times, end)
                yield times[first:last], words[first:last]

    def _sound_pages(self, leaf: StoredLeaf, start: int, end: int) -> Iterator[Columns]:
        """The pages that meet ``[start, end)`` and are sound."""
        for index, (low, high) in enumerate(leaf.page_times()):
            if low < end and high > start:
                try:
                    page = leaf.page(index)
                except Damaged as damage:
                    self.lost(damage, max(low, start), min(high, end))
                else:
                    yield page
