# Types of compiled.py for type checkers, which cannot read C types; documentation is there.

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Int64s: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.int64]

def summarise(
    times: Int64s,
    words: Words,
    integer: bool,
    origin: int,
    shift: int,
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int: ...
def fold(
    slots: Int64s,
    rows: Rows,
    integer: bool,
    offset: int,
    shift: int,
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int: ...
def cut_rows(
    starts: Int64s, ends: Int64s, rows: Rows, edges: Int64s, start: int, end: int, cuts_out: Int64s
) -> tuple[int, int, int]: ...
def fold_edges(
    starts: Int64s,
    rows: Rows,
    first: int,
    last: int,
    integer: bool,
    edges: Int64s,
    cuts: Int64s,
    parts: list[tuple[Int64s, Words]],
    slots_out: Int64s,
    rows_out: Rows,
    filled: int,
) -> int: ...
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
) -> None: ...
def merge_runs(
    times_a: Int64s,
    words_a: Words,
    times_b: Int64s,
    words_b: Words,
    policy: int,
    integer: bool,
    times_out: Int64s,
    words_out: Words,
) -> int: ...
def check_points(
    times: Int64s, words: Words, is_float: bool, low: int, high: int
) -> tuple[bool, int, int]: ...
def bisect(times: Int64s, t: int) -> int: ...
