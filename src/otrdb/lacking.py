"""Ranges of time that answers lack, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.results import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterable


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges, ascending, those that touch or overlap as one."""
    found = list[tuple[int, int]]()
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def merged(left_out: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """What answers lack, ascending: ranges of the same damage that touch as one, none within another."""
    same, wide, found = dict[str, list[LeftOut]](), list[LeftOut](), list[LeftOut]()
    for gap in left_out:
        same.setdefault(gap.message, []).append(gap)
    for gaps in same.values():
        ranges = joined((gap.start, gap.end) for gap in gaps)
        wide += [gaps[0]._replace(start=start, end=end) for start, end in ranges]
    for gap in sorted(wide, key=lambda gap: (gap.start, -gap.end)):
        if not found or gap.end > found[-1].end:
            found.append(gap)
    return tuple(found)
