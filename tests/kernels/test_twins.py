"""Every kernel equals its plain twin bit for bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb import kernels
from tests.kernels import twins
from tests.kernels.strategies import (
    MAX_TIME,
    MIN_TIME,
    Int64s,
    ascending,
    hard_floats,
    hard_ints,
    int64s,
    points,
    row_arrays,
    word_lists,
)

kinds = pytest.mark.parametrize("integer", [False, True], ids=["float", "integer"])


def outputs(room: int, before: twins.Filled | None = None) -> tuple[Int64s, Int64s]:
    slots, rows = np.full(room, -7, np.int64), np.full((room, 8), -7, np.int64)
    for i, (slot, row) in enumerate(before or []):
        slots[i], rows[i] = slot, row
    return slots, rows


def filled_list(slots: Int64s, rows: Int64s, filled: int) -> twins.Filled:
    assert (slots[filled:] == -7).all()
    assert (rows[filled:] == -7).all()
    return list(zip(slots[:filled].tolist(), rows[:filled].tolist(), strict=True))


@st.composite
def edge_lists(draw: st.DrawFn, times: list[int]) -> Int64s:
    """Strictly ascending edges, some of them on or beside the times."""
    near = st.sampled_from(times).flatmap(lambda t: st.integers(t - 2, t + 2))
    return int64s(
        sorted(draw(st.sets(st.one_of(near, st.integers(MIN_TIME, MAX_TIME)), min_size=2, max_size=20)))
    )


@kinds
@given(data=st.data())
def test_summarise(integer: bool, data: st.DataObject) -> None:
    times, words = data.draw(points(integer))
    shift = data.draw(st.integers(0, 62))
    origin = data.draw(
        st.one_of(st.just(MIN_TIME), st.just(int(times[0])), st.integers(MIN_TIME, int(times[0])))
    )
    before: twins.Filled = [(int(times[0]) - origin >> shift, [9] * 8)] * data.draw(st.integers(0, 2))
    slots, rows = outputs(len(times) + len(before), before)
    filled = kernels.summarise(times, words, integer, origin, shift, slots, rows, len(before))
    assert filled_list(slots, rows, filled) == before + twins.summarise(times, words, integer, origin, shift)


@kinds
@given(data=st.data(), size=st.integers(0, 12), pieces=st.integers(0, 12))
def test_fold(integer: bool, data: st.DataObject, size: int, pieces: int) -> None:
    """In two calls, so that the second one continues the row that the first one left."""
    slots_in = int64s(data.draw(ascending(size, 0, 40)))
    rows_in = data.draw(row_arrays(integer, size))
    offset, shift = data.draw(st.integers(0, 1000)), data.draw(st.integers(0, 6))
    slots, rows = outputs(size)
    filled, expected = 0, list[Any]()
    for part in (slice(0, pieces), slice(pieces, None)):
        filled = kernels.fold(slots_in[part], rows_in[part], integer, offset, shift, slots, rows, filled)
        expected = twins.fold(slots_in[part], rows_in[part], integer, offset, shift, expected)
    assert filled_list(slots, rows, filled) == expected


@st.composite
def intervals(draw: st.DrawFn, most: int) -> tuple[list[int], list[int]]:
    """Starts and ends of up to `most` rows, with holes between some of them."""
    bounds = sorted(draw(st.sets(st.integers(MIN_TIME, MAX_TIME) | st.integers(-30, 30), max_size=2 * most)))
    if draw(st.booleans()):
        return bounds[:-1], bounds[1:]
    return bounds[: len(bounds) // 2 * 2 : 2], bounds[1::2]


@given(data=st.data(), rows=intervals(8))
def test_cut_rows(data: st.DataObject, rows: tuple[list[int], list[int]]) -> None:
    near = st.sampled_from([0, *rows[0], *rows[1]]).flatmap(lambda t: st.integers(t - 2, t + 2))
    edges = sorted(data.draw(st.sets(near, max_size=12)))
    start, end = sorted((data.draw(near), data.draw(near)))
    counts = data.draw(st.lists(st.integers(1, 1 << 40), min_size=len(rows[0]), max_size=len(rows[0])))
    summaries = np.zeros((len(counts), 8), np.int64)
    summaries[:, 0] = counts
    out = np.full(4 * len(rows[0]) + 4, -7, np.int64)
    found = kernels.cut_rows(int64s(rows[0]), int64s(rows[1]), summaries, int64s(edges), start, end, out)
    assert (found, out[: 4 * found[2]].tolist()) == twins.cut_rows(*rows, counts, edges, start, end)
    assert (out[4 * found[2] :] == -7).all()


@st.composite
def cut_lists(draw: st.DrawFn, starts: Int64s, integer: bool) -> list[twins.Cut]:
    """Some of the rows, each with points, most of them in its range."""
    chosen = sorted(draw(st.sets(st.integers(0, len(starts) - 1), max_size=4)))
    cuts = list[twins.Cut]()
    for row in chosen:
        words, low = draw(word_lists(integer)), int(starts[row])
        high = low + draw(st.integers(0, 50))
        times = draw(st.lists(st.integers(low - 2, high + 2), min_size=len(words), max_size=len(words)))
        cuts.append((row, low, high, list(zip(sorted(times), words, strict=True))))
    return cuts


@kinds
@given(data=st.data(), size=st.integers(1, 12), pieces=st.integers(0, 12))
def test_fold_edges(integer: bool, data: st.DataObject, size: int, pieces: int) -> None:
    starts, rows_in = int64s(data.draw(ascending(size))), data.draw(row_arrays(integer, size))
    edges = data.draw(edge_lists(starts.tolist()))
    cuts = data.draw(cut_lists(starts, integer))
    slots, rows = outputs(size + sum(len(cut[3]) for cut in cuts))
    filled, expected = 0, list[Any]()
    for whole in (range(min(pieces, size)), range(min(pieces, size), size)):
        mine = [cut for cut in cuts if cut[0] in whole]
        words = int64s([w for cut in mine for w in (*cut[:3], 0)])
        parts = [(int64s([t for t, _ in cut[3]]), int64s([w for _, w in cut[3]])) for cut in mine]
        between = starts, rows_in, whole.start, whole.stop, integer, edges, words, parts
        filled = kernels.fold_edges(*between, slots, rows, filled)
        expected = twins.fold_edges(starts, rows_in, whole, integer, edges, mine, expected)
    assert filled_list(slots, rows, filled) == expected


def column_list(rows: Int64s, integer: bool) -> list[tuple[Any, ...]]:
    kinds_out = (np.int64, np.int64, np.int64, np.int64, np.float64, np.float64, np.uint64)
    out = [np.zeros(len(rows), kind) for kind in kinds_out]
    kernels.columns(rows, integer, *out)  # type: ignore[arg-type]
    return list(zip(*(column.tolist() for column in out), strict=True))


@kinds
@given(data=st.data(), size=st.integers(0, 5))
def test_columns(integer: bool, data: st.DataObject, size: int) -> None:
    rows = data.draw(row_arrays(integer, size))
    assert list(map(repr, column_list(rows, integer))) == list(map(repr, twins.columns(rows, integer)))


def merge(
    a: list[tuple[int, int]], b: list[tuple[int, int]], policy: int, integer: bool
) -> list[tuple[int, int]]:
    (times_a, words_a), (times_b, words_b) = (
        np.array(run, np.int64).reshape(-1, 2).T.copy() for run in (a, b)
    )
    times, words = np.full(len(a) + len(b), -7, np.int64), np.full(len(a) + len(b), -7, np.int64)
    n = kernels.merge_runs(times_a, words_a, times_b, words_b, policy, integer, times, words)
    assert (times[n:] == -7).all()
    return list(zip(times[:n].tolist(), words[:n].tolist(), strict=True))


@st.composite
def few_points(draw: st.DrawFn, integer: bool, times: int, most: int) -> list[tuple[int, int]]:
    """Points that often share their time, and their value."""
    word = hard_ints if integer else hard_floats.map(twins.to_word)
    drawn = draw(st.lists(st.tuples(st.integers(0, times), word), max_size=most))
    return sorted(drawn, key=lambda point: point[0])


@kinds
@pytest.mark.parametrize("policy", [0, 1, 2, 3])
@given(data=st.data(), times=st.sampled_from([0, 3, 20, 1000]))
def test_merge_runs(integer: bool, policy: int, data: st.DataObject, times: int) -> None:
    a, b = data.draw(few_points(integer, times, 40)), data.draw(few_points(integer, times, 40))
    assert merge(a, b, policy, integer) == twins.merge_runs(a, b, policy, integer)


@kinds
@pytest.mark.parametrize("policy", [0, 1, 2, 3])
@given(seed=st.integers(0, 999), spread=st.sampled_from([3, 100, 2000]), values=st.sampled_from([3, 500]))
def test_merge_of_longer_runs(integer: bool, policy: int, seed: int, spread: int, values: int) -> None:
    """Long enough for the steps without branches, and for the hash table of many values at one time."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 300, 2)
    a, b = (
        [(t, twins.to_word(float(v)) if not integer else v) for t, v in zip(sorted(ts), vs, strict=True)]
        for ts, vs in (
            (rng.integers(0, spread, n).tolist(), rng.integers(0, values, n).tolist()) for n in sizes
        )
    )
    assert merge(a, b, policy, integer) == twins.merge_runs(a, b, policy, integer)


