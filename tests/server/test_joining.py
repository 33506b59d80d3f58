"""ArrowMultiValues and templates, as BTrDB's own client sees them."""

from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import otrdb
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME
from otrdb.server import joining

from .calls import raw

SECOND = 1_000_000_000


def stored(archive: otrdb.Archive, *columns: tuple[Any, Any]) -> list[otrdb.Stream]:
    streams = [archive.create(f"plant/{number}") for number in range(len(columns))]
    for stream, (times, values) in zip(streams, columns, strict=True):
        stream.insert(times, values)
    return streams


def ask(
    client: Any,
    streams: list[Any],
    start: int,
    end: int,
    period: int = 0,
    versions: Any = None,
    schema: Any = None,
) -> Any:
    uuids = [stream.uuid for stream in streams]
    found = list(client.ep.arrowMultiValues(uuids, start, end, versions or [0] * len(uuids), period, schema))
    return pa.concat_tables(found)


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    times = table.column(0).cast(pa.int64()).to_pylist()
    cells = [
        [None if value != value else value for value in column.to_pylist()] for column in table.columns[1:]
    ]
    return list(zip(times, *cells, strict=True))


def code(client: Any, **fields: Any) -> int:
    (message,) = raw(client, "ArrowMultiValues", **fields)
    found: int = message.stat.code
    return found


# --- joins


def test_an_outer_join_with_nan(client: Any, archive: otrdb.Archive) -> None:
    here, there = stored(archive, ([100, 105, 110], [0.0, 1.0, 2.0]), ([101, 110, 119], [5.0, 7.0, 9.0]))
    table = ask(client, [here, there], 100, 119)
    assert rows(table) == [(100, 0.0, None), (101, None, 5.0), (105, 1.0, None), (110, 2.0, 7.0)]
    assert table.column_names == ["time", str(here.uuid), str(there.uuid)]
    assert table.schema.field(0).type == pa.timestamp("ns", "UTC")
    assert not any(field.nullable for field in table.schema)


def test_duplicate_times_pair_up_one_by_one(client: Any, archive: otrdb.Archive) -> None:
    streams = stored(archive, ([5, 5, 5], [1.0, 2.0, 3.0]), ([5, 5], [7.0, 8.0]))
    assert rows(ask(client, streams, 0, 9)) == [(5, 1.0, 7.0), (5, 2.0, 8.0), (5, 3.0, None)]


def test_a_stream_may_be_named_twice(client: Any, archive: otrdb.Archive) -> None:
    (stream,) = stored(archive, ([1, 2], [1.0, 2.0]))
    assert rows(ask(client, [stream, stream], 0, 9)) == [(1, 1.0, 1.0), (2, 2.0, 2.0)]


def test_nothing_is_one_table_without_rows(client: Any, archive: otrdb.Archive) -> None:
    streams = stored(archive, ([], []), ([100], [1.0]))
    for period in (0, 10):
        table = ask(client, streams, 0, 9, period)
        assert (table.num_rows, table.num_columns) == (0, 3)


def test_each_stream_has_its_version(client: Any, archive: otrdb.Archive) -> None:
    here, there = stored(archive, (1, 1.0), (1, 2.0))
    versions = [here.flush(), there.flush()]
    archive.insert({here: (2, 3.0), there: (2, 4.0)})
    assert rows(ask(client, [here, there], 0, 9, versions=versions)) == [(1, 1.0, 2.0)]
    assert rows(ask(client, [here, there], 0, 9, versions=[0, versions[1]])) == [
        (1, 1.0, 2.0),
        (2, 3.0, None),
    ]


def test_other_kinds_are_doubles(client: Any, archive: otrdb.Archive) -> None:
    counter, door = archive.create("a", kind="int"), archive.create("b", kind="bool")
    counter.insert([1, 2], [7, 8])
    door.insert(2, True)
    assert rows(ask(client, [counter, door], 0, 9)) == [(1, 7.0, None), (2, 8.0, 1.0)]


def test_long_joins_come_in_messages(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "READ", 3000)
    monkeypatch.setattr(joining, "MESSAGE", 1 << 14)
    rng = np.random.default_rng(7)
    streams = stored(
        archive, *[(np.sort(rng.integers(0, 1 << 40, 5000)), rng.normal(size=5000)) for _ in range(3)]
    )
    uuids = [stream.uuid.bytes for stream in streams]
    messages = raw(client, "ArrowMultiValues", uuid=uuids, start=0, end=1 << 41)
    assert len(messages) > 20
    assert max(message.ByteSize() for message in messages) < 1 << 15
    expected = archive.values(streams, 0, 1 << 41)
    assert isinstance(expected, otrdb.Wide)
    table = ask(client, streams, 0, 1 << 41)
    assert table.column(0).cast(pa.int64()).to_pylist() == expected.times.tolist()
    for column, values in zip(table.columns[1:], expected.columns, strict=True):
        assert column.to_numpy().tobytes() == values.tobytes()


