"""Nanoseconds are exact through every form a time can have, and what is ambiguous is refused with advice."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import (
    InvalidArgument,
    InvalidPointWidth,
    MismatchedColumns,
    NaiveTime,
    OtrError,
    TimeOutOfRange,
    WrongKind,
)
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.times import INT64_MAX, INT64_MIN, format_ns, to_ns, to_ns_array, to_width

T = 1_700_000_000_123_456_789
SECOND = 1_700_000_000 * 10**9
LEGAL = st.integers(MIN_TIME, MAX_TIME)
TOKYO = dt.timezone(dt.timedelta(hours=9))


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [
        (T, T),
        (np.int64(T), T),
        (np.uint64(T), T),
        (np.int32(-5), -5),
        (np.datetime64(T, "ns"), T),
        (np.datetime64(T // 1000, "us"), T // 1000 * 1000),
        (np.datetime64(1_700_000_000, "s"), SECOND),
        (np.datetime64("2023-11-14"), 1_699_920_000 * 10**9),
        (np.datetime64("2023-11"), 1_698_796_800 * 10**9),
        (np.datetime64("2023"), 1_672_531_200 * 10**9),
        (np.datetime64(4, ("s", 25)), 100 * 10**9),
        (np.datetime64(5000, "ps"), 5),
        (dt.datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=dt.UTC), T // 1000 * 1000),
        (dt.datetime(2023, 11, 15, 7, 13, 20, 123456, tzinfo=TOKYO), T // 1000 * 1000),
        (dt.datetime(1933, 6, 20, 0, 1, 36, tzinfo=dt.UTC), -1_152_921_504 * 10**9),
        (pd.Timestamp(T, tz="UTC"), T),
        (pd.Timestamp(T, tz="Asia/Tokyo"), T),
        (pd.Timestamp(1_700_000_000, unit="s", tz="UTC").as_unit("s"), SECOND),
        ("2023-11-14T22:13:20.123456789Z", T),
        ("2023-11-14 22:13:20,123456789z", T),
        ("2023-11-15T07:13:20.123456789+09:00", T),
        ("2023-11-15T07:13:20.123456789+0900", T),
        ("2023-11-14T12:13:20.123456789-10", T),
        ("1970-01-01T00:00:00.1Z", 100_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-01T12:00Z", 1_793_534_400 * 10**9),
        (" 1970-01-02Z ", 86_400 * 10**9),
    ],
)
def test_to_ns_is_exact(given_time: Any, expected: int) -> None:
    result = to_ns(given_time)
    assert (type(result), result) == (int, expected)


@pytest.mark.parametrize(
    "time",
    [
        dt.datetime.fromisoformat("2023-11-14"),
        pd.Timestamp("2023-11-14"),
        dt.date(2023, 11, 14),
        "2023-11-14T22:13:20",
        "2023-11-14",
    ],
)
def test_a_naive_time_is_refused_with_advice(time: Any) -> None:
    with pytest.raises(NaiveTime, match="Attach a zone"):
        to_ns(time)


@pytest.mark.parametrize(
    ("time", "error"),
    [
        (1.7e18, WrongKind),
        (np.float64(1.7e18), WrongKind),
        (True, WrongKind),
        (np.bool_(True), WrongKind),
        (None, WrongKind),
        (b"2023", WrongKind),
        (1 << 63, TimeOutOfRange),
        (np.uint64(1 << 63), TimeOutOfRange),
        (np.datetime64(1 << 60, "us"), TimeOutOfRange),
        (np.datetime64("3000"), TimeOutOfRange),
        (pd.Timestamp("3000-01-01", tz="UTC").as_unit("s"), TimeOutOfRange),
        ("9999-12-31T23:59:59Z", TimeOutOfRange),
        (np.datetime64("NaT"), InvalidArgument),
        (pd.NaT, NaiveTime),
        (np.datetime64(5001, "ps"), InvalidArgument),
        ("yesterday", InvalidArgument),
        ("2023-02-30T00:00Z", InvalidArgument),
        ("2023-11-14T22:13:20.1234567890Z", InvalidArgument),
        ("1700000000", InvalidArgument),
    ],
)
def test_what_is_no_exact_time_is_refused(time: Any, error: type[OtrError]) -> None:
    with pytest.raises(error):
        to_ns(time)


@given(LEGAL)
def test_text_round_trip(time: int) -> None:
    assert to_ns(format_ns(time)) == time


@given(LEGAL)
def test_pandas_and_numpy_agree(time: int) -> None:
    stamp = pd.Timestamp(time, tz="Europe/Copenhagen")
    assert to_ns(stamp) == to_ns(np.datetime64(time, "ns")) == to_ns(stamp.isoformat()) == time


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_500_000_000_250_000_000, "2017-07-14T02:40:00.25Z"),
        (MIN_TIME, "1933-06-20T00:01:35.393153024Z"),
        (MAX_TIME, "2079-08-08T23:55:13.820540928Z"),
        (INT64_MAX, "2262-04-11T23:47:16.854775807Z"),
        (INT64_MIN, "1677-09-21T00:12:43.145224192Z"),
    ],
)
def test_format_ns(time: int, text: str) -> None:
    assert format_ns(time) == text


STAMPS = np.array([T, T + 1, -T], dtype=np.int64)
WHOLE = np.array([SECOND, 0, -SECOND], dtype=np.int64)
SCALE = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def pandas_index(unit: Any) -> Any:
    return pd.DatetimeIndex(WHOLE.view("datetime64[ns]")).tz_localize("UTC").tz_convert(TOKYO).as_unit(unit)


SOURCES: dict[str, Callable[[str], Any]] = {
    "numpy": lambda unit: (WHOLE // SCALE[unit]).view(f"datetime64[{unit}]"),
    "big-endian": lambda unit: (WHOLE // SCALE[unit]).view(f"datetime64[{unit}]").astype(f">M8[{unit}]"),
    "every other": lambda unit: np.repeat((WHOLE // SCALE[unit]).view(f"datetime64[{unit}]"), 2)[::2],
    "pandas index": pandas_index,
    "pandas series": lambda unit: pd.Series(pandas_index(unit)),
    "pandas of arrow": lambda unit: pd.Series(pandas_index(unit)).astype(
        pd.ArrowDtype(pa.timestamp(unit, "UTC"))
    ),
    "pyarrow": lambda unit: pa.array(WHOLE // SCALE[unit], pa.timestamp(unit, "UTC")),
    "pyarrow chunked": lambda unit: pa.chunked_array(
        [pa.array(part, pa.timestamp(unit, "UTC")) for part in np.split(WHOLE // SCALE[unit], [1])]
    ),
}


@pytest.mark.parametrize("unit", list(SCALE))
@pytest.mark.parametrize("source", list(SOURCES))
def test_columns_of_every_unit(source: str, unit: str) -> None:
    times = to_ns_array(SOURCES[source](unit))
    assert times.dtype == np.dtype("=i8")
    assert times.flags.c_contiguous
    assert times.tolist() == WHOLE.tolist()


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_polars_columns(unit: Any) -> None:
    series = pl.Series(WHOLE // SCALE[unit]).cast(pl.Datetime(unit, "UTC"))
    assert to_ns_array(series).tolist() == WHOLE.tolist()


@pytest.mark.parametrize(
    "times",
    [
        STAMPS,
        STAMPS.tolist(),
        tuple(STAMPS),
        iter(STAMPS.tolist()),
        STAMPS.astype(object),
        STAMPS.view("datetime64[ns]"),
        list(STAMPS.view("datetime64[ns]")),
        [format_ns(time) for time in STAMPS.tolist()],
        np.array([format_ns(time) for time in STAMPS.tolist()]),
        pd.Series(STAMPS),
        pd.Series(STAMPS, dtype="Int64"),
        pd.Index(STAMPS),
        pd.to_datetime(STAMPS, unit="ns", utc=True),
        pl.Series(STAMPS),
        pa.array(STAMPS),
        pa.array(STAMPS, pa.timestamp("ns", "UTC")),
        np.ma.masked_array(STAMPS),
    ],
    ids=lambda times: type(times).__name__,
)
def test_columns_keep_every_nanosecond(times: Any) -> None:
    assert to_ns_array(times).tolist() == STAMPS.tolist()


def test_a_pandas_date_range_of_microseconds_is_not_read_as_nanoseconds() -> None:
    index = pd.date_range("2023-11-14T22:13:20Z", periods=2, freq="1s")
    assert to_ns_array(index).tolist() == [SECOND, SECOND + 10**9]


@pytest.mark.parametrize("times", [STAMPS, STAMPS.view("datetime64[ns]")])
def test_nanoseconds_are_not_copied(times: Any) -> None:
    assert np.shares_memory(to_ns_array(times), times)


@pytest.mark.parametrize(
    ("times", "error"),
    [
        (np.array([1.5]), WrongKind),
        ([1.5], WrongKind),
        ([True], WrongKind),
        (np.array([True]), WrongKind),
        (7, WrongKind),
        ("2023-11-14T00:00Z", WrongKind),
        (np.zeros((2, 2), dtype=np.int64), MismatchedColumns),
        (np.array([1 << 63], dtype=np.uint64), TimeOutOfRange),
        ([1 << 63], TimeOutOfRange),
        (np.array([2**55], dtype="datetime64[us]"), TimeOutOfRange),
        (np.array([1, "NaT"], dtype="datetime64[ns]"), InvalidArgument),
        (pd.DatetimeIndex(["2023-11-14"]), NaiveTime),
        (pd.Series(["2023-11-14"], dtype="datetime64[ns]"), NaiveTime),
        (pd.to_datetime(["2023-11-14T00:00Z", "NaT"]), InvalidArgument),
        (pa.array([1], pa.timestamp("ns")), NaiveTime),
        (pl.Series([1]).cast(pl.Datetime("ns")), NaiveTime),
        (pa.array([1, None], pa.timestamp("ns", "UTC")), ValueError),
        (pa.array(["a"]), WrongKind),
        (np.ma.masked_array(STAMPS, mask=[False, True, False]), ValueError),
    ],
)
def test_columns_that_are_no_times_are_refused(times: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        to_ns_array(times)
    assert isinstance(caught.value, OtrError)


def test_a_sliced_arrow_column_is_read_from_its_offset() -> None:
    column = pa.array([None, 1, 2, 3, None], pa.int64())
    assert to_ns_array(column.slice(1, 3)).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (1, 1),
        (np.int64(5), 5),
        (1 << 63, 1 << 63),
        ("17ns", 17),
        ("1us", 1_000),
        ("1µs", 1_000),
        ("100ms", 100_000_000),
        ("1.5s", 1_500_000_000),
        ("5min", 300 * 10**9),
        ("5 m", 300 * 10**9),
        ("1h", 3_600 * 10**9),
        ("2d", 172_800 * 10**9),
        ("1w", 604_800 * 10**9),
        (np.timedelta64(3, "D"), 259_200 * 10**9),
        (np.timedelta64(7, "ns"), 7),
        (dt.timedelta(days=1, microseconds=1), 86_400 * 10**9 + 1_000),
        (pd.Timedelta(7, "ns"), 7),
    ],
)
def test_to_width(width: Any, expected: int) -> None:
    assert to_width(width) == expected


@pytest.mark.parametrize(
    "width",
    [0, -1, (1 << 63) + 1, "0s", "-5s", "1.5ns", "5 fortnights", "min", "", "1mo", np.timedelta64(1, "M")],
)
def test_a_width_must_be_whole_nanoseconds(width: Any) -> None:
    with pytest.raises(InvalidPointWidth):
        to_width(width)


@pytest.mark.parametrize("width", [1.5, True, None])
def test_a_width_must_be_a_width(width: Any) -> None:
    with pytest.raises(WrongKind):
        to_width(width)