bad_words = st.sampled_from([float("nan"), float("inf"), float("-inf"), -float("nan")]).map(twins.to_word)
times_anywhere = st.one_of(st.integers(-3, 9), st.integers(-(1 << 63), (1 << 63) - 1))


@given(
    pairs=st.lists(
        st.tuples(times_anywhere, st.one_of(hard_floats.map(twins.to_word), bad_words)), max_size=30
    ),
    orderly=st.booleans(),
    is_float=st.booleans(),
    low=st.integers(-3, 0),
    high=st.integers(0, 9),
)
def test_check_points(
    pairs: list[tuple[int, int]], orderly: bool, is_float: bool, low: int, high: int
) -> None:
    times, words = [t for t, _ in pairs], [w for _, w in pairs]
    if orderly:
        times.sort()
    expected = twins.check_points(times, words, is_float, low, high)
    assert kernels.check_points(int64s(times), int64s(words), is_float, low, high) == expected


@given(times=st.lists(st.integers(-50, 50)).map(sorted), t=st.integers(-60, 60))
def test_bisect(times: list[int], t: int) -> None:
    assert kernels.bisect(int64s(times), t) == twins.bisect(times, t)


@kinds
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 2047, 2048, 2049, 2050, 4096, 4099, 20_001])
def test_every_lane_remainder_and_block_size(integer: bool, size: int) -> None:
    rng = np.random.default_rng(size)
    words = rng.integers(-(1 << 62), 1 << 62, size) if integer else rng.normal(20, 5, size).view(np.int64)
    slots, rows = outputs(1)
    times = np.arange(size)
    assert kernels.summarise(times, words, integer, 0, 62, slots, rows, 0) == 1
    assert filled_list(slots, rows, 1) == twins.summarise(times, words, integer, 0, 62)


