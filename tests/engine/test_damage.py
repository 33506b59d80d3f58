"""Damage is met where it is, named by its place, and stops nobody else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import otrdb
from otrdb import MAX_TIME, MIN_TIME, Finding, Stream
from otrdb.engine.reads import Reads
from otrdb.errors import Damaged
from tests.engine.support import flip

SECOND = 1_000_000_000
LENGTH = 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An archive of two streams, of which a byte in the middle of the larger one's leaves has changed."""
    path = tmp_path / "archive.otr"
    noise = np.random.default_rng(3)
    with otrdb.open(path) as db:
        large = db.create("plant", tags={"name": "large"})
        large.insert(np.arange(LENGTH) * SECOND, noise.normal(size=LENGTH))
        small = db.create("plant", tags={"name": "small"})
        small.insert(np.arange(100) * SECOND, noise.normal(size=100))
    segment = path / "segment-00000001.otr"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    return path


def test_a_read_says_where_the_damage_is(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        with pytest.raises(Damaged) as caught:
            large.values()
        (found,) = db.check()
    error, size = caught.value, (path / "segment-00000001.otr").stat().st_size
    assert error.segment == 1
    assert error.offset is not None
    assert size // 4 < error.offset < size // 2
    assert (error.stream, error.start, error.end) == (large.uuid, found.start, found.end)
    assert f"plant/large ({large.uuid})" in str(error)


ASKED: dict[str, Callable[[Reads], object]] = {
    "values": lambda stream: stream.values(),
    "windows": lambda stream: stream.windows(0, LENGTH * SECOND, 7 * SECOND),
    "aligned_windows": lambda stream: stream.aligned_windows(0, LENGTH * SECOND, 20),
    "zoom": lambda stream: stream.zoom(points=1 << 20),
}


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("pending", [False, True], ids=["committed", "with pending points"])
def test_every_question_names_stream_and_times(path: Path, question: str, pending: bool) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        (found,) = db.check()
        if pending:
            large.insert(-SECOND, 1.0)
        for asked in (large, large.at(large.version)):
            with pytest.raises(Damaged) as caught:
                ASKED[question](asked)
            error = caught.value
            assert (error.stream, error.start, error.end) == (large.uuid, found.start, found.end)


def test_the_nearest_point_names_stream_and_times(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        (found,) = db.check()
        assert found.start is not None
        assert found.end is not None
        errors = []
        for time in range(found.start, found.end, 500 * SECOND):
            try:
                large.nearest(time)
            except Damaged as error:
                errors.append((error.stream, error.start, error.end))
        assert set(errors) == {(large.uuid, found.start, found.end)}


def test_a_write_that_meets_damage_names_stream_and_times(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        (found,) = db.check()
        assert found.start is not None
        assert found.end is not None
        for change in (lambda: large.delete(found.start, found.end - 1), lambda: insert_into(large, found)):
            with pytest.raises(Damaged) as caught:
                change()
            assert (caught.value.stream, caught.value.start) == (large.uuid, found.start)


def insert_into(stream: Stream, found: Finding) -> None:
    assert found.start is not None
    stream.insert(found.start + SECOND, 1.0)
    stream.flush()


def test_a_damaged_root_concerns_all_times(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        root = large.state.committed.root
        assert root is not None
    flip(path / "segment-00000001.otr", root[1] + 40)
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        with pytest.raises(Damaged) as caught:
            large.count()
        error = caught.value
        assert (error.stream, error.start, error.end) == (large.uuid, MIN_TIME, MAX_TIME)


def test_the_rest_stays_readable(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        assert large.count() == LENGTH
        assert len(large.values(0, 1_000 * SECOND)) == 1_000
        assert len(db.stream("plant", name="small").values()) == 100


def test_check_reports_damage_as_damage_and_which_points(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        (found,) = db.check()
        assert (found.code, found.stream) == (Damaged.code, large.uuid)
        assert (found.collection, found.name) == ("plant", "large")
        assert found.start is not None
        assert found.end is not None
        with pytest.raises(Damaged):
            large.values(found.start, found.end)
        before, after = large.values(end=found.start), large.values(start=found.end)
        assert 0 < len(before) + len(after) < LENGTH


def test_a_quick_check_reads_no_leaves(path: Path) -> None:
    with otrdb.open(path) as db:
        assert list(db.check(deep=False)) == []


def test_a_check_notices_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "archive.otr"
    with otrdb.open(path, journal=1 << 20) as db:  # a small one is soon looked through
        stream = db.create("plant")
        stream.insert(np.arange(2_000) * SECOND, np.random.default_rng(3).normal(size=2_000))
        stream.flush()
        stream.update(tags={"name": "heat"})
        stream.delete(0, 500 * SECOND)  # leaves blocks that the latest version does not need
        assert list(db.check()) == []
    segment = path / "segment-00000001.otr"
    sound = segment.read_bytes()
    for position in range(0, len(sound), 61):
        changed = bytearray(sound)
        changed[position] ^= 0x10
        segment.write_bytes(changed)
        with otrdb.open(path, mode="r") as db:
            found = list(db.check())
        assert {each.code for each in found} == {Damaged.code}, f"byte {position}: {found}"


def test_a_handle_can_be_printed_after_its_archive_was_closed(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "archive.otr") as db:
        stream = db.create("plant", tags={"name": "heat"})
    assert "plant/heat" in repr(stream)
