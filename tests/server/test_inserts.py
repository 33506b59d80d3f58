"""Insert, ArrowInsert, Delete and Flush, as BTrDB's own client sees them."""

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from btrdb import exceptions
from btrdb.grpcinterface import btrdb_pb2

import otrdb
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME, Kind
from otrdb.server.writing import POINTS

POLICIES = ["never", "equal", "retain", "replace"]


def table(times: Any, values: Any) -> pa.Table:
    return pa.table(
        {"time": pa.array(times, pa.timestamp("ns", "UTC")), "value": pa.array(values, pa.float64())}
    )


def ipc(given: pa.Table, **options: Any) -> bytes:
    written = io.BytesIO()
    with pa.ipc.new_stream(written, given.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(given)
    return written.getvalue()


def arrow_insert(client: Any, stream: otrdb.Stream, written: bytes, **fields: Any) -> Any:
    params = btrdb_pb2.ArrowInsertParams(uuid=stream.uuid.bytes, arrowBytes=written, **fields)
    return client.ep.stub.ArrowInsert(params)


def insert(client: Any, stream: otrdb.Stream, points: list[tuple[int, float]], **fields: Any) -> Any:
    values = [btrdb_pb2.RawPoint(time=time, value=value) for time, value in points]
    return client.ep.stub.Insert(btrdb_pb2.InsertParams(uuid=stream.uuid.bytes, values=values, **fields))


def pairs(stream: otrdb.Stream) -> list[tuple[int, float]]:
    times, values = stream.values().to_numpy()
    return list(zip(times.tolist(), values.tolist(), strict=True))


# --- what is stored


def test_points_in_any_order_are_stored_as_they_are(stream: otrdb.Stream, remote: Any) -> None:
    points = [
        (30, 5e-324),
        (10, -0.0),
        (20, 1.7976931348623157e308),
        (10, 0.0),
        (0, 0.0),
        (MIN_TIME, 1.0),
        (LAST_TIME, 2.0),
    ]
    assert remote.insert(points) == 10
    expected = sorted(points, key=lambda point: point[0])
    assert pairs(stream) == expected
    assert [str(value) for _, value in pairs(stream)] == [
        str(value) for _, value in expected
    ]  # signs of zeros


def test_an_insert_tells_what_is_pending(client: Any, stream: otrdb.Stream) -> None:
    first = insert(client, stream, [(1, 1.0), (2, 2.0)])
    assert (first.versionMajor, first.versionMinor) == (10, 2)
    second = arrow_insert(client, stream, ipc(table([3], [3.0])))
    assert (second.versionMajor, second.versionMinor) == (10, 3)


def test_an_empty_insert_succeeds(client: Any, stream: otrdb.Stream) -> None:
    assert insert(client, stream, []).versionMajor == 10
    answer = arrow_insert(client, stream, ipc(table([], [])))
    assert (answer.stat.code, answer.versionMajor) == (0, 10)
    assert client.stream_from_uuid(stream.uuid).arrow_insert(table([], [])) == 10
    assert len(stream.values()) == 0


def test_sync_changes_nothing(client: Any, stream: otrdb.Stream) -> None:
    assert insert(client, stream, [(1, 1.0)], sync=True).stat.code == 0


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("by_arrow", [False, True], ids=["protobuf", "arrow"])
def test_fifty_thousand_points_with_duplicates(
    client: Any, archive: otrdb.Archive, policy: Any, by_arrow: bool
) -> None:
    """Duplicates inside the batch, and of points that are there, pending and committed."""
    stream, twin = archive.create("a"), archive.create("b")
    rng = np.random.default_rng(7)
    batches = [
        (rng.integers(0, 20_000, size), rng.integers(0, 3, size).astype(float)) for size in (500, 300, 50_000)
    ]
    remote = client.stream_from_uuid(stream.uuid)
    for number, (times, values) in enumerate(batches):
        if by_arrow:
            remote.arrow_insert(table(times, values), merge=policy)
        else:
            remote.insert(list(zip(times.tolist(), values.tolist(), strict=True)), merge=policy)
        twin.insert(times, values, merge=policy)
        if not number:
            stream.flush()
            twin.flush()
    assert pairs(stream) == pairs(twin)
    assert len(stream.values()) == {"never": 50_800}.get(policy, len(twin.values()))
    unique = len(np.unique(np.concatenate([times for times, _ in batches])))
    assert (len(stream.values()) == unique) == (policy in ("retain", "replace"))


@pytest.mark.parametrize("policy", POLICIES)
def test_duplicates_inside_one_batch(client: Any, archive: otrdb.Archive, policy: Any) -> None:
    points = [(100, 0.0), (105, 1.0), (110, 2.0), (110, 3.0), (110, 2.0), (120, 4.0)]
    kept = {"never": [2.0, 3.0, 2.0], "equal": [2.0, 3.0], "retain": [2.0], "replace": [2.0]}[policy]
    here, there = archive.create("plant/1"), archive.create("plant/2")
    client.stream_from_uuid(here.uuid).insert(points, merge=policy)
    client.stream_from_uuid(there.uuid).arrow_insert(table(*zip(*points, strict=True)), merge=policy)
    for stream in (here, there):
        assert [value for time, value in pairs(stream) if time == 110] == kept


# --- what is refused


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(
    client: Any, stream: otrdb.Stream, remote: Any, value: float
) -> None:
    with pytest.raises(exceptions.BadValue):
        remote.insert([(1, 1.0), (2, value)])
    with pytest.raises(exceptions.BadValue):
        remote.arrow_insert(table([1, 2], [1.0, value]))
    assert pairs(stream) == []


@pytest.mark.parametrize("time", [MIN_TIME - 1, MAX_TIME - 1, MAX_TIME, -(1 << 63), (1 << 63) - 1])
def test_times_outside_are_refused(client: Any, stream: otrdb.Stream, time: int) -> None:
    assert insert(client, stream, [(1, 1.0), (time, 2.0)]).stat.code == 413
    assert (
        arrow_insert(client, stream, ipc(pa.table({"time": [1, time], "value": [1.0, 2.0]}))).stat.code == 413
    )
    assert pairs(stream) == []


def test_rounding_is_refused(client: Any, stream: otrdb.Stream) -> None:
    for bits in (0, 10):
        answer = insert(client, stream, [(1, 1.0)], rounding=btrdb_pb2.RoundSpec(bits=bits))
        assert (answer.stat.code, "never rounded" in answer.stat.msg) == (421, True)
    assert pairs(stream) == []


def test_other_policies_are_refused(client: Any, stream: otrdb.Stream) -> None:
    assert insert(client, stream, [(1, 1.0)], merge_policy=4).stat.code == 421


def test_too_many_points_are_refused(client: Any, stream: otrdb.Stream) -> None:
    empty = btrdb_pb2.InsertParams(uuid=stream.uuid.bytes).SerializeToString() + b"\x1a\x00" * (POINTS + 1)
    assert client.ep.stub.Insert(btrdb_pb2.InsertParams.FromString(empty)).stat.code == 414


# --- Arrow data


@pytest.mark.parametrize(
    "given",
    [
        pa.table({"time": pa.array([1, 2], pa.timestamp("ns", "UTC")), "value": [1.0, 2.0]}),
        pa.table({"value": [1.0, 2.0], "other": [7, 8], "time": pa.array([1, 2], pa.timestamp("ns", "UTC"))}),
        pa.table({"t": [1, 2], "v": pa.array([1.0, 2.0], pa.float32())}),
        pa.table({"t": [1, 2], "v": [1, 2]}),
        pa.concat_tables([pa.table({"time": [1], "value": [1.0]}), pa.table({"time": [2], "value": [2.0]})]),
        pa.table({"time": [0, 1, 2, 3], "value": [9.0, 1.0, 2.0, 9.0]}).slice(1, 2),
    ],
    ids=["plain", "by name", "by position, float32", "integers", "batches", "slice"],
)
def test_columns_by_name_or_position(client: Any, stream: otrdb.Stream, given: pa.Table) -> None:
    assert arrow_insert(client, stream, ipc(given)).stat.code == 0
    assert pairs(stream) == [(1, 1.0), (2, 2.0)]


WRONG = {
    "nothing": b"",
    "no Arrow": b"This is no Arrow data at all, but long enough.",
    "half": ipc(table([1, 2], [1.0, 2.0]))[:-150],
    "compressed": ipc(table(np.arange(1000), np.zeros(1000)), compression="zstd"),
    "one column": ipc(pa.table({"time": [1]})),
    "three columns": ipc(pa.table({"a": [1], "b": [1.0], "c": [1.0]})),
    "text": ipc(pa.table({"time": [1], "value": ["1.0"]})),
    "nested": ipc(pa.table({"time": [1], "value": [[1.0]]})),
    "dictionary": ipc(pa.table({"time": [1], "value": pa.array(["a"]).dictionary_encode()})),
    "nulls": ipc(pa.table({"time": [1, 2], "value": pa.array([1.0, None])})),
    "no zone": ipc(pa.table({"time": pa.array([1], pa.timestamp("ns")), "value": [1.0]})),
}


@pytest.mark.parametrize("written", WRONG.values(), ids=WRONG.keys())
def test_other_arrow_data_are_refused(client: Any, stream: otrdb.Stream, written: bytes) -> None:
    answer = arrow_insert(client, stream, written)
    assert answer.stat.code in (413, 421, 425, 438)
    assert pairs(stream) == []


def test_broken_arrow_data_are_an_invalid_parameter(client: Any, stream: otrdb.Stream) -> None:
    for name in ("nothing", "no Arrow", "half", "compressed"):
        assert arrow_insert(client, stream, WRONG[name]).stat.code == 438


# --- kinds


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.INT, [3.0, -(2.0**63), 2.0**53], [0.5, 2.0**63, 1e300]),
        (Kind.BOOL, [0.0, 1.0, -0.0], [2.0, 0.5, -1.0]),
    ],
)
def test_doubles_become_the_streams_kind_or_are_refused(
    client: Any, archive: otrdb.Archive, kind: Kind, good: list[float], bad: list[float]
) -> None:
    stream = archive.create("plant", kind=kind)
    remote = client.stream_from_uuid(stream.uuid)
    remote.insert(list(enumerate(good)))
    remote.arrow_insert(table([10, 11, 12], good))
    times, values = stream.values().to_numpy()
    assert values.dtype == kind.dtype
    assert values.tolist() == good * 2
    assert [point.value for point, _ in remote.values(0, 99)] == good * 2
    assert remote.arrow_values(0, 99)["value"].to_pylist() == good * 2
    assert remote.latest()[0].value == good[-1]
    for value in bad:
        for answer in (
            insert(client, stream, [(1, 1.0), (2, value)]),
            arrow_insert(client, stream, ipc(table([1, 2], [1.0, value]))),
        ):
            assert answer.stat.code == 421
    assert len(stream.values()) == len(times)


