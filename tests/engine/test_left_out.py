"""Whoever chooses to leave out what is damaged gets all the rest, exactly, and is told what is lacking."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import otrdb
from otrdb import MAX_TIME, MIN_TIME, LeftOut, Stream, Windows
from otrdb.errors import Damaged
from otrdb.results import ALL_COLUMNS
from tests.engine.support import flip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb.engine.reads import Reads
    from otrdb.model import BoolArray, Int64Array

SECOND = 1_000_000_000
STALLED = 40_000 * SECOND
"""When the clock of the device stood nearly still."""
SEGMENT = "segment-00000001.otr"


class Block(NamedTuple):
    """A block of a tree on the disk: its bytes, and the times it is for."""

    type: str
    first: int
    last: int
    start: int
    end: int


class Store:
    """An archive of two streams: its files, the blocks of the first one, and what it answers when sound."""

    def __init__(self, path: Path, pending: int) -> None:
        rng = np.random.default_rng(3)
        with otrdb.open(path) as db:
            stream, other = db.create("plant", tags={"name": "a"}), db.create("plant", tags={"name": "b"})
            times = np.sort(np.concatenate([
                rng.integers(0, 60_000 * SECOND, 60_000),
                rng.integers(STALLED, STALLED + 5, 50_000),  # a chain, deep down
                rng.integers(STALLED + SECOND, STALLED + 3 * SECOND, 30_000),
            ]))  # fmt: skip
            stream.insert(times, rng.normal(size=len(times)))
            self.version = stream.flush()
            blocks = list(_blocks(path))
            self.blocks = [block for block in blocks if block.end > 0]
            other.insert(times[:30_000], rng.normal(size=30_000))
            db.flush()
            if pending:
                late = rng.integers(-1_000 * SECOND, 61_000 * SECOND, pending)
                stream.insert(late, rng.normal(size=pending))
        self.files = {file.name: file.read_bytes() for file in path.iterdir()}
        self.path, self.pending = path, pending
        with self.opened([]) as (stream, other):
            self.times, self.values = stream.values().to_numpy()
            self.other = other.values().values

    @contextmanager
    def opened(self, flips: list[tuple[int, int]]) -> Iterator[tuple[Stream, Stream]]:
        """The two streams, with bits flipped: each a block and a place in it."""
        for name, data in self.files.items():
            (self.path / name).write_bytes(data)
        segment = bytearray(self.files[SEGMENT])
        for block, place in flips:
            _, first, last, _, _ = self.blocks[block]
            segment[first + place % (last - first)] ^= 1 << place % 8
        (self.path / SEGMENT).write_bytes(segment)
        with otrdb.open(self.path, mode="r") as self.db:
            db = self.db
            yield db.stream("plant", name="a"), db.stream("plant", name="b")


def _blocks(path: Path) -> Iterator[Block]:
    with otrdb.inspect(path) as files:
        for row in files.segment(1):
            if row["start"] is not None:
                first = row["offset"]
                yield Block(row["type"], first, first + row["bytes"], row["start"], row["end"])


@pytest.fixture(scope="module", params=[0, 300], ids=["committed", "with pending points"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store") / "archive.otr", request.param)


def outside(left_out: tuple[LeftOut, ...], starts: Int64Array, ends: Int64Array) -> BoolArray:
    kept = np.ones(len(starts), np.bool_)
    for gap in left_out:
        kept &= (ends <= gap.start) | (starts >= gap.end)
    return kept


def assert_same_windows(got: Windows, sound: Windows) -> None:
    """All windows of the sound answer, bit for bit, but for those that reach into what is said to lack."""
    kept = outside(got.left_out, sound.time, sound.time + sound.width)
    for name, column in sound.to_numpy().items():
        assert got[name].tolist() == column[kept].tolist(), name


times = st.one_of(
    st.integers(-2_000, 62_000).map(lambda second: second * SECOND),
    st.integers(STALLED - 3, STALLED + 9),
    st.integers(STALLED, STALLED + 4 * SECOND),
)
ranges = st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]).map(sorted)
flips = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 1 << 20)), min_size=1, max_size=3)
questions = st.lists(st.tuples(ranges, st.integers(0, 50), st.integers(1, 300)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips, questions)
def test_an_answer_is_the_truth_outside_of_what_it_leaves_out(
    store: Store, chosen: list[tuple[int, int]], asked: list[tuple[list[int], int, int]]
) -> None:
    damaged = [(block % len(store.blocks), place) for block, place in chosen]
    intervals = [store.blocks[block][3:] for block, _ in damaged]
    cases = [((low, high), pointwidth, number) for (low, high), pointwidth, number in asked]
    with store.opened([]) as (sound, _):
        truth = [windows_of(sound, *case) for case in cases]
    with store.opened(damaged) as (stream, other):
        assert other.values().values.tobytes() == store.other.tobytes()
        for (span, pointwidth, number), right in zip(cases, truth, strict=True):
            check_points(store, stream, *span)
            check_nearest(store, stream, span[0])
            found, left_out = told(
                stream, partial(windows_of, span=span, pointwidth=pointwidth, number=number)
            )
            for got, expected in zip(found, right, strict=True):
                assert_same_windows(got, expected)
            for gap in left_out:
                assert gap.stream == stream.uuid
                assert any(start <= gap.start < gap.end <= end for start, end in intervals), gap


def windows_of(reads: Reads, span: tuple[int, int], pointwidth: int, number: int) -> list[Windows]:
    low, high = span
    pointwidth = max(pointwidth, ((high - low) // 4_000).bit_length())
    columns = ALL_COLUMNS
    return [
        reads.aligned_windows(low, high, pointwidth, columns=columns),
        reads.windows(low, high, max((high - low) // number, 1), columns=columns),
        reads.zoom(low, high, number, columns=columns),
    ]


def told(stream: Stream, question: Callable[[Reads], Any]) -> tuple[Any, tuple[LeftOut, ...]]:
    """What a question is answered with, and what it leaves out, for which it is refused otherwise.

    (It may also be refused where nothing is left out: a row of a leaf is read as a whole.)
    """
    sound = stream.leaving_out_damage()
    answer = question(sound)
    if sound.left_out:
        with pytest.raises(Damaged) as caught:
            question(stream)
        assert caught.value.stream == stream.uuid
    return answer, sound.left_out


def check_points(store: Store, stream: Stream, low: int, high: int) -> None:
    points, left_out = told(stream, lambda reads: reads.values(low, high))
    assert points.left_out == left_out
    kept = (store.times >= low) & (store.times < high) & outside(left_out, store.times, store.times + 1)
    assert points.times.tolist() == store.times[kept].tolist()
    assert points.values.tobytes() == store.values[kept].tobytes()
    count, left_out = told(stream, lambda reads: reads.count(low, high))
    kept = (store.times >= low) & (store.times < high) & outside(left_out, store.times, store.times + 1)
    assert count == np.count_nonzero(kept)


def check_nearest(store: Store, stream: Stream, time: int) -> None:
    for backward in (False, True):
        point, left_out = told(stream, methodcaller("nearest", time, backward))
        kept = np.flatnonzero(outside(left_out, store.times, store.times + 1))
        at = int(store.times[kept].searchsorted(time))
        there = kept[:at][-1:] if backward else kept[at : at + 1]
        assert point == (
            None if not len(there) else (int(store.times[there[0]]), float(store.values[there[0]]))
        )
        assert all(gap.end <= time if backward else gap.start >= time for gap in left_out)


def number_of(store: Store, kind: str, time: int) -> int:
    """The innermost block of a kind that is for a time."""
    found = [(at, block) for at, block in enumerate(store.blocks) if block.type == kind]
    return min((each for each in found if each[1].start <= time < each[1].end), key=width_of)[0]


def width_of(numbered: tuple[int, Block]) -> int:
    return numbered[1].end - numbered[1].start


def middle_of(block: Block) -> int:
    return (block.last - block.first) // 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store") / "archive.otr", 0)


def test_a_damaged_page_costs_its_own_points(whole: Store) -> None:
    at = number_of(whole, "leaf", 20_000 * SECOND)
    with whole.opened([(at, middle_of(whole.blocks[at]))]) as (stream, _):
        points = stream.leaving_out_damage().values()
    (gap,) = points.left_out
    assert 0 < len(whole.times) - len(points) <= 1_024 + 1
    assert gap.segment == 1
    assert gap.offset == whole.blocks[at].first
    assert "Page" in gap.message


def test_windows_that_need_no_damaged_block_are_all_there(whole: Store) -> None:
    leaf, node = number_of(whole, "leaf", 20_000 * SECOND), number_of(whole, "node", 20_000 * SECOND)
    with whole.opened([]) as (stream, _):
        sound = [stream.zoom(points=number) for number in (10, 30, 100)]
    for block, place in ((leaf, 0), (leaf, middle_of(whole.blocks[leaf])), (node, 100)):
        with whole.opened([(block, place)]) as (stream, _):
            for number, expected in zip((10, 30, 100), sound, strict=True):
                found = stream.leaving_out_damage().zoom(points=number)
                assert found.left_out == ()
                assert_same_windows(found, expected)
            fine = stream.leaving_out_damage().aligned_windows(0, 60_000 * SECOND, 20)
            assert fine.left_out
            assert len(fine)


def test_without_a_root_nothing_is_known_of_the_stream(whole: Store) -> None:
    with whole.opened([(len(whole.blocks) - 1, 60)]) as (stream, other):
        sound = stream.at(whole.version).leaving_out_damage()
        for reads in (sound, stream.leaving_out_damage()):
            assert (len(reads.values()), len(reads.zoom()), reads.count(), reads.latest()) == (0, 0, 0, None)
            assert [gap[:3] for gap in reads.left_out] == [(MIN_TIME, MAX_TIME, stream.uuid)]
        with pytest.raises(Damaged):
            stream.at(whole.version).count()
        assert len(other.values()) == 30_000
        with whole.db.snapshot() as moment:
            (found,) = moment.check()
        assert (found.stream, found.start, found.end) == (stream.uuid, MIN_TIME, MAX_TIME)


def test_what_cannot_be_compared_may_have_changed(whole: Store) -> None:
    at = number_of(whole, "node", 20_000 * SECOND)
    with whole.opened([(at, 100)]) as (stream, _):
        with pytest.raises(Damaged):
            stream.changes(10)
        sound = stream.leaving_out_damage()
        changes = sound.changes(10)
    assert sound.left_out == ()
    assert any(
        change.start <= whole.blocks[at].start < whole.blocks[at].end <= change.end for change in changes
    )
    covered = [(whole.times >= start) & (whole.times < end) for start, end in changes]
    assert np.logical_or.reduce(covered).all()


@pytest.mark.parametrize("align", ["outer", "inner"])
def test_several_streams_at_once(whole: Store, align: Any) -> None:
    at = number_of(whole, "leaf", 1_000 * SECOND)
    with whole.opened([(at, 0)]) as (stream, other), whole.db.snapshot() as moment:
        for asked in (whole.db.values, moment.values):
            with pytest.raises(Damaged):
                asked([stream, other], align=align)
            joined = asked([stream, other], align=align, leave_out_damage=True)
            assert isinstance(joined, otrdb.Wide)
            assert [gap.stream for gap in joined.left_out] == [stream.uuid]
            kept = outside(joined.left_out, whole.times, whole.times + 1)
            rows = np.count_nonzero(joined.valid[0])
            if align == "outer":
                assert rows == np.count_nonzero(kept)
                assert np.count_nonzero(joined.valid[1]) == 30_000
            else:
                assert rows == np.count_nonzero(kept[:30_000])


def test_every_view_can_be_asked_so(whole: Store) -> None:
    at = number_of(whole, "leaf", 1_000 * SECOND)
    with whole.opened([(at, 0)]) as (stream, _), whole.db.snapshot() as moment:
        found = [
            reads.leaving_out_damage().values()
            for reads in (
                stream,
                stream.at(whole.version),
                stream.as_of("2200-01-01T00:00Z"),
                moment.view(stream),
            )
        ]
    assert len({(len(points), points.left_out) for points in found}) == 1
    assert found[0].left_out
    assert "1 damaged ranges left out" in repr(found[0])


@pytest.fixture
def rotten(tmp_path: Path) -> Path:
    """An archive of a stream of 100,000 points, one a second, with a damaged leaf in the middle."""
    path = tmp_path / "archive.otr"
    with otrdb.open(path) as db:
        db.create("plant").insert(np.arange(100_000) * SECOND, np.random.default_rng(3).normal(size=100_000))
    flip(path / SEGMENT, 400_000)
    return path


def test_points_pending_in_a_damaged_leaf_concern_its_times_only(rotten: Path) -> None:
    with otrdb.open(rotten) as db:
        stream = db.stream("plant")
        (found,) = db.check()
        assert found.start is not None
        assert found.end is not None
        stream.insert([-SECOND, found.start, found.end], [1.0, 2.0, 3.0])
        before, after = stream.count(end=found.start), stream.count(start=found.end)
        assert before + after == 100_000 - (found.end - 1) // SECOND + (found.start - 1) // SECOND + 2
        assert stream.latest() == stream.nearest(99_999 * SECOND)
        for question in (stream.values, stream.count, stream.zoom):
            with pytest.raises(Damaged) as caught:
                question()
            assert (caught.value.start, caught.value.end) == (found.start, found.end)
        sound = stream.leaving_out_damage()
        assert (len(sound.values()), sound.count()) == (before + after, before + after)
        assert [gap[:2] for gap in sound.left_out] == [(found.start, found.end)]


def test_pending_points_that_fit_neither_memory_nor_a_commit_are_left_out(rotten: Path) -> None:
    with otrdb.open(rotten, memory=16 << 20) as db:
        stream = db.stream("plant")
        late = np.sort(np.random.default_rng(4).integers(10_000 * SECOND, 90_000 * SECOND, 2_000))
        stream.insert(late, np.ones(2_000))
        points = stream.leaving_out_damage().values()
        with pytest.raises(Damaged):
            stream.values(late[0], late[0] + 1)
        assert len(stream.values(0, 10_000 * SECOND)) == 10_000
    assert [gap[:2] for gap in points.left_out] == [(late[0], late[-1] + 1)]
    kept = outside(points.left_out, np.arange(100_000) * SECOND, np.arange(100_000) * SECOND + 1)
    assert len(points) == np.count_nonzero(kept)
