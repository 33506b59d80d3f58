"""GenerateCSV: rows of several streams side by side, joined on time."""

from typing import Any, NamedTuple
from uuid import UUID

import pytest
from btrdb import exceptions
from hypothesis import given
from hypothesis import strategies as st

import otrdb
from otrdb.server import csv
from otrdb.server.rpc import Door
from otrdb.testing import FaultyMedium, opened
from otrdb.times import format_ns
from otrdb.wire import btrdb as wire
from tests.server.asking import UNKNOWN, make, refused


class QueryType(NamedTuple):
    number: int

    def to_proto(self) -> int:
        return self.number


ALIGNED, WINDOWS, RAW = map(QueryType, range(3))
TIMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"]
FIRST = 1_500_000_000_000_000_000


def rows(
    client: Any,
    query: QueryType,
    start: int,
    end: int,
    *streams: tuple[int, str, UUID],
    width: int = 0,
    depth: int = 0,
    versions: bool = False,
) -> list[list[str]]:
    found = client.ep.generateCSV(query, start, end, width, depth, versions, *streams)
    return [list(row) for row in found]


@pytest.fixture
def heat(client: Any, archive: otrdb.Archive) -> otrdb.Stream:
    """Ten points, 100 ms apart, of 1 to 10."""
    stream = archive.stream(make(client, name="heat").uuid)
    stream.insert([FIRST + n * 10**8 for n in range(10)], [float(n) for n in range(1, 11)])
    return stream


def test_points_are_joined_on_time(client: Any, archive: otrdb.Archive) -> None:
    one, two = archive.create("a"), archive.create("b")
    one.insert([1, 2, 2, 2_500_000_000], [1.0, -0.5, 7.25, 1e7])
    two.insert([2, 3], [2.0, 1 / 3])
    assert rows(client, RAW, 0, 10**10, (0, "one", one.uuid), (0, "two", two.uuid)) == [
        [*TIMES, "one", "two"],
        ["1", "1970-01-01T00:00:00.000000001Z", "1.000000", ""],
        ["2", "1970-01-01T00:00:00.000000002Z", "-0.500000", "2.000000"],
        ["2", "1970-01-01T00:00:00.000000002Z", "7.250000", ""],
        ["3", "1970-01-01T00:00:00.000000003Z", "", "0.333333"],
        ["2500000000", "1970-01-01T00:00:02.5Z", "10000000.000000", ""],
    ]


def test_the_first_message_alone_is_a_header(client: Any, heat: otrdb.Stream) -> None:
    request = wire.GenerateCSVParams(queryType="RAW_QUERY", startTime=FIRST, endTime=FIRST + 2)
    request.streams.add(label="heat", uuid=heat.uuid.bytes)
    from btrdb.grpcinterface import btrdb_pb2 as pb

    messages = list(client.ep.stub.GenerateCSV(pb.GenerateCSVParams.FromString(request.SerializeToString())))
    assert [message.isHeader for message in messages] == [True, False]


def test_aligned_windows_have_four_columns(client: Any, heat: otrdb.Stream) -> None:
    header, *found = rows(client, ALIGNED, FIRST, FIRST + 10**9, (0, "heat", heat.uuid), depth=28)
    assert header == [*TIMES, "heat (Min)", "heat (Mean)", "heat (Max)", "heat (Count)"]
    assert [row[0] for row in found] == [
        "1499999999814008832", "1500000000082444288", "1500000000350879744", "1500000000619315200",
    ]  # fmt: skip
    assert found[1][2:] == ["2.000000", "3.000000", "4.000000", "3"]
    assert found[3][2:] == ["8.000000", "8.500000", "9.000000", "2"]