def test_windows_of_other_kinds_are_doubles(client: Any, archive: otrdb.Archive) -> None:
    counter, door = archive.create("a", kind="int"), archive.create("b", kind="bool")
    counter.insert([1, 2, 3], [2**60, 2**60 + 1, 4])
    door.insert([1, 2, 3], [True, False, True])
    ((window, _),) = client.stream_from_uuid(counter.uuid).aligned_windows(0, 4, 2)
    assert (window.min, window.max, window.count) == (4.0, float(2**60), 3)
    ((window, _),) = client.stream_from_uuid(door.uuid).windows(0, 4, 4)
    assert (window.min, window.max, window.mean) == (0.0, 1.0, pytest.approx(2 / 3))


# --- delete and flush


def test_a_delete_is_a_version(client: Any, stream: otrdb.Stream, remote: Any) -> None:
    assert remote.delete(0, 10) == 11  # of a stream that was never written
    remote.insert([(1, 1.0), (2, 2.0), (3, 3.0)])
    answer = client.ep.stub.Delete(btrdb_pb2.DeleteParams(uuid=stream.uuid.bytes, start=2, end=3))
    assert (answer.versionMajor, answer.versionMinor) == (13, 0)  # pending points first get one of their own
    assert [point.time for point, _ in remote.values(0, 9)] == [1, 3]
    assert [point.time for point, _ in remote.values(0, 9, 12)] == [1, 2, 3]
    assert remote.delete(100, 200) == 14
    assert stream.version == 14
    remote.insert([(2, 9.0)])
    assert [point.value for point, _ in remote.values(0, 9)] == [1.0, 9.0, 3.0]
    assert remote.delete(MIN_TIME, MAX_TIME - 1) == 16
    assert remote.values(0, 9) == []


def test_a_flush_commits_once(client: Any, stream: otrdb.Stream, remote: Any) -> None:
    def flush() -> tuple[int, int]:
        answer = client.ep.stub.Flush(btrdb_pb2.FlushParams(uuid=stream.uuid.bytes))
        return answer.versionMajor, answer.versionMinor

    assert flush() == (10, 0)
    remote.insert([(1, 1.0)])
    assert flush() == (11, 0)
    assert flush() == (11, 0)
    assert [point.time for point, _ in remote.values(0, 9, 11)] == [1]
