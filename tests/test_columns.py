"""Points are taken in any usual form, exactly, or refused with the index of the first one that cannot be."""

from collections.abc import Callable
from typing import Any

import nanoarrow as na
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.columns import check_times, decode, decode_one, points, words
from otrdb.errors import BadValue, MismatchedColumns, NaiveTime, OtrError, TimeOutOfRange, WrongKind
from otrdb.model import LAST_TIME, MIN_TIME, Kind
from otrdb.results import Points

TIMES = np.array([30, 10, 20], dtype=np.int64)
VALUES: dict[Kind, np.ndarray[Any, Any]] = {
    Kind.FLOAT: np.array([0.5, -0.0, 5e-324]),
    Kind.INT: np.array([1 << 62, -5, 0]),
    Kind.BOOL: np.array([True, False, True]),
}
WORDS = {
    Kind.FLOAT: [0x3FE0_0000_0000_0000, -(1 << 63), 1],
    Kind.INT: [1 << 62, -5, 0],
    Kind.BOOL: [1, 0, 1],
}
STAMPS = pd.to_datetime(TIMES, unit="ns", utc=True)
UTC = pa.timestamp("ns", "UTC")


def arrow_table(values: Any) -> pa.Table:
    return pa.table({"time": pa.array(TIMES, UTC), "value": values})


FORMS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "arrays": lambda values: (TIMES, values),
    "lists": lambda values: (TIMES.tolist(), values.tolist()),
    "lists of scalars": lambda values: (list(TIMES), list(values)),
    "object arrays": lambda values: (TIMES.astype(object), values.astype(object)),
    "strided arrays": lambda values: (np.repeat(TIMES, 2)[::2], np.repeat(values, 2)[::2]),
    "big-endian arrays": lambda values: (TIMES.astype(">i8"), values.astype(values.dtype.newbyteorder(">"))),
    "datetime64": lambda values: (TIMES.view("datetime64[ns]"), values),
    "pandas series": lambda values: (pd.Series(STAMPS), pd.Series(values)),
    "polars series": lambda values: (pl.Series(TIMES), pl.Series(values)),
    "arrow arrays": lambda values: (pa.array(TIMES, UTC), pa.array(values)),
    "a tuple": lambda values: ((TIMES, values),),
    "pairs": lambda values: (list(zip(TIMES.tolist(), values.tolist(), strict=True)),),
    "a series with a time index": lambda values: (pd.Series(values, index=STAMPS),),
    "a series with an ns index": lambda values: (pd.Series(values, index=TIMES),),
    "a pandas frame": lambda values: (pd.DataFrame({"value": values, "time": STAMPS}),),
    "a pandas frame with an index": lambda values: (pd.DataFrame({"x": values}, index=STAMPS),),
    "a polars frame": lambda values: (pl.DataFrame({"x": 0, "time": TIMES, "value": values}),),
    "two polars columns": lambda values: (pl.DataFrame({"when": TIMES, "what": values}),),
    "an arrow table": lambda values: (arrow_table(values),),
    "an arrow table of two chunks": lambda values: (
        pa.concat_tables([arrow_table(values).slice(0, 1), arrow_table(values).slice(1)]),
    ),
    "an arrow batch": lambda values: (arrow_table(values).to_batches()[0],),
    "an arrow reader": lambda values: (arrow_table(values).to_reader(),),
    "a nanoarrow stream": lambda values: (na.ArrayStream(arrow_table(values)),),
}


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("form", list(FORMS))
def test_every_form_gives_the_same_columns(form: str, kind: Kind) -> None:
    times, stored = points(kind, *FORMS[form](VALUES[kind]))
    assert times.dtype == stored.dtype == np.dtype("=i8")
    assert times.flags.c_contiguous
    assert stored.flags.c_contiguous
    assert times.tolist() == TIMES.tolist()
    assert stored.tolist() == WORDS[kind]


@pytest.mark.parametrize("kind", list(Kind))
def test_points_read_can_be_inserted_again(kind: Kind) -> None:
    times, stored = points(kind, Points(TIMES, VALUES[kind], kind, version=11))
    assert (times.tolist(), stored.tolist()) == (TIMES.tolist(), WORDS[kind])


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("time", [123, np.int64(123), "1970-01-01T00:00:00.000000123Z"])
def test_one_point(kind: Kind, time: Any) -> None:
    for value, word in zip(VALUES[kind], WORDS[kind], strict=True):
        for form in (value, value.item()):
            for arguments in ((time, form), ((time, form),)):
                times, stored = points(kind, *arguments)
                assert (times.tolist(), stored.tolist()) == ([123], [word])