def test_windows_report_the_empty_ones(client: Any, heat: otrdb.Stream) -> None:
    header, *found = rows(
        client, WINDOWS, FIRST, FIRST + 15 * 10**8, (0, "heat", heat.uuid), width=3 * 10**8, depth=5
    )
    assert len(header) == 6
    assert [row[2:] for row in found] == [
        ["1.000000", "2.000000", "3.000000", "3"],
        ["4.000000", "5.000000", "6.000000", "3"],
        ["7.000000", "8.000000", "9.000000", "3"],
        ["10.000000", "10.000000", "10.000000", "1"],
        ["0.000000", "0.000000", "0.000000", "0"],
    ]


def test_aligned_windows_of_streams_without_points_are_empty_cells(
    client: Any, archive: otrdb.Archive
) -> None:
    one, two = archive.create("a"), archive.create("b")
    one.insert([0, 5], [1.0, 2.0])
    two.insert(9, 3.0)
    _, *found = rows(client, ALIGNED, 0, 16, (0, "a", one.uuid), (0, "b", two.uuid), depth=2)
    assert [row[0] for row in found] == ["0", "4", "8"]
    assert found[0][2:] == ["1.000000", "1.000000", "1.000000", "1", "", "", "", ""]
    assert found[2][2:] == ["", "", "", "", "3.000000", "3.000000", "3.000000", "1"]


def test_a_version_is_read_and_told(client: Any, heat: otrdb.Stream) -> None:
    before = heat.flush()
    heat.insert(FIRST + 1, 0.5)
    latest = heat.flush()
    asked = [(before, "then", heat.uuid), (0, "now", heat.uuid)]
    header, *found = rows(client, RAW, FIRST, FIRST + 2, *asked, versions=True)
    assert header[2:] == [f"then, ver. {before}", f"now, ver. {latest}"]
    assert [row[2:] for row in found] == [["1.000000", "1.000000"], ["", "0.500000"]]
    header = rows(client, ALIGNED, 0, 2, *asked[:1], versions=True)[0]
    assert header[2] == f"then, ver. {before} (Min)"


def test_ints_and_bools_are_written_as_floats(client: Any, archive: otrdb.Archive) -> None:
    pulses, door = archive.create("a", kind="int"), archive.create("b", kind="bool")
    archive.insert({pulses: (1, 2**53), door: (1, True)})
    asked = [(0, "", pulses.uuid), (0, "", door.uuid)]
    assert rows(client, RAW, 0, 2, *asked)[1][2:] == ["9007199254740992.000000", "1.000000"]
    assert rows(client, WINDOWS, 0, 2, *asked, width=2)[1][6:] == ["1.000000", "1.000000", "1.000000", "1"]


def test_no_streams_and_no_points_give_a_header(client: Any, heat: otrdb.Stream) -> None:
    for query in (ALIGNED, WINDOWS, RAW):
        assert rows(client, query, 0, 10, width=3) == [TIMES]
        assert len(rows(client, query, 0, 2, (0, "heat", heat.uuid), width=3, depth=3)) == 1


def test_the_whole_of_time_can_be_asked_for(client: Any, heat: otrdb.Stream) -> None:
    asked = (0, "heat", heat.uuid)
    assert len(rows(client, RAW, otrdb.MIN_TIME, otrdb.MAX_TIME - 1, asked)) == 11
    assert len(rows(client, ALIGNED, otrdb.MIN_TIME, otrdb.MAX_TIME - 1, asked, depth=0)) == 11
    assert rows(client, ALIGNED, otrdb.MIN_TIME, otrdb.MAX_TIME, asked, depth=62)[1][5] == "10"
    width = otrdb.MAX_TIME - otrdb.MIN_TIME
    assert rows(client, WINDOWS, otrdb.MIN_TIME, otrdb.MAX_TIME, asked, width=width)[1][5] == "10"


