"""The grid every tree lies on, and the constants that fix its shape.

Time is cut in aligned dyadic intervals counted from ``MIN_TIME``. A node of pointwidth ``p`` covers ``2**(p +
8)`` ns in 256 slots of ``2**p`` ns; its child ``i`` covers slots ``16 i .. 16 i + 15``, so the pointwidths of
the levels are 56, 52, ..., 4, 0. The root (56) is wider than time itself: time fills its children 0 to 3.
``docs/design.md`` tells how the constants were chosen.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Final

SLOTS: Final = 256
CHILDREN: Final = 16
SLOTS_PER_CHILD: Final = SLOTS // CHILDREN
LEVEL_SHIFT: Final = 4
"""Each level is 2**4 times finer than the one above it."""

ROOT_POINTWIDTH: Final = 56
ROOT_SPAN: Final = 4
"""Children of the root that time fills; the only interval a leaf of the root may cover at most."""

HALF_SPAN: Final = CHILDREN // 2
"""The widest interval, in children, of a leaf below the root: a leaf over all 16 would replace the node."""

LEAF_CAPACITY: Final = 16_384
PAGE_POINTS: Final = 1_024
LEAF_ROWS_SHIFT: Final = 5
"""A leaf puts at most 2**5 rows in its node: a row never stands for less than 1/32 of a leaf's interval."""

SUBSLOTS_SHIFT: Final = 8
"""A leaf is summarised on demand in 2**8 sub-slots."""


def child_shift(pointwidth: int) -> int:
    """Log2 of the width of one child of a node of ``pointwidth``."""
    return pointwidth + LEVEL_SHIFT


def interval_shift(pointwidth: int, span: int) -> int:
    """Log2 of the width of ``span`` children (a power of two) of a node of ``pointwidth``."""
    return pointwidth + LEVEL_SHIFT + span.bit_length() - 1


def row_shift(pointwidth: int, span: int) -> int:
    """Log2 of the time one stored row of a leaf over ``span`` children stands for."""
    return max(pointwidth, interval_shift(pointwidth, span) - LEAF_ROWS_SHIFT)


def subslot_shift(shift: int) -> int:
    """Log2 of the width of a sub-slot in a leaf of width ``2**shift``."""
    return max(shift - SUBSLOTS_SHIFT, 0)


def top_spans(pointwidth: int) -> tuple[tuple[int, int], ...]:
    """The widest intervals (first child, span) a leaf of such a node may cover; together the whole node."""
    if pointwidth == ROOT_POINTWIDTH:
        return ((0, ROOT_SPAN),)
    return ((0, HALF_SPAN), (HALF_SPAN, HALF_SPAN))


@lru_cache(maxsize=1_024)
def page_counts(count: int) -> tuple[int, ...]:
    """How many points each page of a leaf of ``count`` points holds: as few pages as fit, as equal as
    possible.
    """
    pages = -(-count // PAGE_POINTS)
    size, larger = divmod(count, pages)
    return (size + 1,) * larger + (size,) * (pages - larger)


@lru_cache(maxsize=1_024)
def page_starts(count: int) -> tuple[int, ...]:
    """The index of the first point of each page of a leaf of ``count`` points, and ``count`` at the end."""
    return tuple(accumulate(page_counts(count), initial=0))
