"""Results are columns that NumPy, pandas, polars and Arrow take without losing a nanosecond or a bit."""

from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import InvalidArgument, MissingExtra, WrongKind
from otrdb.joined import Long, Part, Wide, join
from otrdb.model import Kind
from otrdb.results import ALL_COLUMNS, Point, Points, Windows, check_columns

T = 1_700_000_000_123_456_789
TIMES = np.array([T, T, T + 1], dtype=np.int64)
VALUES: dict[Kind, np.ndarray[Any, Any]] = {
    Kind.FLOAT: np.array([0.5, -0.0, 1e300]),
    Kind.INT: np.array([(1 << 62) + 1, 0, -1]),
    Kind.BOOL: np.array([True, False, True]),
}
ARROW = {Kind.FLOAT: pa.float64(), Kind.INT: pa.int64(), Kind.BOOL: pa.bool_()}
UTC = pa.timestamp("ns", "UTC")
ONE, TWO = UUID(int=1), UUID(int=2)


def made(kind: Kind) -> Points:
    return Points(TIMES, VALUES[kind], kind, version=11)


def windows(kind: Kind) -> Windows:
    whole = kind.integer
    columns = {
        **dict.fromkeys(("min", "max", "first", "last"), VALUES[kind][:2]),
        "mean": np.array([0.25, 1.0]),
        "stddev": np.array([0.0, 2.0]),
        "count": np.array([1, 2], dtype=np.uint64),
        "sum": np.array([-(1 << 90), 3], dtype=object) if whole else np.array([0.5, 1.5]),
    }
    return Windows(np.array([T, T + 8]), columns, kind, width=8, version=11)


@pytest.mark.parametrize("kind", list(Kind))
def test_points_are_a_sequence_of_points(kind: Kind) -> None:
    points = made(kind)
    assert len(points) == 3
    assert list(points)[2] == Point(T + 1, VALUES[kind].tolist()[2])
    assert points.to_numpy()[0] is points.times
    assert "11" in repr(points)


@pytest.mark.parametrize("kind", list(Kind))
def test_points_to_arrow(kind: Kind) -> None:
    table = made(kind).to_arrow()
    fields = [pa.field("time", UTC, nullable=False), pa.field("value", ARROW[kind], nullable=False)]
    assert table.schema == pa.schema(fields)
    assert table["time"].cast(pa.int64()).to_pylist() == TIMES.tolist()
    assert table["value"].to_pylist() == VALUES[kind].tolist()
    assert pa.schema(made(kind)) == table.schema


@pytest.mark.parametrize("kind", list(Kind))
def test_points_to_pandas_and_polars(kind: Kind) -> None:
    series = made(kind).to_pandas()
    assert str(series.index.dtype) == "datetime64[ns, UTC]"
    assert series.index.astype("int64").tolist() == TIMES.tolist()
    assert series.dtype == kind.dtype
    frame = made(kind).to_polars()
    assert frame.schema["time"] == pl.Datetime("ns", "UTC")
    assert frame["time"].cast(pl.Int64).to_list() == TIMES.tolist()
    assert frame["value"].to_list() == series.tolist() == VALUES[kind].tolist()


@pytest.mark.parametrize("kind", list(Kind))
def test_no_points_keep_their_types(kind: Kind) -> None:
    empty = Points(np.empty(0, np.int64), np.empty(0, kind.dtype), kind, version=10)
    assert empty.to_arrow().schema == made(kind).to_arrow().schema
    assert len(empty.to_pandas()) == len(empty.to_polars()) == 0


def test_points_share_memory_with_arrow() -> None:
    table = made(Kind.FLOAT).to_arrow()
    column = table["value"].chunk(0).to_numpy()
    assert column.__array_interface__["data"][0] == VALUES[Kind.FLOAT].__array_interface__["data"][0]


@given(st.lists(st.booleans()))
def test_booleans_are_packed_right(flags: list[bool]) -> None:
    times = np.arange(len(flags), dtype=np.int64)
    table = Points(times, np.array(flags, dtype=np.bool_), Kind.BOOL, 11).to_arrow()
    assert table["value"].to_pylist() == flags


@pytest.mark.parametrize("kind", list(Kind))
def test_windows_columns(kind: Kind) -> None:
    result = windows(kind)
    assert len(result) == 2
    assert result["time"] is result.time
    assert result["min"] is result.min
    assert set(result.to_numpy()) == {"time", *ALL_COLUMNS}
    with pytest.raises(InvalidArgument, match="It has time, min"):
        _ = result["median"]
    with pytest.raises(AttributeError):
        _ = result.median


@pytest.mark.parametrize("kind", list(Kind))
def test_windows_to_arrow(kind: Kind) -> None:
    table = windows(kind).to_arrow()
    total = pa.decimal128(38, 0) if kind.integer else pa.float64()
    expected = dict.fromkeys(("min", "max", "first", "last"), ARROW[kind])
    expected |= {"mean": pa.float64(), "stddev": pa.float64(), "count": pa.uint64(), "sum": total}
    assert {field.name: field.type for field in table.schema} == {"time": UTC, **expected}
    assert [int(total) if kind.integer else total for total in table["sum"].to_pylist()] == list(
        windows(kind).sum
    )
    assert table["min"].to_pylist() == windows(kind).min.tolist()


@pytest.mark.parametrize("kind", list(Kind))
def test_windows_to_pandas_and_polars(kind: Kind) -> None:
    frame = windows(kind).to_pandas()
    assert list(frame.columns) == list(windows(kind).columns)
    assert frame["count"].dtype == np.uint64
    assert frame.index.astype("int64").tolist() == [T, T + 8]
    assert windows(kind).to_polars()["max"].to_list() == frame["max"].tolist()


