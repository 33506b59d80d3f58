"""Mean and deviation against exact rational arithmetic, whatever the kernels and twins agree on."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb import kernels
from tests.kernels.strategies import Int64s, decimals, float_lists, floats, int64s, int_lists
from tests.kernels.twins import to_float, to_word

TOLERANCE = Fraction(1, 10**12)
LEAST = Fraction(5e-324)  # no double is finer than this


def root(square: Fraction) -> Fraction:
    """The square root to at least 200 bits."""
    p, q = square.numerator, square.denominator
    return Fraction(math.isqrt(p * q << 400), q << 200)


def exact_moments(values: list[Fraction]) -> tuple[Fraction, Fraction]:
    mean = sum(values) / Fraction(len(values))
    return mean, root(sum((v - mean) ** 2 for v in values) / Fraction(len(values)))


def split(rows: Int64s, integer: bool) -> tuple[list[float], list[float]]:
    """The means and deviations of rows, as an answer gives them."""
    low, high, first, last = (np.zeros(len(rows), np.int64) for _ in range(4))
    mean, stddev = np.zeros(len(rows)), np.zeros(len(rows))
    kernels.columns(rows, integer, low, high, first, last, mean, stddev, np.zeros(len(rows), np.uint64))
    return mean.tolist(), stddev.tolist()


def summaries(words: Int64s, integer: bool, shift: int) -> Int64s:
    """Rows of 2**shift points each."""
    slots, rows = np.zeros(len(words), np.int64), np.zeros((len(words), 8), np.int64)
    filled = kernels.summarise(np.arange(len(words)), words, integer, 0, shift, slots, rows, 0)
    return rows[:filled]


def folded(rows: Int64s, integer: bool, shift: int) -> Int64s:
    slots, out = np.zeros(len(rows), np.int64), np.zeros((len(rows), 8), np.int64)
    filled = kernels.fold(np.arange(len(rows)), rows, integer, 0, shift, slots, out, 0)
    return out[:filled]


def check(row: Int64s, values: list[Fraction], integer: bool) -> None:
    """`row`: the int64[1, 8] that claims to summarise the values."""
    (mean,), (stddev,) = split(row, integer)
    exact_mean, exact_stddev = exact_moments(values)
    allowed = max(TOLERANCE * max(map(abs, values)), LEAST)
    assert abs(Fraction(mean) - exact_mean) <= allowed
    assert abs(Fraction(stddev) - exact_stddev) <= allowed
    low, high = (to_float(int(row[0, i])) if not integer else float(row[0, i]) for i in (1, 2))
    assert low <= mean <= high
    assert 0.0 <= stddev <= high * 0.5 - low * 0.5


@given(values=float_lists)
def test_floats_summarised_at_once(values: list[float]) -> None:
    words = int64s([to_word(v) for v in values])
    check(summaries(words, False, 62), [Fraction(v) for v in values], False)


@given(values=int_lists)
def test_integers_summarised_at_once(values: list[int]) -> None:
    check(summaries(int64s(values), True, 62), [Fraction(v) for v in values], True)


@given(values=float_lists, shifts=st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_floats_folded_over_levels(values: list[float], shifts: list[int]) -> None:
    rows = summaries(int64s([to_word(v) for v in values]), False, shifts[0])
    for shift in [*shifts[1:], 62]:
        rows = folded(rows, False, shift)
    check(rows, [Fraction(v) for v in values], False)


@given(values=int_lists, shifts=st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_integers_folded_over_levels(values: list[int], shifts: list[int]) -> None:
    rows = summaries(int64s(values), True, shifts[0])
    for shift in [*shifts[1:], 62]:
        rows = folded(rows, True, shift)
    check(rows, [Fraction(v) for v in values], True)
    assert (int(rows[0, 7]) << 64) + (int(rows[0, 6]) % 2**64) == sum(values)


@pytest.mark.parametrize("folds", [False, True])
@pytest.mark.parametrize(
    "pattern",
    [
        [0.1],
        [1e9 - 1e-3, 1e9, 1e9 + 1e-3],
        [1e200, -1e200, 3e-200],
        [1.7e308, -1.7e308],
        [5e-324, 0.0, -5e-324],
    ],
)
def test_a_long_group_does_not_drift(pattern: list[float], folds: bool) -> None:
    """200,000 additions in one chain would be off by more than is promised."""
    repeats = 200_000 // len(pattern)
    words = np.tile(np.array(pattern), repeats).view(np.int64)
    rows = folded(summaries(words, False, 4), False, 62) if folds else summaries(words, False, 62)
    check(rows, [Fraction(v) for v in pattern], False)  # whole repeats have the moments of one


@given(values=st.lists(st.sampled_from([-5, -3, 1, 2]), min_size=2, max_size=9))
def test_a_small_negative_sum_keeps_its_mean(values: list[int]) -> None:
    (mean,), _ = split(summaries(int64s(values), True, 62), True)
    assert mean == sum(values) / len(values)


@given(value=st.one_of(floats, decimals, st.sampled_from([0.1, 1.7e308, 1e-310])), copies=st.integers(1, 20))
def test_a_constant_is_its_own_mean(value: float, copies: int) -> None:
    """Three times 0.1 add up to more than 0.3: only the clamp keeps the mean within min and max."""
    rows = summaries(int64s([to_word(value)] * copies), False, 1)
    for whole in (folded(rows, False, 62), summaries(int64s([to_word(value)] * copies), False, 62)):
        assert split(whole, False) == ([value], [0.0])


@given(low=floats, high=floats)
def test_half_the_range_bounds_the_deviation_of_two(low: float, high: float) -> None:
    words = int64s([to_word(low), to_word(high)])
    check(summaries(words, False, 62), [Fraction(low), Fraction(high)], False)
