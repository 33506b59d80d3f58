"""What Hypothesis feeds to the kernels: values and times where arithmetic goes wrong."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.kernels import twins

Int64s = NDArray[np.int64]
MIN_TIME, MAX_TIME = -(1 << 60), 3 << 60

hard_floats = st.sampled_from(
    [
        *(0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-200, -1e-200, 2.0**-400, 2.0**-401, 0.1, 1.0, -1.0, 3.0),
        *(1e9 - 1e-3, 1e9, 1e9 + 1e-3, 2.0**469, 2.0**470, -(2.0**470), 1e200, -1e200, 1.7e308, -1.7e308),
    ]
)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.integers(-100_000, 100_000).map(lambda n: n / 1000)
ints = st.integers(-(1 << 63), (1 << 63) - 1)
hard_ints = st.sampled_from([0, 1, -1, 3, 1 << 62, -(1 << 62), (1 << 63) - 1, -(1 << 63), (1 << 53) + 1])

float_lists = st.one_of(
    *(st.lists(values, min_size=1, max_size=40) for values in (floats, hard_floats, decimals)),
    st.lists(st.sampled_from([0.0, -0.0]), min_size=1, max_size=12),
)
int_lists = st.one_of(
    *(st.lists(values, min_size=1, max_size=40) for values in (ints, hard_ints, st.integers(-9, 9))),
)
gaps = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 1 << 20), st.integers(0, 1 << 57))


def int64s(values: Sequence[int]) -> Int64s:
    return np.array(values, dtype=np.int64)


@st.composite
def word_lists(draw: st.DrawFn, integer: bool) -> list[int]:
    if integer:
        return draw(int_lists)
    return [twins.to_word(value) for value in draw(float_lists)]


@st.composite
def ascending(draw: st.DrawFn, size: int, low: int = MIN_TIME, high: int = MAX_TIME - 2) -> list[int]:
    """`size` times in [low, high], with duplicates, clusters and large holes."""
    t = draw(st.one_of(st.integers(low, high), st.integers(low, min(low + 100, high))))
    times = []
    for gap in draw(st.lists(gaps, min_size=size, max_size=size)):
        t = min(t + gap, high)
        times.append(t)
    return times


@st.composite
def points(draw: st.DrawFn, integer: bool) -> tuple[Int64s, Int64s]:
    words = draw(word_lists(integer))
    return int64s(draw(ascending(len(words)))), int64s(words)


@st.composite
def row_arrays(draw: st.DrawFn, integer: bool, size: int) -> Int64s:
    """`size` rows as the kernels make them, of one point or a few."""
    rows = [twins.group_row(draw(word_lists(integer)), integer) for _ in range(size)]
    return np.array(rows, dtype=np.int64).reshape(size, 8)
