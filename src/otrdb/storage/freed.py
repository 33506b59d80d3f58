"""Which segments have been given back, and which groups were in them: a gap that is no loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.storage.records import SegmentsFreed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Freed:
    """Ranges of segments that were given back, ascending; neighbours are one range.

    Example:
        >>> freed = Freed([SegmentsFreed(1, 1, 1, 9, 5, 70), SegmentsFreed(2, 2, 10, 12, 6, 80)])
        >>> list(freed)
        [SegmentsFreed(first=1, last=2, first_group=1, last_group=12, streams=6, lsn=80)]
        >>> freed.without(5, 20), 2 in freed, 3 in freed
        ([(13, 20)], True, False)
    """

    def __init__(self, ranges: Iterable[SegmentsFreed] = ()) -> None:
        self._ranges: list[SegmentsFreed] = []
        for each in ranges:
            self.add(each)

    def __iter__(self) -> Iterator[SegmentsFreed]:
        return iter(self._ranges)

    def __contains__(self, segment: int) -> bool:
        return any(each.first <= segment <= each.last for each in self._ranges)

    def had(self, group: int) -> bool:
        """Whether a group was in one of them."""
        return any(each.first_group <= group <= each.last_group for each in self._ranges)

    @property
    def last_group(self) -> int:
        """Sequence of the newest group that was in any of them; 0 for none."""
        return max((each.last_group for each in self._ranges), default=0)

    def add(self, freed: SegmentsFreed) -> None:
        """More segments were given back, or the same are named again."""
        merged: list[SegmentsFreed] = []
        for each in sorted([*self._ranges, freed], key=lambda each: (each.first, -each.last)):
            if merged and _follows(merged[-1], each):
                merged[-1] = _joined(merged[-1], each)
            else:
                merged.append(each)
        self._ranges = merged

    def without(self, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of the groups ``first`` to ``last``, both included, that were not in these segments."""
        parts = []
        for each in self._ranges:
            if each.first_group > first and first <= last:
                parts.append((first, min(last, each.first_group - 1)))
            first = max(first, each.last_group + 1)
        return [*parts, (first, last)] if first <= last else parts


def _follows(before: SegmentsFreed, after: SegmentsFreed) -> bool:
    """Whether there is nothing between the two, or ``after`` is a part of ``before``."""
    return after.first <= before.last + 1 and after.first_group <= before.last_group + 1


def _joined(before: SegmentsFreed, after: SegmentsFreed) -> SegmentsFreed:
    return SegmentsFreed(
        before.first,
        max(before.last, after.last),
        before.first_group,
        max(before.last_group, after.last_group),
        max(before.streams, after.streams),
        max(before.lsn, after.lsn),
    )
