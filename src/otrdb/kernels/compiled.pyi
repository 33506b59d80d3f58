"""What the compiled functions take, do and promise.

Arrays are C-contiguous; inputs may be read-only, outputs must not overlap them. ``Words`` are value words: the bits
of a float64, the integer itself, or 0 and 1. ``Rows`` are summary rows of eight words::

    0 count   1 min   2 max   3 first   4 last   5 m2   6 mean, or low word of the sum   7 zero, or high word of the sum

An array of another type, shape or length, or an output without enough room, raises ValueError; what was written to
outputs by then is undefined. The GIL is released for calls of 20,000 points or rows and more.
"""

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Words = NDArray[np.int64]
Rows = NDArray[np.int64]

def summarise(
    times: Int64s,
    words: Words,
    integer: bool,
    origin: int,
    shift: int,
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int:
    """Appends one row per group of consecutive points with equal ``(t - origin) >> shift``; returns the new count.

    ``times`` ascend and ``t - origin`` fits int64; ``shift`` is 0..63. Rows before ``filled`` stay as they are, also
    if the last one has the first group's slot.
    """

def summarise_edges(
    times: Int64s,
    words: Words,
    integer: bool,
    edges: Int64s,
    index0: int,
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int:
    """`summarise` for the windows ``[edges[j], edges[j + 1])``, of slot ``index0 + j``; returns the new count.

    ``edges`` ascend strictly. Points outside all windows are ignored, empty windows give no row.
    """

def fold(
    slots: Int64s,
    rows: Rows,
    integer: bool,
    offset: int,
    shift: int,
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int:
    """Merges rows of ascending ``slots`` whose ``(slot + offset) >> shift`` is equal; returns the new count.

    Rows merge left to right, the first ones into the last row before ``filled`` if that has the same slot: so an
    answer can be folded from several pieces.
    """

def fold_edges(
    starts: Int64s,
    rows: Rows,
    integer: bool,
    edges: Int64s,
    index0: int,
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int:
    """`fold` where the slot of a row is ``index0 + j`` with ``edges[j] <= start < edges[j + 1]``.

    ``starts`` and ``edges`` ascend, ``edges`` strictly. Rows outside all windows are ignored.
    """

def columns(
    rows: Rows,
    integer: bool,
    min_out: Words,
    max_out: Words,
    first_out: Words,
    last_out: Words,
    mean_out: NDArray[np.float64],
    stddev_out: NDArray[np.float64],
    count_out: NDArray[np.uint64],
) -> None:
    """Splits n rows into columns of length n: mean and population standard deviation as true doubles.

    ``min <= mean <= max`` (of integers: as doubles) and ``stddev <= (max - min) / 2`` hold for every row.
    """

def merge_runs(
    times_a: Int64s,
    words_a: Words,
    times_b: Int64s,
    words_b: Words,
    policy: int,
    integer: bool,
    times_out: Int64s,
    words_out: Words,
) -> int:
    """Merges stored points a and new points b, both ascending, b's equal times in order of arrival; returns the length.

    The outputs need room for both. ``policy`` says what happens at a time that b has points for: 0 (never) keeps
    those of a, then all of b; 1 (equal) keeps those of a, then each of b whose value is new at that time, -0.0 and 0.0
    being equal; 2 (retain) keeps those of a, or else the first of b; 3 (replace) keeps the last of b. Points of a at
    other times are kept as they are, duplicates too.

    Raises MemoryError if policy 1 lacks 16 bytes for each of the points at one time.
    """

def check_points(times: Int64s, words: Words, is_float: bool, low: int, high: int) -> tuple[bool, int, int]:
    """Whether ``times`` ascend, the first index of one outside ``[low, high]`` or -1, of a NaN or infinity or -1."""

def bisect(times: Int64s, t: int) -> int:
    """The index of the first of the ascending ``times`` that is ``>= t``; their number if there is none."""