def test_joins_that_are_refused(client: Any, archive: otrdb.Archive) -> None:
    (stream,) = stored(archive, (1, 1.0))
    uuid = stream.uuid.bytes
    assert code(client, uuid=[uuid, uuid], versionMajor=[0], start=0, end=9) == 421
    assert code(client, uuid=[], start=0, end=9) == 421
    assert code(client, uuid=[uuid], start=0, end=9, snapPeriodNs=-1) == 421
    assert code(client, uuid=[uuid], start=9, end=9) == 413
    assert code(client, uuid=[uuid], start=0, end=MAX_TIME) == 413
    assert code(client, uuid=[uuid], start=0, end=9, versionMajor=[99]) == 450
    assert code(client, uuid=[uuid, UUID(int=7).bytes], start=0, end=9) == 404
    assert code(client, uuid=[b"short"], start=0, end=9) == 421


# --- snapping


def snapped(times: list[int], values: list[float], start: int, end: int, period: int) -> dict[int, float]:
    """To the nearest time of the grid, halfway to the later; of several the nearest point, of two as near the
    earlier, of equal times the first."""
    found: dict[int, tuple[int, float]] = {}
    for time, value in sorted(zip(times, values, strict=True), key=lambda point: point[0]):
        cell = (2 * (time - start) + period) // (2 * period)
        at = start + cell * period
        if cell >= 0 and at < end and (at not in found or abs(time - at) < found[at][0]):
            found[at] = abs(time - at), value
    return {at: value for at, (_, value) in sorted(found.items())}


def test_points_on_both_sides_of_a_time_of_the_grid(client: Any, archive: otrdb.Archive) -> None:
    half = SECOND // 2
    streams = stored(
        archive, ([half, 2 * SECOND + half], [1.0, 2.0]), ([half - 1, 2 * SECOND - half], [3.0, 4.0])
    )
    assert rows(ask(client, streams, SECOND, 3 * SECOND, SECOND)) == [
        (SECOND, 1.0, None),
        (2 * SECOND, None, 4.0),
    ]


@pytest.mark.parametrize("end", [2_900_000_000, 3_000_000_000])
def test_a_point_that_belongs_behind_the_end_is_left_out(
    client: Any, archive: otrdb.Archive, end: int
) -> None:
    streams = stored(archive, ([SECOND, 2_750_000_000], [1.0, 2.0]))
    assert rows(ask(client, streams, SECOND, end, SECOND)) == [(SECOND, 1.0)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    points=st.lists(st.lists(st.integers(-40, 240), max_size=30), min_size=1, max_size=3),
    start=st.integers(-20, 100),
    length=st.integers(1, 150),
    period=st.integers(1, 60) | st.sampled_from([1 << 61, (1 << 63) - 1]),
    read=st.sampled_from([1, 4, 1000]),
)
def test_snapping(
    client: Any,
    archive: otrdb.Archive,
    monkeypatch: pytest.MonkeyPatch,
    points: list[list[int]],
    start: int,
    length: int,
    period: int,
    read: int,
) -> None:
    monkeypatch.setattr(joining, "READ", read)
    values = [[float(index) for index in range(len(times))] for times in points]
    streams = [archive.create("snapped", tags={"name": str(number)}) for number in range(len(points))]
    for stream, *columns in zip(streams, points, values, strict=True):
        stream.insert(*columns)
    expected = [
        snapped(*columns, start, start + length, period) for columns in zip(points, values, strict=True)
    ]
    times = sorted({time for column in expected for time in column})
    found = rows(ask(client, streams, start, start + length, period))
    for stream in streams:
        stream.obliterate()
    assert found == [(time, *(column.get(time) for column in expected)) for time in times]


def test_snapping_at_the_ends_of_time(client: Any, archive: otrdb.Archive) -> None:
    streams = stored(archive, ([MIN_TIME, LAST_TIME], [1.0, 2.0]))
    assert rows(ask(client, streams, MIN_TIME, MAX_TIME - 1, 1 << 61)) == [(MIN_TIME, 1.0)]
    last = MIN_TIME + (LAST_TIME - MIN_TIME) // 5 * 5
    assert rows(ask(client, streams, MIN_TIME, MAX_TIME - 1, 5)) == [(MIN_TIME, 1.0), (last, 2.0)]


# --- templates


def schema(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])


def values(client: Any, stream: otrdb.Stream, wanted: pa.Schema, **fields: Any) -> Any:
    template = pa.BufferOutputStream()
    pa.ipc.new_stream(template, wanted).close()
    asked = {
        "uuid": stream.uuid.bytes,
        "start": 0,
        "end": 1 << 60,
        "templateBytes": template.getvalue().to_pybytes(),
    }
    return raw(client, "ArrowRawValues", **{**asked, **fields})


