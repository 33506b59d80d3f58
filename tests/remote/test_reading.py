"""Answers are the archive's own, bit for bit, in however many pieces they come; and no piece is large."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import otrdb
from otrdb.errors import InvalidArgument
from otrdb.remote.archive import Archive as Remote
from otrdb.remote.stream import Stream
from otrdb.results import ALL_COLUMNS
from otrdb.server import pieces

KINDS: list[Any] = ["float", "int", "bool"]
POINTS = 40_000
END = 10**10


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "POINTS", 1_000)
    monkeypatch.setattr(pieces, "WINDOWS", 100)


def fill(stream: otrdb.Stream) -> None:
    """Points in clumps with gaps between, many at one time, some of them pending."""
    random = np.random.default_rng(7)
    clumps = random.integers(0, END, 12)
    times = np.concatenate(
        [
            clumps.repeat(POINTS // 24) + random.integers(0, 10**6, POINTS // 24 * 12),
            random.integers(0, END, POINTS // 4),
            np.full(POINTS // 8, END // 3),
            [otrdb.MIN_TIME, otrdb.MAX_TIME - 2],
        ]
    )
    values = (
        (random.normal(0, 1e6, len(times)) > 0)
        if stream.kind == "bool"
        else random.normal(0, 1e6, len(times))
    )
    stream.insert(times, values.astype(stream.kind.dtype))
    stream.flush()
    stream.insert(times[::50] + 1, values[::50].astype(stream.kind.dtype))


@pytest.fixture(params=KINDS)
def pair(request: pytest.FixtureRequest, local: otrdb.Archive, remote: Remote) -> tuple[otrdb.Stream, Stream]:
    """A stream, by the library and by the connection."""
    here = local.create("plant", kind=request.param)
    fill(here)
    return here, remote.stream(here.uuid)


def same_points(one: Any, other: Any) -> None:
    assert (one.times.dtype, one.values.dtype) == (other.times.dtype, other.values.dtype)
    assert one.times.tobytes() == other.times.tobytes()
    assert one.values.tobytes() == other.values.tobytes()
    assert (one.kind, one.left_out) == (other.kind, other.left_out)


def same_windows(one: Any, other: Any) -> None:
    assert (one.width, one.kind, list(one.columns)) == (other.width, other.kind, list(other.columns))
    for name, column in one.to_numpy().items():
        assert column.dtype == other[name].dtype
        assert column.tolist() == other[name].tolist()
        assert column.dtype == object or column.tobytes() == other[name].tobytes()


QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "everything": lambda reads: reads.values(),
    "a range": lambda reads: reads.values(END // 4, END // 2),
    "few": lambda reads: reads.values(0, END // 100),
    "none": lambda reads: reads.values(-9, -5),
    "one time": lambda reads: reads.values(END // 3, END // 3 + 1),
}
WINDOWS: dict[str, Callable[[Any], Any]] = {
    "finest": lambda reads: reads.aligned_windows(0, END, 0, columns=ALL_COLUMNS),
    "fine": lambda reads: reads.aligned_windows(0, END, 17, columns=ALL_COLUMNS),
    "edges": lambda reads: reads.aligned_windows(END // 7, END // 3, 13),
    "coarse": lambda reads: reads.aligned_windows(0, END, 30),
    "all time": lambda reads: reads.aligned_windows(
        otrdb.MIN_TIME, otrdb.MAX_TIME, 12, columns=["sum", "count"]
    ),
    "widest": lambda reads: reads.aligned_windows(otrdb.MIN_TIME, otrdb.MAX_TIME, 62),
    "divided": lambda reads: reads.windows(17, END, 3_333_333, columns=ALL_COLUMNS),
    "few": lambda reads: reads.windows(17, END, END // 7, columns=["first", "last"]),
    "no whole one": lambda reads: reads.windows(17, 20, 5),
    "zoom": lambda reads: reads.zoom(points=777, columns=ALL_COLUMNS),
    "zoom in": lambda reads: reads.zoom(END // 4, END // 3, 350),
    "zoom from": lambda reads: reads.zoom(END // 4),
    "zoom until": lambda reads: reads.zoom(end=END // 4),
    "no columns": lambda reads: reads.windows(17, END, 3_333_333, columns=[]),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_points_have_the_same_bits(pair: tuple[otrdb.Stream, Stream], name: str) -> None:
    for here, there in states(*pair):
        same_points(QUESTIONS[name](here), QUESTIONS[name](there))


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_have_the_same_bits(pair: tuple[otrdb.Stream, Stream], name: str) -> None:
    for here, there in states(*pair):
        same_windows(WINDOWS[name](here), WINDOWS[name](there))


def states(here: otrdb.Stream, there: Stream) -> list[tuple[Any, Any]]:
    version = here.flush() if here.count() % 2 else here.version
    return [
        (here, there),
        (here.at(version), there.at(version)),
        (here.leaving_out_damage(), there.leaving_out_damage()),
    ]


def test_versions_are_told(pair: tuple[otrdb.Stream, Stream]) -> None:
    here, there = pair
    few = there.values(0, END // 1000)
    assert len(few) < pieces.POINTS
    assert few.version == here.values(0, END // 1000).version
    version = here.version
    assert there.version == version
    assert there.at(version).values().version == there.at(version).version == version
    assert there.as_of(otrdb.MAX_TIME).version == version
    assert there.as_of("2001-01-01T00:00:00Z").version == 10


def test_scalars(pair: tuple[otrdb.Stream, Stream]) -> None:
    here, there = pair
    assert there.count() == here.count()
    assert there.earliest() == here.earliest()
    assert there.latest() == here.latest()
    for time in (0, END // 3, END // 3 + 1, END):
        assert there.count(time, otrdb.MAX_TIME) == here.count(time, otrdb.MAX_TIME)
        for backward in (False, True):
            assert there.nearest(time, backward) == here.nearest(time, backward)
    assert there.changes(10) == here.changes(10)
    assert there.changes(10, resolution=40) == here.changes(10, resolution=40)


def test_joined_streams(local: otrdb.Archive, remote: Remote) -> None:
    here = [local.create(f"s{number}", kind=kind) for number, kind in enumerate(KINDS)]
    for stream in here:
        fill(stream)
    there = [remote.stream(stream.uuid) for stream in here]
    ways: list[Any] = ["outer", "inner"]
    for align in ways:
        one: Any = local.values(here, 0, END // 2, align=align)
        other: Any = remote.values(there, 0, END // 2, align=align)
        assert (other.uuids, other.kinds) == (one.uuids, one.kinds)
        assert other.times.tobytes() == one.times.tobytes()
        for own, wanted in zip([*other.columns, *other.valid], [*one.columns, *one.valid], strict=True):
            assert own.tobytes() == wanted.tobytes()
    assert len(remote.values([], align="long")) == 0
    assert len(remote.values([there[0], there[0]], 0, END)) == here[0].count(0, END)


class Spied:
    """Something to read from that remembers how much was asked at once."""

    def __init__(self, reads: Any) -> None:
        self.reads = reads
        self.largest = 0

    def __getattr__(self, name: str) -> Any:
        def asked(*args: Any, **kwargs: Any) -> Any:
            answer = getattr(self.reads, name)(*args, **kwargs)
            if name in ("values", "windows", "aligned_windows"):
                self.largest = max(self.largest, len(answer))
            return answer

        return asked


def test_no_more_is_read_at_once_than_a_piece(pair: tuple[otrdb.Stream, Stream]) -> None:
    spied: Any = Spied(pair[0].now())
    found = list(pieces.points(spied, 0, END))
    assert sum(map(len, found)) == pair[0].count(0, END)
    assert max(map(len, found)) <= pieces.POINTS
    assert spied.largest <= POINTS // 8 + 1, "all those of one time, or a piece"
    spied.largest = 0
    assert len(list(pieces.aligned(spied, 0, END, 12, ["mean"]))) > 1
    assert 0 < spied.largest <= pieces.WINDOWS
    spied.largest = 0
    assert len(list(pieces.windows(spied, 0, END, 7_777_777, ["mean"]))) > 1
    assert 0 < spied.largest <= pieces.WINDOWS


def test_pieces_are_of_one_state(pair: tuple[otrdb.Stream, Stream]) -> None:
    """While another replaces all values again and again, an answer has those of one time of it."""
    here, there = pair
    times = np.arange(5_000) * 1_000
    here.delete(otrdb.MIN_TIME, otrdb.MAX_TIME)
    done = threading.Event()

    def write() -> None:
        value = 0
        while not done.is_set():
            here.insert(times, np.full(len(times), value % 2).astype(here.kind.dtype), merge="replace")
            value += 1

    writing = threading.Thread(target=write)
    here.insert(times, np.zeros(len(times), here.kind.dtype))
    writing.start()
    try:
        for _ in range(20):
            values = there.values().values
            assert len(values) == len(times)
            assert len(set(values.tolist())) == 1
            windows = there.aligned_windows(0, 5_000_000, 10)
            assert len(set(windows.min.tolist() + windows.max.tolist())) == 1
    finally:
        done.set()
        writing.join()


def test_a_zoom_is_bounded(pair: tuple[otrdb.Stream, Stream], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    same_windows(there.zoom(points=10**30), here.zoom(points=10**30))
    monkeypatch.setattr(pieces, "MOST_ZOOMED", 1_000)
    assert len(there.zoom(points=1_000)) <= 1_000
    with pytest.raises(InvalidArgument, match="1001 windows"):
        there.zoom(points=1_001)
    for points in (0, -1, 1.5, True):
        with pytest.raises(InvalidArgument):
            there.zoom(points=points)  # type: ignore[arg-type]


def test_many_threads_share_a_connection(local: otrdb.Archive, remote: Remote) -> None:
    streams = [remote.create(f"s{number}", kind="int") for number in range(4)]
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            stream = streams[number % 4]
            for turn in range(15):
                stream.insert(np.arange(100) + 100 * (number + 16 * turn), np.full(100, number))
                points = stream.values()
                assert len(points) % 100 == 0
                assert (np.bincount(points.values) % 100 == 0).all()
                assert stream.zoom(points=10).count.sum() >= 100 * (turn + 1)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [local.stream(stream.uuid).count() for stream in streams] == [6_000] * 4


def test_metadata_of_all_streams(
    local: otrdb.Archive, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otrdb.server.own.catalog.STREAMS", 3)
    for number in range(10):
        local.create(f"plant/{number % 2}", kind=KINDS[number % 3], tags={"name": str(number)})
    assert remote.metadata() == local.metadata()
    assert remote.metadata("plant/1") == tuple(local.metadata("plant/1"))
    assert remote.metadata(collection="plant/0") == tuple(local.metadata(collection="plant/0"))
    assert [stream.metadata for stream in remote.streams()] == list(local.metadata())
    assert [each.uuid for each in remote.streams()] == [each.uuid for each in local.streams()]