@kinds
def test_many_rows_fold_without_the_gil(integer: bool) -> None:
    words = np.random.default_rng(1).integers(-9, 9, 40_000)
    if not integer:
        words = (words / 8).view(np.int64)
    fine, coarse = outputs(40_000), outputs(40_000)
    n = kernels.summarise(np.arange(40_000) * 10, words, integer, 0, 3, *fine, 0)
    assert n > 20_000  # where the kernels release the GIL
    slots, rows = fine[0][:n], fine[1][:n]
    filled = kernels.fold(slots, rows, integer, 5, 9, *coarse, 0)
    assert filled_list(*coarse, filled) == twins.fold(slots, rows, integer, 5, 9, [])


@kinds
@given(data=st.data())
def test_a_point_is_its_own_summary(integer: bool, data: st.DataObject) -> None:
    word = data.draw(word_lists(integer))[0]
    slots, rows = outputs(1)
    kernels.summarise(int64s([0]), int64s([word]), integer, 0, 0, slots, rows, 0)
    sum_or_mean = [word, -1 if word < 0 else 0] if integer else [word, 0]
    assert rows[0].tolist() == [1, word, word, word, word, 0, *sum_or_mean]


@pytest.mark.parametrize("edge", [2.0**-400, 2.0**470], ids=["least", "greatest"])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_the_ends_of_the_ordinary_range(edge: float, step: int) -> None:
    most = edge if step == 0 else float(np.nextafter(edge, edge * 2.0**step))
    words = int64s([twins.to_word(v) for v in (most / 2, -most, most / 4, most / 8)])
    single, merged, at_once = outputs(4), outputs(1), outputs(1)
    kernels.summarise(np.arange(4), words, False, 0, 62, *at_once, 0)
    assert filled_list(*at_once, 1) == twins.summarise(np.arange(4), words, False, 0, 62)
    kernels.summarise(np.arange(4), words, False, 0, 0, *single, 0)
    kernels.fold(*single, False, 0, 62, *merged, 0)
    assert filled_list(*merged, 1) == twins.fold(*single, False, 0, 62, [])
    assert column_list(merged[1], False) == twins.columns(merged[1], False)


