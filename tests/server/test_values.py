"""RawValues, Nearest and Changes, as BTrDB's own client sees them."""

import itertools
from typing import Any

import numpy as np
import pytest
from btrdb import exceptions
from btrdb.utils.timez import ns_delta

import otrdb
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME
from otrdb.ranges import PIECE
from otrdb.server.points import POINTS

from .calls import changed, raw, times_of

# --- raw values


def test_a_range_is_half_open(stream: otrdb.Stream, remote: Any) -> None:
    stream.insert([10, 20, 20, 30], [1.0, 2.0, 3.0, 4.0])
    assert [(point.time, point.value) for point, _ in remote.values(10, 30)] == [
        (10, 1.0),
        (20, 2.0),
        (20, 3.0),
    ]
    assert remote.arrow_values(20, 31)["value"].to_pylist() == [2.0, 3.0, 4.0]


def test_all_times_can_be_asked_for(stream: otrdb.Stream, remote: Any) -> None:
    stream.insert([MIN_TIME, 0, LAST_TIME], [1.0, -0.0, 3.0])
    points = remote.values(MIN_TIME, MAX_TIME - 1)
    assert [point.time for point, _ in points] == [MIN_TIME, 0, LAST_TIME]
    assert np.signbit(points[1][0].value)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (5, 4), (MIN_TIME - 1, 5), (0, MAX_TIME), (-(1 << 63), (1 << 63) - 1)]
)
def test_other_ranges_are_refused(client: Any, stream: otrdb.Stream, start: int, end: int) -> None:
    for ask in (client.ep.rawValues, client.ep.arrowRawValues):
        with pytest.raises(exceptions.InvalidTimeRange):
            list(ask(stream.uuid, start, end))
    with pytest.raises(exceptions.InvalidTimeRange):
        client.ep.deleteRange(stream.uuid, start, end)


def test_no_points_are_one_message_with_the_version(client: Any, stream: otrdb.Stream) -> None:
    (message,) = raw(client, "RawValues", uuid=stream.uuid.bytes, start=0, end=5)
    assert (message.versionMajor, message.versionMinor, len(message.values)) == (10, 0, 0)
    assert not message.HasField("stat")
    ((table, version),) = client.ep.arrowRawValues(stream.uuid, 0, 5)
    assert (table.num_rows, table.column_names, version) == (0, ["time", "value"], 10)


def test_the_latest_version_tells_what_is_pending(client: Any, stream: otrdb.Stream) -> None:
    asked = {"uuid": stream.uuid.bytes, "start": 0, "end": 9}
    stream.insert([1, 2], [1.0, 2.0])
    (latest,) = raw(client, "RawValues", **asked)
    assert (latest.versionMajor, latest.versionMinor, len(latest.values)) == (10, 2, 2)
    stream.flush()
    (flushed,) = raw(client, "RawValues", **asked)
    assert (flushed.versionMajor, flushed.versionMinor, len(flushed.values)) == (11, 0, 2)
    stream.insert(3, 3.0)
    (latest,) = raw(client, "RawValues", **asked)
    assert (latest.versionMajor, latest.versionMinor, len(latest.values)) == (11, 1, 3)
    (explicit,) = raw(client, "RawValues", **asked, versionMajor=11)
    assert (explicit.versionMajor, explicit.versionMinor, len(explicit.values)) == (11, 0, 2)


def test_a_version_that_is_asked_for_is_read(stream: otrdb.Stream, remote: Any) -> None:
    for time in range(4):
        stream.insert(time, 1.0)
        assert stream.flush() == 11 + time
    stream.insert(4, 1.0)
    for version, count in ((1, 0), (10, 0), (11, 1), (13, 3), (14, 4), (0, 5)):
        points = remote.values(0, 9, version)
        assert len(points) == count
        assert {told for _, told in points} <= {version or 14}
        assert remote.arrow_values(0, 9, version).num_rows == count
        assert remote.count(0, 8, pointwidth=0, version=version) == count


