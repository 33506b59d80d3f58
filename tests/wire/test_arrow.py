"""Arrow streams: what is written here pyarrow reads, and what is broken is refused."""

import contextlib
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import BadValue, InvalidArrow, OtrError
from otrdb.wire import arrow, arrow_reading

TYPES = {"tsn:UTC": pa.timestamp("ns", "UTC"), "g": pa.float64(), "L": pa.uint64()}


def written(columns: dict[str, tuple[str, Any]]) -> bytes:
    fields = tuple(arrow.Field(name, form) for name, (form, _) in columns.items())
    return b"".join(arrow.stream(arrow.schema(fields), [column for _, column in columns.values()]))


@given(rows=st.integers(0, 70), forms=st.lists(st.sampled_from(sorted(TYPES)), min_size=1, max_size=9))
def test_pyarrow_reads_what_is_written(rows: int, forms: list[str]) -> None:
    rng = np.random.default_rng(rows)
    words = [rng.integers(-(1 << 60), 1 << 60, rows) for _ in forms]
    columns = {
        f"column {i}": (form, words[i].view(np.float64 if form == "g" else np.int64))
        for i, form in enumerate(forms)
    }
    table = pa.ipc.open_stream(written(columns)).read_all()
    table.validate(full=True)
    assert table.schema == pa.schema(
        [pa.field(name, TYPES[form], nullable=False) for name, (form, _) in columns.items()]
    )
    for column, given_words in zip(table.columns, words, strict=True):
        numbers = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        assert np.frombuffer(numbers.buffers()[1] or b"", np.int64)[:rows].tolist() == given_words.tolist()


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float32, np.float16])
@pytest.mark.parametrize("rows", [0, 1, 7, 8])
def test_narrow_columns_are_padded(dtype: Any, rows: int) -> None:
    schema = pa.schema([pa.field("a", pa.from_numpy_dtype(dtype), nullable=False), pa.field("b", pa.int64())])
    empty = io.BytesIO()
    pa.ipc.new_stream(empty, schema).close()
    template = arrow_reading.template(empty.getvalue())
    columns = [np.arange(rows).astype(dtype), np.arange(rows)]
    table = pa.ipc.open_stream(b"".join(arrow.stream(template.message, columns))).read_all()
    assert table.schema == schema
    assert [column.to_pylist() for column in table.columns] == [column.tolist() for column in columns]


def test_names_may_be_anything() -> None:
    columns = {"": ("g", np.zeros(1)), "Wärme 💡": ("g", np.zeros(1)), "x" * 300: ("g", np.zeros(1))}
    assert pa.ipc.open_stream(written(columns)).read_all().column_names == list(columns)


POINTS = pa.table({"time": pa.array(range(50), pa.timestamp("ns", "UTC")), "value": np.linspace(0, 1, 50)})


def ipc(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_what_pyarrow_writes_is_read() -> None:
    columns = arrow_reading.read(ipc(POINTS))
    assert columns["time"].view(np.int64).tolist() == list(range(50))
    assert columns["value"].tobytes() == POINTS["value"].to_numpy().tobytes()


COLUMNS = {
    pa.int8(): st.integers(-128, 127),
    pa.uint16(): st.integers(0, 65_535),
    pa.int32(): st.integers(-(1 << 31), (1 << 31) - 1),
    pa.uint64(): st.integers(0, (1 << 64) - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.timestamp("ms", "UTC"): st.integers(-(1 << 40), 1 << 40),
    pa.timestamp("ns", "Asia/Tokyo"): st.integers(-(1 << 60), 1 << 60),
}


@given(
    data=st.data(),
    kinds=st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=4),
    rows=st.integers(0, 40),
)
def test_every_kind_of_column_is_read(data: st.DataObject, kinds: list[Any], rows: int) -> None:
    """In several batches, sliced, and with a bitmap that says that nothing is null."""
    columns = [data.draw(st.lists(COLUMNS[kind], min_size=rows, max_size=rows)) for kind in kinds]
    arrays = [pa.array([*column, None], kind)[:-1] for kind, column in zip(kinds, columns, strict=True)]
    table = pa.table(arrays, [str(index) for index in range(len(kinds))])
    start = data.draw(st.integers(0, rows))
    cut = pa.concat_tables([table.slice(start), table.slice(0, start)])
    found = arrow_reading.read(ipc(cut))
    for name, column in zip(cut.column_names, cut.columns, strict=True):
        numbers = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
        values = found[name].view(np.int64) if found[name].dtype.kind == "M" else found[name]
        assert values.tolist() == numbers.to_pylist()
        assert found[name].flags.owndata


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": pa.array([1, None])}),
        pa.table({"a": pa.array([True, None])}),
        pa.table({"a": pa.array([None, 1.5])}).slice(0, 1),
    ],
)
def test_nulls_are_refused(table: pa.Table) -> None:
    with pytest.raises(BadValue, match=r"Row \d of the column 'a' is null"):
        arrow_reading.read(ipc(table))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ipc(pa.table({"a": ["text"]})), "neither numbers nor times"),
        (ipc(pa.table({"a": [b"bytes"]})), "neither numbers nor times"),
        (ipc(pa.table({"a": [[1.0]]})), "neither numbers nor times"),
        (ipc(pa.table({"a": pa.nulls(3)})), "neither numbers nor times"),
        (ipc(pa.table({"a": pa.array([1], pa.duration("ns"))})), "neither numbers nor times"),
        (ipc(pa.table({"a": pa.array(["x"]).dictionary_encode()})), "dictionary"),
        (
            ipc(pa.table({str(index): [1] for index in range(arrow_reading.MOST_COLUMNS + 1)})),
            "cannot be read",
        ),
        (ipc(pa.table({"x" * 5000: [1]})), "cannot be read"),
        (ipc(POINTS)[:-20], "cannot be read"),
        (b"ARROW1\0\0" + ipc(POINTS), "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_other_streams_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidArrow, match=words):
        arrow_reading.read(data)


def read_or_refused(data: bytes) -> None:
    for read in (arrow_reading.read, arrow_reading.template):
        with contextlib.suppress(OtrError):
            read(data)


@given(data=st.data())
def test_changed_bytes_are_read_or_refused(data: st.DataObject) -> None:
    changed = bytearray(ipc(POINTS))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255) | st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    read_or_refused(bytes(changed))


@given(data=st.data())
def test_cut_bytes_are_read_or_refused(data: st.DataObject) -> None:
    whole = ipc(POINTS)
    start, end = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    read_or_refused(whole[:start] + whole[end:])


@given(data=st.binary(max_size=100))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidArrow):
        arrow_reading.read(b"\xff\xff\xff\xff" + data)
    read_or_refused(data)
