"""Statistics of parts, combined, are those of the whole."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otrdb.baseline.summaries import ROW_FIELDS, Rows, columns, combine, spread, summarise
from otrdb.columns import words
from otrdb.model import Kind
from otrdb.results import ALL_COLUMNS, Windows
from otrdb.testing.model import check_windows, expected

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(1e9 - 1e-3, 1e9 + 1e-3),
    st.sampled_from([0.0, -0.0, 5e-324, 1e-200, -1e200, 1.7e308, -1.7e308]),
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.FLOAT: FLOATS,
    Kind.INT: st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-2, 2)),
    Kind.BOOL: st.booleans(),
}


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_combined_parts_are_the_whole(kind: Kind, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.lists(VALUES[kind], min_size=1, max_size=12), min_size=1, max_size=5))
    keys = sorted(data.draw(st.lists(st.integers(0, 2), min_size=len(parts), max_size=len(parts))))
    rows = combine(
        [
            summarise(np.full(len(part), key), words(kind, part), kind)
            for key, part in zip(keys, parts, strict=True)
        ],
        kind,
    )
    wholes: dict[int, list[Any]] = {}
    for key, part in zip(keys, parts, strict=True):
        wholes.setdefault(key, []).extend(part)
    found = Windows(rows.key, columns(rows, kind, ALL_COLUMNS), kind, 1, 10)
    wanted = [(key, expected(np.array(whole, dtype=kind.dtype))) for key, whole in wholes.items()]
    check_windows(found, wanted)


@given(st.lists(st.integers(0, 5), max_size=30).map(sorted))
@example([])
def test_one_row_for_each_run_of_keys(keys: list[int]) -> None:
    rows = summarise(np.array(keys, dtype=np.int64), np.arange(len(keys)), Kind.INT)
    assert rows.key.tolist() == sorted(set(keys))
    assert rows.count.tolist() == [keys.count(key) for key in sorted(set(keys))]


def test_numbers_of_very_different_size_combine() -> None:
    small, large = [1e-300, 3e-300, 2e-300], [1e300, -1e300]
    keys, kind = np.zeros(3, dtype=np.int64), Kind.FLOAT
    rows = combine(
        [summarise(keys, words(kind, small), kind), summarise(keys[:2], words(kind, large), kind)], kind
    )
    found = Windows(rows.key, columns(rows, kind, ALL_COLUMNS), kind, 1, 10)
    check_windows(found, [(0, expected(np.array(small + large)))])


def test_spread_fills_gaps_with_zeros() -> None:
    rows = spread(summarise(np.array([1, 1, 3]), np.array([5, 7, 9]), Kind.INT), 5)
    assert rows.key.tolist() == list(range(5))
    assert (rows.count.tolist(), rows.max.tolist()) == ([0, 2, 0, 1, 0], [0, 7, 0, 9, 0])


def test_no_rows_stack_to_none() -> None:
    rows = Rows.stacked([])
    assert [len(column) for column in rows.columns()] == [0] * len(ROW_FIELDS)
    assert combine([], Kind.FLOAT).count.tolist() == []