@pytest.mark.parametrize("low", [-(1 << 63), -(1 << 62), 1 << 62])
@pytest.mark.parametrize("zeros", [0, 1, 4])
def test_sums_that_are_whole_multiples_of_2_to_the_64th(low: int, zeros: int) -> None:
    words = int64s([low] * 8 + [0] * zeros)
    rows = outputs(1)
    kernels.summarise(np.arange(len(words)), words, True, 0, 62, *rows, 0)
    assert filled_list(*rows, 1) == twins.summarise(np.arange(len(words)), words, True, 0, 62)
    assert column_list(rows[1], True)[0][4] == 8 * low / len(words)


@pytest.mark.parametrize("value", [0.1, 1.7e308, -1.7e308, 2.2e-308, 1 / 3 * 2.0**-500])
@pytest.mark.parametrize("copies", range(2, 10))
def test_the_mean_of_a_constant_is_clamped_before_deviations(value: float, copies: int) -> None:
    rows = outputs(1)
    words = int64s([twins.to_word(value)] * copies)
    kernels.summarise(np.arange(copies), words, False, 0, 62, *rows, 0)
    assert filled_list(*rows, 1) == twins.summarise(np.arange(copies), words, False, 0, 62)
    assert rows[1][0, 5] == 0  # no deviation at all


@pytest.mark.parametrize("power", [0, 500, -500])
def test_the_mean_of_a_merge_is_clamped(power: int) -> None:
    """One large value and very many small ones: the share rounds to 1 and the mean below the least value."""
    one, many = 1e16 * 2.0**power, 0.1 * 2.0**power
    summaries = [twins.FloatSummary(n, v, v, v, v, 0.0, v) for n, v in ((1, one), (1 << 60, many))]
    rows_in = np.array([summary.row() for summary in summaries], np.int64)
    rows = outputs(1)
    kernels.fold(np.arange(2), rows_in, False, 0, 1, *rows, 0)
    assert filled_list(*rows, 1) == twins.fold(np.arange(2), rows_in, False, 0, 1, [])
    assert rows[1][0, 6] == twins.to_word(many)


@pytest.mark.parametrize("x", [-(1 << 63), -(1 << 62) - 1, 0, 1 << 62, (1 << 63) - 1])
@pytest.mark.parametrize("y", [-(1 << 63), -(1 << 62) - 1, 0, 1 << 62, (1 << 63) - 1])
def test_order_is_right_where_differences_overflow(x: int, y: int) -> None:
    assert kernels.check_points(int64s([x, y]), int64s([0, 0]), False, x, x)[0] == (x <= y)