def test_a_version_that_is_not_there_is_refused(client: Any, stream: otrdb.Stream) -> None:
    stream.insert(1, 1.0)
    for version in (11, 12, (1 << 64) - 1):
        with pytest.raises(exceptions.VersionNotAvailable):
            list(client.ep.rawValues(stream.uuid, 0, 9, version))


def test_long_answers_come_in_messages_of_one_state(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("long")
    count = 2 * PIECE + 5
    stream.insert(np.arange(count) * 1000, np.arange(count, dtype=np.float64))
    messages = []
    for message in client.ep.stub.RawValues(_params(client, stream, 0, MAX_TIME - 1)):
        messages.append(message)
        stream.insert(len(messages) * 1000 + 1, 1.0)  # not seen: the answer is of one state
    assert len(messages) > 8
    assert max(message.ByteSize() for message in messages) < 1 << 20
    assert len({(message.versionMajor, message.versionMinor) for message in messages}) == 1
    assert times_of(messages) == [1000 * index for index in range(count)]


def _params(client: Any, stream: otrdb.Stream, start: int, end: int) -> Any:
    from btrdb.grpcinterface import btrdb_pb2

    return btrdb_pb2.RawValuesParams(uuid=stream.uuid.bytes, start=start, end=end)


def test_points_that_share_a_time_come_in_messages_too(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("stopped clock")
    count = PIECE + POINTS
    stream.insert(np.full(count, 7), np.arange(count, dtype=np.float64))
    messages = raw(client, "RawValues", uuid=stream.uuid.bytes, start=0, end=9)
    assert [point.value for message in messages for point in message.values] == list(range(count))
    assert max(len(message.values) for message in messages) <= POINTS


# --- nearest


def test_nearest_at_the_edges_and_among_duplicates(stream: otrdb.Stream, remote: Any) -> None:
    stream.insert([MIN_TIME, 10, 10, 10, LAST_TIME], [1.0, 2.0, 3.0, 4.0, 5.0])

    def nearest(time: int, backward: bool = False) -> Any:
        found = remote.nearest(time, 0, backward)
        return found and (found[0].time, found[0].value)

    assert nearest(10) == (10, 2.0)
    assert nearest(9) == (10, 2.0)
    assert nearest(11) == (LAST_TIME, 5.0)
    assert nearest(10, backward=True) == (MIN_TIME, 1.0)
    assert nearest(11, backward=True) == (10, 4.0)
    assert nearest(MIN_TIME) == (MIN_TIME, 1.0)
    assert nearest(MIN_TIME, backward=True) is None
    assert nearest(MAX_TIME - 1) is None
    assert nearest(MAX_TIME - 1, backward=True) == (LAST_TIME, 5.0)
    assert remote.earliest()[0].value == 1.0
    assert remote.latest()[0].value == 5.0
    assert remote.current()[0].value == 4.0


def test_nearest_in_an_empty_stream_is_none(client: Any, stream: otrdb.Stream, remote: Any) -> None:
    assert remote.earliest() is None
    assert remote.latest() is None
    with pytest.raises(exceptions.NoSuchPoint):
        client.ep.nearest(stream.uuid, 0, 0, False)


@pytest.mark.parametrize("time", [MIN_TIME - 1, MAX_TIME, -(1 << 63), (1 << 63) - 1])
def test_nearest_to_a_time_outside_is_refused(client: Any, stream: otrdb.Stream, time: int) -> None:
    with pytest.raises(exceptions.InvalidTimeRange):
        client.ep.nearest(stream.uuid, time, 0, False)


def test_nearest_tells_its_version(client: Any, stream: otrdb.Stream, remote: Any) -> None:
    stream.insert(1, 1.0)
    stream.flush()
    stream.insert(2, 2.0)
    assert remote.latest() == remote.nearest(ns_delta(days=1), 0, True)
    assert remote.nearest(9, 0, True)[1] == 11
    point, version = remote.nearest(9, 11, True)
    assert (point.time, version) == (1, 11)


# --- changes


def test_changes(client: Any, stream: otrdb.Stream) -> None:
    stream.insert(np.arange(100) * 10**9, np.zeros(100))
    first = stream.flush()
    stream.insert(5 * 10**9, 1.0)
    second = stream.flush()
    stream.delete(70 * 10**9, 71 * 10**9)
    third = stream.version
    assert changed(client, stream, first, first) == ([], first)
    for older, newer, times in (
        (0, first, [0, 99 * 10**9]),
        (first, second, [5 * 10**9]),
        (second, 0, [70 * 10**9]),
    ):
        ranges, version = changed(client, stream, older, newer)
        assert version == newer or third
        assert all(any(start <= time < end for start, end in ranges) for time in times)
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(ranges))
        coarse, _ = changed(client, stream, older, newer, resolution=50)
        assert all(start % (1 << 50) == end % (1 << 50) == 0 for start, end in coarse)


def test_changes_include_what_is_pending(client: Any, stream: otrdb.Stream) -> None:
    stream.insert(1, 1.0)
    stream.flush()
    stream.insert(1 << 50, 1.0)
    ranges, version = changed(client, stream, 11, 0)
    assert any(start <= 1 << 50 < end for start, end in ranges)
    (message,) = raw(client, "RawValues", uuid=stream.uuid.bytes, start=0, end=1 << 60, versionMajor=version)
    assert len(message.values) == 2
    assert changed(client, stream, version, 0) == ([], version)


def test_many_changed_ranges_come_in_messages(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("scattered")
    spread = np.arange(3000, dtype=np.int64) << 44
    times = np.repeat(spread, 40) + np.tile(np.arange(40) << 30, 3000)
    stream.insert(times, np.zeros(len(times)))
    first = stream.flush()
    stream.insert(spread[::2], np.ones(1500))
    second = stream.flush()
    answers = list(client.ep.changes(stream.uuid, first, second, 40))
    assert all(len(ranges) <= 1000 for ranges, _ in answers)
    assert sum(len(ranges) for ranges, _ in answers) == len(stream.changes(first, second, 40))


def test_changes_of_versions_in_the_wrong_order_are_refused(client: Any, stream: otrdb.Stream) -> None:
    stream.insert(1, 1.0)
    stream.flush()
    for older, newer, code in ((11, 10, "427"), (12, 0, "427"), (10, 12, "450")):
        with pytest.raises(exceptions.BTrDBError) as refused:
            changed(client, stream, older, newer)
        assert isinstance(
            refused.value, exceptions.BTRDBServerError if code == "427" else exceptions.VersionNotAvailable
        )
    with pytest.raises(exceptions.InvalidPointWidth):
        changed(client, stream, 10, 11, resolution=64)


# --- streams that are not there


def test_a_missing_stream_is_told(client: Any, stream: otrdb.Stream) -> None:
    from uuid import uuid4

    unknown = client.stream_from_uuid(uuid4())
    calls: list[Any] = [
        lambda: unknown.values(0, 9),
        lambda: unknown.arrow_values(0, 9),
        lambda: unknown.aligned_windows(0, 9, 1),
        lambda: unknown.arrow_windows(0, 9, 1),
        lambda: client.ep.nearest(unknown.uuid, 0, 0, False),
        lambda: changed(client, unknown, 0, 0),
        lambda: unknown.insert([(1, 1.0)]),
        lambda: client.ep.insert(unknown.uuid, [], "never"),
        lambda: unknown.delete(0, 9),
        lambda: unknown.flush(),
    ]
    for call in calls:
        with pytest.raises(exceptions.StreamNotFoundError, match="stream does not exist"):
            call()


def test_a_uuid_of_another_length_is_refused(client: Any) -> None:
    (message,) = raw(client, "RawValues", uuid=b"short", start=0, end=9)
    assert message.stat.code == 421