def test_nothing_is_no_points() -> None:
    forms: list[tuple[Any, ...]] = [([], []), ([],), (np.empty(0, np.int64), np.empty(0))]
    for form in forms:
        times, stored = points(Kind.FLOAT, *form)
        assert (len(times), len(stored)) == (0, 0)


def test_plain_arrays_are_not_copied() -> None:
    times, stored = points(Kind.FLOAT, TIMES, VALUES[Kind.FLOAT])
    assert np.shares_memory(times, TIMES)
    assert np.shares_memory(stored, VALUES[Kind.FLOAT])


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (Kind.FLOAT, [1, 2.5], [1.0, 2.5]),
        (Kind.FLOAT, [1 << 60], [float(1 << 60)]),
        (Kind.FLOAT, np.array([1 << 62, -(1 << 62)]), [2.0**62, -(2.0**62)]),
        (Kind.FLOAT, np.array([-(1 << 63)]), [-(2.0**63)]),
        (Kind.FLOAT, np.array([1 << 63], dtype=np.uint64), [2.0**63]),
        (Kind.FLOAT, np.array([0.1], dtype=np.float32), [float(np.float32(0.1))]),
        (Kind.FLOAT, np.array([7], dtype=np.uint8), [7.0]),
        (Kind.FLOAT, [np.float32(0.1), np.int8(3)], [float(np.float32(0.1)), 3.0]),
        (Kind.INT, np.array([7], dtype=np.uint64), [7]),
        (Kind.INT, [np.int16(-3), 4], [-3, 4]),
        (Kind.INT, pd.Series([1, 2], dtype="Int64"), [1, 2]),
        (Kind.BOOL, [0, 1, True, np.bool_(False)], [False, True, True, False]),
        (Kind.BOOL, np.array([0, 1], dtype=np.int8), [False, True]),
        (Kind.BOOL, pd.Series([True, False], dtype="boolean"), [True, False]),
    ],
)
def test_exact_conversions(kind: Kind, values: Any, expected: list[Any]) -> None:
    assert decode(kind, words(kind, values)).tolist() == expected


@pytest.mark.parametrize(
    ("kind", "values", "index"),
    [
        (Kind.FLOAT, [1.0, True], 1),
        (Kind.FLOAT, [1.0, 2.0, "3"], 2),
        (Kind.FLOAT, [(1 << 53) + 1], 0),
        (Kind.FLOAT, [0.5, 10**400], 1),
        (Kind.FLOAT, np.array([0, (1 << 53) + 1]), 1),
        (Kind.FLOAT, np.array([(1 << 63) - 1]), 0),
        (Kind.FLOAT, np.array([1, (1 << 64) - 1], dtype=np.uint64), 1),
        (Kind.INT, [1, 2.0], 1),
        (Kind.INT, [True], 0),
        (Kind.BOOL, [1, 2], 1),
        (Kind.BOOL, [0.0], 0),
        (Kind.BOOL, np.array([0, -1]), 1),
        (Kind.BOOL, np.array([3], dtype=np.uint8), 0),
    ],
)
def test_what_would_change_is_refused(kind: Kind, values: Any, index: int) -> None:
    with pytest.raises(WrongKind, match=f"Value {index} "):
        words(kind, values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.FLOAT, np.array([True])),
        (Kind.FLOAT, np.array([1j])),
        (Kind.FLOAT, np.array([1.0], dtype=np.longdouble)),
        (Kind.FLOAT, np.array(["1.0"])),
        (Kind.INT, np.array([1.0])),
        (Kind.INT, np.array([True])),
        (Kind.BOOL, np.array([1.0])),
        (Kind.FLOAT, pa.array(["1.0"])),
        (Kind.INT, pl.Series([1.0])),
    ],
)
def test_arrays_of_another_kind_are_refused(kind: Kind, values: Any) -> None:
    with pytest.raises(WrongKind):
        words(kind, values)