def test_check_columns() -> None:
    assert check_columns(["sum", "min"]) == ("sum", "min")
    assert check_columns("mean") == ("mean",)
    for wrong in (["median"], ["min", "min"], ["time"]):
        with pytest.raises(InvalidArgument):
            check_columns(wrong)


def points_at(*times: int, kind: Kind = Kind.INT) -> Points:
    values = np.arange(1, len(times) + 1).astype(kind.dtype)
    return Points(np.array(times, dtype=np.int64), values, kind, version=11)


def cells(wide: Wide) -> list[tuple[int, list[Any]]]:
    columns = zip(wide.columns, wide.valid, strict=True)
    rows = [[v if ok else None for v, ok in zip(c.tolist(), m.tolist(), strict=True)] for c, m in columns]
    return [(time, [row[at] for row in rows]) for at, time in enumerate(wide.times.tolist())]


def wide(align: str, *parts: Points) -> Wide:
    joined = join([Part(UUID(int=at), points) for at, points in enumerate(parts)], align)
    assert isinstance(joined, Wide)
    return joined


def test_outer_join() -> None:
    joined = wide("outer", points_at(1, 3), points_at(2, 3), points_at())
    assert cells(joined) == [(1, [1, None, None]), (2, [None, 1, None]), (3, [2, 2, None])]


def test_inner_join() -> None:
    assert cells(wide("inner", points_at(1, 3, 4), points_at(0, 3, 4))) == [(3, [2, 2]), (4, [3, 3])]


def test_duplicate_times_pair_up_in_order() -> None:
    joined = wide("outer", points_at(5, 5, 5), points_at(5, 5))
    assert cells(joined) == [(5, [1, 1]), (5, [2, 2]), (5, [3, None])]
    assert cells(wide("inner", points_at(5, 5, 5), points_at(5, 5))) == [(5, [1, 1]), (5, [2, 2])]


@given(st.lists(st.lists(st.integers(0, 6)).map(sorted), max_size=4))
def test_joins_keep_every_point_once(columns: list[list[int]]) -> None:
    parts = [points_at(*times) for times in columns]
    rows = cells(wide("outer", *parts))
    assert [time for time, _ in rows] == sorted(time for time, _ in rows)
    for at, part in enumerate(parts):
        kept = [(time, row[at]) for time, row in rows if row[at] is not None]
        assert kept == list(zip(part.times.tolist(), part.values.tolist(), strict=True))
    full = [(time, row) for time, row in rows if None not in row]
    assert cells(wide("inner", *parts)) == full


def test_a_join_in_every_form() -> None:
    parts = [Part(ONE, points_at(1, 2, kind=Kind.FLOAT)), Part(TWO, points_at(2, kind=Kind.BOOL))]
    joined = join(parts, "outer")
    table = joined.to_arrow()
    assert table.column_names == ["time", str(ONE), str(TWO)]
    assert table[str(TWO)].to_pylist() == [None, True]
    assert joined.to_polars()[str(ONE)].to_list() == [1.0, 2.0]
    frame = joined.to_pandas()
    assert [str(dtype) for dtype in frame.dtypes] == ["float64", "boolean"]
    assert frame[str(TWO)].isna().tolist() == [True, False]


def test_integers_stay_exact_beside_missing_ones() -> None:
    large = Points(np.array([1]), np.array([(1 << 62) + 1]), Kind.INT, 11)
    frame = wide("outer", large, points_at(2)).to_pandas()
    assert str(frame.dtypes.iloc[0]) == "Int64"
    assert frame.iloc[0, 0] == (1 << 62) + 1


def test_a_stream_may_be_joined_with_itself() -> None:
    joined = join([Part(ONE, points_at(1)), Part(ONE, points_at(1))], "outer")
    assert joined.to_pandas().shape == (1, 2)
    with pytest.raises(InvalidArgument, match="one name"):
        joined.to_arrow()


def test_long_form() -> None:
    joined = join([Part(ONE, points_at(1, 3)), Part(TWO, points_at(1, 2))], "long")
    assert isinstance(joined, Long)
    streams, times, values = joined.to_numpy()
    assert list(zip(streams, times, values, strict=True)) == [(0, 1, 1), (1, 1, 1), (1, 2, 2), (0, 3, 2)]
    names = [str(uuid) for uuid in (ONE, TWO, TWO, ONE)]
    assert joined.to_arrow()["stream"].to_pylist() == joined.to_pandas()["stream"].tolist() == names


def test_long_form_needs_one_kind() -> None:
    with pytest.raises(WrongKind, match="outer"):
        join([Part(ONE, points_at(1)), Part(TWO, points_at(1, kind=Kind.BOOL))], "long")


def test_no_streams_join_to_nothing() -> None:
    for align in ("outer", "inner", "long"):
        assert len(join([], align)) == 0


def test_an_unknown_alignment_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        join([], "asof")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    for convert, extra in (("to_arrow", "parquet"), ("to_pandas", "pandas"), ("to_polars", "polars")):
        with pytest.raises(MissingExtra, match=rf"otrdb\[{extra}\]"):
            getattr(made(Kind.FLOAT), convert)()


def test_pandas_reads_the_arrow_stream() -> None:
    pandas: Any = pd  # its stubs do not know from_arrow yet
    assert pandas.DataFrame.from_arrow(made(Kind.INT))["value"].tolist() == VALUES[Kind.INT].tolist()