@pytest.mark.parametrize(
    ("time", "value", "times", "numbers"),
    [
        (pa.int64(), pa.float64(), [1000, 2000], [1.0, 2.5]),
        (pa.timestamp("us", "UTC"), pa.float32(), [1, 2], [1.0, 2.5]),
        (pa.timestamp("ns", "Europe/Copenhagen"), pa.float16(), [1000, 2000], [1.0, 2.5]),
        (pa.timestamp("ns"), pa.float64(), [1000, 2000], [1.0, 2.5]),
    ],
)
def test_templates(
    client: Any, archive: otrdb.Archive, time: Any, value: Any, times: list[int], numbers: list[float]
) -> None:
    (stream,) = stored(archive, ([1000, 2000], [1.0, 2.5]))
    wanted = schema(("t", time), ("v", value)).with_metadata({"made": "by hand"})
    table = client.stream_from_uuid(stream.uuid).arrow_values(0, 1 << 60, schema=wanted)
    assert table.schema.equals(wanted, check_metadata=True)
    assert table["t"].cast(pa.int64()).to_pylist() == times
    assert [float(each) for each in table["v"].to_pylist()] == numbers
    empty = client.stream_from_uuid(stream.uuid).arrow_values(0, 1, schema=wanted)
    assert (empty.num_rows, empty.schema) == (0, wanted)


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()]
)
def test_whole_numbers_become_integers(client: Any, archive: otrdb.Archive, kind: pa.DataType) -> None:
    whole, broken = stored(archive, ([1, 2], [3.0, 100.0]), ([1, 2], [3.0, 0.5]))
    wanted = schema(("time", pa.int64()), ("value", kind))
    (message,) = values(client, whole, wanted)
    assert pa.ipc.open_stream(message.arrowBytes).read_all()["value"].to_pylist() == [3, 100]
    assert values(client, broken, wanted)[-1].stat.code == 438


BORDERS = [("int8", 7), ("uint8", 8), ("int32", 31), ("uint32", 32), ("int64", 63), ("uint64", 64)]


@pytest.mark.parametrize(("name", "bits"), BORDERS)
def test_integers_at_the_border_of_their_type(
    client: Any, archive: otrdb.Archive, name: str, bits: int
) -> None:
    """The next power of two does not fit, the greatest double below it does."""
    border = 2.0**bits
    largest = border - 1 if bits < 53 else float(np.nextafter(border, 0))
    inside, outside = stored(archive, ([1, 2], [0.0, largest]), ([1], [border]))
    wanted = schema(("time", pa.int64()), ("value", pa.type_for_alias(name)))
    (message,) = values(client, inside, wanted)
    assert pa.ipc.open_stream(message.arrowBytes).read_all()["value"].to_pylist() == [0, int(largest)]
    assert values(client, outside, wanted)[-1].stat.code == 438


@pytest.mark.parametrize(
    "wanted",
    [
        schema(("time", pa.int64())),
        schema(("time", pa.int64()), ("value", pa.float64()), ("more", pa.float64())),
        schema(("time", pa.string()), ("value", pa.float64())),
        schema(("time", pa.int32()), ("value", pa.float64())),
        schema(("time", pa.int64()), ("value", pa.string())),
        schema(("time", pa.int64()), ("value", pa.bool_())),
        schema(("time", pa.int64()), ("value", pa.timestamp("ns"))),
        schema(("time", pa.timestamp("s", "UTC")), ("value", pa.float64())),
        schema(("time", pa.int64()), ("value", pa.dictionary(pa.int8(), pa.float64()))),
    ],
)
def test_templates_that_do_not_fit_are_refused(
    client: Any, archive: otrdb.Archive, wanted: pa.Schema
) -> None:
    (stream,) = stored(archive, ([1000], [1.0]))
    assert [message.stat.code for message in values(client, stream, wanted)] == [438]


@pytest.mark.parametrize("template", [b"no schema", b"\xff\xff\xff\xff\x10\x00\x00\x00short", b"\xff" * 40])
def test_a_template_that_is_none_is_refused(client: Any, archive: otrdb.Archive, template: bytes) -> None:
    (stream,) = stored(archive, ([1000], [1.0]))
    assert values(client, stream, schema(), templateBytes=template)[0].stat.code == 438


def test_a_join_by_template(client: Any, archive: otrdb.Archive) -> None:
    streams = stored(archive, ([1, 2], [0.5, 1.5]), (2, 7.0))
    wanted = schema(("t", pa.int64()), ("a", pa.float32()), ("b", pa.float64()))
    table = ask(client, streams, 0, 9, schema=wanted)
    assert table.schema == wanted
    assert rows(table) == [(1, 0.5, None), (2, 1.5, 7.0)]