@pytest.mark.parametrize(
    ("kind", "values", "index"),
    [
        (Kind.FLOAT, np.array([0.0, np.nan, np.inf]), 1),
        (Kind.FLOAT, [0.0, 1.0, -np.inf], 2),
        (Kind.FLOAT, np.array([1.0, np.inf], dtype=np.float32), 1),
        (Kind.FLOAT, [1.0, None], 1),
        (Kind.INT, [1, None], 1),
        (Kind.INT, [0, 1 << 63], 1),
        (Kind.INT, np.array([0, 1 << 63], dtype=np.uint64), 1),
        (Kind.INT, pd.Series([1, None], dtype="Int64"), 1),
        (Kind.BOOL, pd.Series([None, True], dtype="boolean"), 0),
        (Kind.FLOAT, pd.Series([1.0, None]), 1),
        (Kind.FLOAT, np.ma.masked_array([1.0, 2.0], mask=[False, True]), 1),
        (Kind.FLOAT, pl.Series([1.0, None]), 1),
        (Kind.FLOAT, pa.array([1.0, 2.0, None]), 2),
    ],
)
def test_missing_and_infinite_values_are_named(kind: Kind, values: Any, index: int) -> None:
    with pytest.raises(BadValue, match=rf"\b{index}\b"):
        words(kind, values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, None])
def test_a_bad_single_value_is_refused(value: Any) -> None:
    with pytest.raises(BadValue):
        points(Kind.FLOAT, (1, value))
    with pytest.raises((BadValue, MismatchedColumns)):
        points(Kind.FLOAT, 123, value)


@pytest.mark.parametrize(
    "form",
    [
        ([1, 2], [0.5]),
        (1, [0.5]),
        ([1], 0.5),
        (5,),
        ([1, 2, 3],),
        ("abc",),
        (np.zeros(3),),
        ([1], np.zeros((1, 1))),
        (pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]}),),
        (pl.DataFrame({"time": [1], "a": [1.0], "b": [1.0]}),),
    ],
)
def test_columns_that_do_not_pair_up_are_refused(form: tuple[Any, ...]) -> None:
    with pytest.raises(MismatchedColumns):
        points(Kind.FLOAT, *form)


@pytest.mark.parametrize(
    "form",
    [
        (pd.Series([1.0], index=pd.DatetimeIndex(["2023-11-14"])),),
        (pl.DataFrame({"time": pl.Series([1]).cast(pl.Datetime("us")), "value": [1.0]}),),
        (pa.table({"time": pa.array([1], pa.timestamp("s")), "value": [1.0]}),),
    ],
)
def test_naive_times_in_a_table_are_refused(form: tuple[Any, ...]) -> None:
    with pytest.raises(NaiveTime):
        points(Kind.FLOAT, *form)


def test_an_arrow_column_alone_is_no_table() -> None:
    with pytest.raises(WrongKind):
        points(Kind.FLOAT, pa.array([1.0]))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_of_a_table_is_respected(unit: Any) -> None:
    index = pd.DatetimeIndex(["2023-11-14T22:13:20Z"]).as_unit(unit)
    for form in (pd.Series([1.0], index=index), pa.table({"time": pa.array(index), "value": [1.0]})):
        assert points(Kind.FLOAT, form)[0].tolist() == [1_700_000_000 * 10**9]


@given(st.lists(st.integers(-(1 << 63), (1 << 64) - 1), min_size=1))
def test_integers_enter_a_float_stream_exactly_or_not_at_all(values: list[int]) -> None:
    exact = all(int(float(value)) == value for value in values)
    try:
        assert decode(Kind.FLOAT, words(Kind.FLOAT, values)).tolist() == values
        assert exact
    except WrongKind:
        assert not exact


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_keep_their_bits(values: list[float]) -> None:
    stored = words(Kind.FLOAT, values)
    assert stored.tobytes() == np.array(values, dtype=np.float64).tobytes()
    assert [decode_one(Kind.FLOAT, word) for word in stored.tolist()] == values


def test_decode_one_gives_python_values() -> None:
    for kind, expected in ((Kind.FLOAT, float), (Kind.INT, int), (Kind.BOOL, bool)):
        decoded = [decode_one(kind, word) for word in WORDS[kind]]
        assert decoded == VALUES[kind].tolist()
        assert {type(value) for value in decoded} == {expected}


def test_check_times_names_the_first_illegal_one() -> None:
    check_times(np.array([MIN_TIME, 0, LAST_TIME]))
    check_times(np.empty(0, dtype=np.int64))
    for illegal in (MIN_TIME - 1, LAST_TIME + 1):
        with pytest.raises(TimeOutOfRange, match=f"Point 1 has time {illegal}"):
            check_times(np.array([0, illegal, illegal]))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(ImportError, match=r"otrdb\[arrow\]") as caught:
        points(Kind.FLOAT, arrow_table([1.0, 2.0, 3.0]))
    assert isinstance(caught.value, OtrError)
