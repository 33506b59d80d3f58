"""Arithmetic of the ranges of time that answers lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.lacking import joined
from otrdb.tree import Lost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def within(gaps: Iterable[Lost], low: int, high: int) -> list[Lost]:
    """The parts of gaps that lie in ``[low, high)``."""
    clipped = (Lost(max(start, low), min(end, high), damage) for start, end, damage in gaps)
    return [gap for gap in clipped if gap.start < gap.end]


def outside(gaps: Iterable[Lost], low: int, high: int) -> Iterator[tuple[int, int]]:
    """The parts of ``[low, high)`` between gaps."""
    for start, end in joined([(gap.start, gap.end) for gap in gaps]):
        if low < start:
            yield low, start
        low = max(low, end)
    if low < high:
        yield low, high