def test_what_cannot_be_asked(client: Any, heat: otrdb.Stream) -> None:
    asked = (0, "heat", heat.uuid)
    for query in (ALIGNED, WINDOWS, RAW):
        for start, end in ((5, 5), (6, 5), (otrdb.MIN_TIME - 1, 5), (5, otrdb.MAX_TIME + 1)):
            assert refused(rows, client, query, start, end, asked, width=1) is exceptions.InvalidTimeRange
        assert refused(rows, client, query, 0, 5, (0, "", UNKNOWN), width=1) is exceptions.StreamNotFoundError
        assert (
            refused(rows, client, query, 0, 5, (99, "", heat.uuid), width=1) is exceptions.VersionNotAvailable
        )
    for depth in (63, 2**32 - 1):
        assert refused(rows, client, ALIGNED, 0, 5, asked, depth=depth) is exceptions.InvalidPointWidth
    for width in (0, 2**63 + 1):
        assert refused(rows, client, WINDOWS, 0, 5, asked, width=width) is exceptions.InvalidPointWidth
    assert refused(rows, client, WINDOWS, 0, 10**9, asked, width=1) is exceptions.BTRDBServerError
    assert refused(rows, client, QueryType(3), 0, 5, asked) is exceptions.BTRDBServerError


Column = list[tuple[int, float]]


def joined(first: Column, second: Column) -> list[list[str]]:
    """The rows of two streams by brute force."""
    found = []
    for time in sorted({time for time, _ in first + second}):
        cells = [[f"{value:f}" for at, value in points if at == time] for points in (first, second)]
        for turn in range(max(map(len, cells))):
            both = [column[turn] if turn < len(column) else "" for column in cells]
            found.append([str(time), format_ns(time), *both])
    return found


POINTS = st.lists(st.tuples(st.integers(0, 40), st.floats(-1e9, 1e9, allow_nan=False)), max_size=25).map(
    lambda points: sorted(points, key=lambda point: point[0])
)


KINDS: list[dict[str, Any]] = [
    {"queryType": wire.GenerateCSVParams.RAW_QUERY},
    {"queryType": wire.GenerateCSVParams.ALIGNED_WINDOWS_QUERY, "depth": 2},
    {"queryType": wire.GenerateCSVParams.WINDOWS_QUERY, "windowSize": 3},
]


def generated(db: otrdb.Archive, streams: list[otrdb.Stream], end: int = 36, **asked: Any) -> list[list[str]]:
    request = wire.GenerateCSVParams(startTime=0, endTime=end, **asked)
    request.streams.extend(wire.StreamCSVConfig(uuid=stream.uuid.bytes) for stream in streams)
    return [list(message.row) for message in csv.generate_csv(Door(db), request)][1:]


@given(POINTS, POINTS, st.integers(1, 7))
def test_pieces_do_not_show(first: Column, second: Column, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch, opened(FaultyMedium()) as db:
        streams = [db.create("a"), db.create("b")]
        for stream, points in zip(streams, (first, second), strict=True):
            stream.insert(points)
        kinds: list[dict[str, Any]] = [
            {"queryType": 2},
            {"queryType": 0, "depth": 2},
            {"queryType": 1, "windowSize": 3},
        ]
        whole = [generated(db, streams, **asked) for asked in kinds]
        assert whole[0] == [row for row in joined(first, second) if int(row[0]) < 36]
        patch.setattr(csv, "PIECE", piece)
        assert [generated(db, streams, **asked) for asked in KINDS] == whole


def test_memory_is_bounded_by_the_piece(archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [archive.create("a"), archive.create("b")]
    for stream in streams:
        stream.insert(range(0, 50_000, 5), [0.5] * 10_000)
    read: list[int] = []

    def counted(reads: list[csv.Read], columns: int) -> Any:
        read.append(sum(len(each.times) for each in reads))
        return whole(reads, columns)

    whole = csv._joined
    monkeypatch.setattr(csv, "_joined", counted)
    monkeypatch.setattr(csv, "PIECE", 1_000)
    kinds: list[dict[str, Any]] = [
        {"queryType": 2},
        {"queryType": 0, "depth": 3},
        {"queryType": 1, "windowSize": 5},
    ]
    for asked in kinds:
        read.clear()
        assert len(generated(archive, streams, end=50_000, **asked)) > 6_000
        assert max(read) <= 1_000
