"""A source that leaves out what is damaged, and remembers what that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otrdb import kernels
from otrdb.errors import Damaged

from .edit import joined
from .leaves import NO_POINTS, StoredLeaf
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .leaves import Columns
    from .nodes import Child


class Lost(NamedTuple):
    """A range ``[start, end)`` whose points an answer lacks, as ``damage`` was met where they are."""

    start: int
    end: int
    damage: Damaged


class TolerantSource(Source):
    """The blocks of ``source``, for one question that is answered from what is sound.

    What the question finds lies in no range of ``lost``, but for points that share their time with such a
    range, at the borders of pages and of a chain's blocks: these are taken out by whoever asked.
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
        if not isinstance(leaf, StoredLeaf) or leaf.count != child.count:
            self.lost(damage, start, end)
            return NO_POINTS
        parts = list(self._sound_pages(leaf, start, end))
        times, words = joined(parts) if parts else NO_POINTS
        first, last = kernels.bisect(times, start), kernels.bisect(times, end)
        return times[first:last], words[first:last]

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
