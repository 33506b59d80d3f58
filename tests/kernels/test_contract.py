"""What the kernels refuse, ignore and leave alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from otrdb import kernels
from tests.kernels.strategies import MAX_TIME, MIN_TIME, Int64s, int64s


def words_of(*values: float) -> Int64s:
    return np.array(values, dtype=np.float64).view(np.int64)


def output(room: int) -> tuple[Int64s, Int64s]:
    return np.zeros(room, np.int64), np.zeros((room, 8), np.int64)


TIMES, ROWS = np.arange(4), np.ones((4, 8), np.int64)


def fold_edges(
    starts: Int64s,
    rows: tuple[int, int] = (0, 4),
    cuts: tuple[int, ...] = (1, 0, 4, 1),
    part: tuple[Int64s, Int64s] = (TIMES, TIMES),
    edges: Int64s = TIMES,
    out: int = 4,
) -> int:
    """The kernel with one cut row, whose points the test may choose."""
    return kernels.fold_edges(starts, ROWS, *rows, True, edges, int64s(cuts), [part], *output(out), 0)


# Each kernel, called with good arguments but for the first array, which is the test's.
CALLS: dict[str, Callable[[Any], object]] = {
    "summarise": lambda array: kernels.summarise(array, TIMES, True, 0, 0, *output(4), 0),
    "fold": lambda array: kernels.fold(array, ROWS, True, 0, 0, *output(4), 0),
    "cut_rows": lambda array: kernels.cut_rows(array, TIMES + 1, ROWS, TIMES, 0, 4, np.empty(16, np.int64)),
    "fold_edges": lambda array: fold_edges(array),
    "points of cut rows": lambda array: fold_edges(TIMES, part=(array, TIMES)),
    "merge_runs": lambda array: kernels.merge_runs(
        array, TIMES, TIMES, TIMES, 0, True, *(np.zeros(8, np.int64),) * 2
    ),
    "check_points": lambda array: kernels.check_points(array, TIMES, False, 0, 9),
    "bisect": lambda array: kernels.bisect(array, 2),
}
kernel = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@kernel
def test_read_only_input_is_fine(call: Callable[[Any], object]) -> None:
    array = np.arange(4)
    array.flags.writeable = False
    call(array)


@kernel
@pytest.mark.parametrize(
    "array",
    [
        np.arange(4.0),
        np.arange(4, dtype=np.uint64),
        np.arange(4, dtype=np.int32),
        np.arange(4, dtype=">i8"),
        np.arange(8)[::2],
        np.zeros((4, 1), np.int64),
        np.zeros((4, 8), np.int64),
    ],
    ids=["float64", "uint64", "int32", "big-endian", "strided", "two-dimensional", "rows"],
)
def test_another_array_is_refused(call: Callable[[Any], object], array: object) -> None:
    with pytest.raises(ValueError, match=r"not of the documented type|not C-contiguous"):
        call(array)


@kernel
def test_what_is_no_array_is_refused(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        call([0, 1, 2, 3])


@pytest.mark.parametrize("name", [name for name in CALLS if name != "bisect"])
def test_arrays_of_other_length_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="differ in length"):
        CALLS[name](np.arange(3))


def test_rows_of_other_width_are_refused() -> None:
    with pytest.raises(ValueError, match="8 words"):
        kernels.fold(TIMES, np.ones((4, 7), np.int64), True, 0, 0, *output(4), 0)


def test_read_only_output_is_refused() -> None:
    slots, rows = output(4)
    rows.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernels.summarise(TIMES, TIMES, True, 0, 0, slots, rows, 0)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_nothing_is_written_past_a_small_output(room: int) -> None:
    slots, rows = output(4)
    small, edges = (slots[:room], rows[:room], 0), np.arange(5)
    with pytest.raises(ValueError, match="too small"):
        kernels.summarise(TIMES, TIMES, True, 0, 0, *small)
    with pytest.raises(ValueError, match="too small"):
        kernels.fold(TIMES, ROWS, True, 0, 0, *small)
    with pytest.raises(ValueError, match="too small"):
        kernels.fold_edges(TIMES, ROWS, 0, 4, True, edges, TIMES[:0], [], *small)
    assert not slots[room:].any()
    assert not rows[room:].any()


def test_merge_wants_room_for_both_runs() -> None:
    out = np.zeros(7, np.int64)
    with pytest.raises(ValueError, match="too small"):
        kernels.merge_runs(TIMES, TIMES, TIMES, TIMES, 3, True, out, out.copy())
    assert not out.any()


def test_cut_rows_wants_room_for_all() -> None:
    with pytest.raises(ValueError, match="too small"):
        kernels.cut_rows(TIMES, TIMES + 1, ROWS, TIMES, 0, 4, np.empty(15, np.int64))


@pytest.mark.parametrize("rows", [(-1, 4), (0, 5), (3, 2)])
def test_the_rows_to_fold_must_be_there(rows: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="range of the rows"):
        fold_edges(TIMES, rows)


@pytest.mark.parametrize("row", [-1, 0, 3, 4])
def test_cuts_must_be_among_the_rows(row: int) -> None:
    with pytest.raises(ValueError, match="within the rows"):
        fold_edges(TIMES, (1, 3), (row, 0, 4, row))


def test_cut_rows_wants_a_summary_for_each_row() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        kernels.cut_rows(TIMES, TIMES + 1, ROWS[:3], TIMES, 0, 4, np.empty(16, np.int64))


@pytest.mark.parametrize("cuts", [(), (1, 0, 4), (1, 0, 4, 1, 2)])
def test_each_cut_has_four_words(cuts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="four words"):
        fold_edges(TIMES, cuts=cuts)


@pytest.mark.parametrize("part", [None, TIMES, (TIMES,), (TIMES, None), (TIMES, TIMES[:3])])
def test_parts_must_be_pairs_of_columns(part: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        fold_edges(TIMES, part=part)


@pytest.mark.parametrize("filled", [-1, 5])
def test_filled_must_be_within_the_output(filled: int) -> None:
    with pytest.raises(ValueError, match="filled"):
        kernels.summarise(TIMES, TIMES, True, 0, 0, *output(4), filled)


@pytest.mark.parametrize("shift", [-1, 64])
def test_shift_must_be_below_64(shift: int) -> None:
    with pytest.raises(ValueError, match="shift"):
        kernels.fold(TIMES, ROWS, True, 0, shift, *output(4), 0)


@pytest.mark.parametrize("policy", [-1, 4])
def test_policy_must_be_known(policy: int) -> None:
    out = np.zeros(8, np.int64)
    with pytest.raises(ValueError, match="policy"):
        kernels.merge_runs(TIMES, TIMES, TIMES, TIMES, policy, True, out, out.copy())


@pytest.mark.parametrize("shift", [60, 61, 62, 63])
@pytest.mark.parametrize("origin", [MIN_TIME, 0, 1 << 60])
def test_the_whole_range_of_time_fits(shift: int, origin: int) -> None:
    """Also where the end of a slot lies beyond the last int64."""
    times = int64s([t for t in (MIN_TIME, -1, 0, 1 << 60, MAX_TIME - 2) if t >= origin])
    slots, rows = output(5)
    filled = kernels.summarise(times, times, True, origin, shift, slots, rows, 0)
    assert slots[:filled].tolist() == sorted({(int(t) - origin) >> shift for t in times})
    assert rows[:filled, 0].sum() == len(times)


def test_empty_input_gives_nothing() -> None:
    none, no_rows = output(0)
    assert kernels.summarise(none, none, False, 0, 0, none, no_rows, 0) == 0
    assert kernels.fold(none, no_rows, False, 0, 0, none, no_rows, 0) == 0
    assert kernels.cut_rows(none, none, no_rows, TIMES, 0, 4, none) == (0, 0, 0)
    assert kernels.fold_edges(none, no_rows, 0, 0, False, TIMES, none, [], none, no_rows, 0) == 0
    assert kernels.fold_edges(TIMES, ROWS, 0, 4, False, none, none, [], none, no_rows, 0) == 0
    assert fold_edges(TIMES, part=(none, none)) == 2
    assert kernels.merge_runs(none, none, none, none, 1, False, none, none) == 0
    assert kernels.check_points(none, none, True, 0, 0) == (True, -1, -1)
    assert kernels.bisect(none, 0) == 0


@pytest.mark.parametrize("values", [(0.0, -0.0, 0.0), (-0.0, 0.0), (0.0, -0.0, 5.0), (-1.0, -0.0, 0.0)])
def test_minus_zero_is_below_zero(values: tuple[float, ...]) -> None:
    """In one group, and in rows of one point each that are then merged."""
    words = words_of(*values)
    expected = sorted(values, key=lambda v: (v, np.copysign(1, v)))
    slots, rows = output(len(values))
    kernels.summarise(np.arange(len(values)), words, False, 0, 62, slots, rows, 0)
    single, merged = output(len(values)), output(1)
    kernels.summarise(np.arange(len(values)), words, False, 0, 0, *single, 0)
    kernels.fold(*single, False, 0, 62, *merged, 0)
    for row in (rows[0], merged[1][0]):
        assert row[1:3].tolist() == words_of(expected[0], expected[-1]).tolist()


@pytest.mark.timeout(20)
def test_many_different_values_at_one_time_stay_cheap() -> None:
    """Policy equal over 600,000 points at one time: 20 ms, where comparing each with each takes a minute."""
    n = 300_000
    rng = np.random.default_rng(5)
    old, new = rng.integers(0, 1 << 40, n), rng.integers(0, n, n)
    times, out_times, out = np.zeros(n, np.int64), np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64)
    count = kernels.merge_runs(times, old, times, new, 1, True, out_times, out)
    stored = set(old.tolist())
    kept_new = list(dict.fromkeys(v for v in new.tolist() if v not in stored))
    assert out[:count].tolist() == old.tolist() + kept_new


@pytest.mark.parametrize("copies", [1, 100])
def test_zeros_are_equal_whatever_their_sign(copies: int) -> None:
    """As floats, not as integers; for few values at one time and for many."""
    old, new = words_of(0.0), words_of(*[-0.0, 1.0, 0.0] * copies)
    times, out_times, out = np.zeros(len(new), np.int64), np.zeros(1000, np.int64), np.zeros(1000, np.int64)
    count = kernels.merge_runs(times[:1], old, times, new, 1, False, out_times, out)
    assert out[:count].tolist() == words_of(0.0, 1.0).tolist()
    count = kernels.merge_runs(times[:1], old, times, new, 1, True, out_times, out)
    assert out[:count].tolist() == words_of(0.0, -0.0, 1.0).tolist()
