"""New points stop where what is promised still has room: everything else goes on there, and they do later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from otrdb.errors import DiskFull
from otrdb.results import Inserted
from otrdb.testing.medium import FaultyMedium
from otrdb.testing.power_cuts import opened
from tests.engine.support import SECOND, fill

if TYPE_CHECKING:
    from otrdb import Archive, Stream

MEBIBYTE = 1 << 20
FLOOR = 2 * MEBIBYTE
JOURNAL_FILE = MEBIBYTE // 4


class CountedMedium(FaultyMedium):
    """Counts how often it is asked for its room."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def free_bytes(self) -> int:
        self.asked += 1
        return super().free_bytes()


def on(medium: FaultyMedium) -> Archive:
    """An archive with a floor of two MiB."""
    return opened(medium, journal=MEBIBYTE, segment=MEBIBYTE)


def insert_until_refused(stream: Stream, start: int, batch: int = 500) -> int:
    """Insert batches, one point a second from second ``start`` on; the second at which one was refused."""
    rng = np.random.default_rng(start)
    while True:
        try:
            stream.insert(SECOND * np.arange(start, start + batch), rng.normal(size=batch))
        except DiskFull:
            return start
        start += batch


@pytest.mark.parametrize("batch", [1, 500, 5_000])
def test_all_but_inserts_goes_on_at_the_floor(batch: int) -> None:
    medium = FaultyMedium()
    with on(medium) as db:
        stream, other = db.create("plant"), db.create("other")
        fill(other, 0, 10)
        assert db.stats()["floor_bytes"] == FLOOR
        medium.capacity = medium.used + FLOOR + MEBIBYTE
        end = insert_until_refused(stream, 0, batch)
        assert stream.count() == end > 10_000
        assert medium.free_bytes() > FLOOR - JOURNAL_FILE
        assert stream.flush() > 10
        assert stream.delete(0, 1_000 * SECOND) > 10
        db.set_retention("1h", prefix="plant")
        (expiry,) = db.expire(now=(3_600 + 3_000) * SECOND)
        assert 0 < expiry.points <= 2_000
        assert stream.update(tags={"name": "full"}) == 2
        db.create("more")
        other.obliterate()
        db.snapshot("kept").close()
        assert db.streams("other") == []
        assert medium.free_bytes() > 0
        more = insert_until_refused(stream, end, batch)  # what a large batch did not fill, if anything
        assert more - end <= 2 * batch
        assert stream.count() == more - 1_000 - expiry.points


def test_inserts_go_on_by_themselves_when_there_is_room() -> None:
    medium = FaultyMedium()
    with on(medium) as db:
        stream = db.create("plant")
        medium.capacity = medium.used + FLOOR + MEBIBYTE
        end = insert_until_refused(stream, 0)
        medium.capacity += MEBIBYTE
        more = insert_until_refused(stream, end)
        assert more > end
        medium.capacity = None
        fill(stream, more, 500)
        assert stream.count() == more + 500
        assert list(db.check()) == []
    with on(medium) as db:
        assert db.streams("plant")[0].count() == more + 500


def test_compaction_at_the_floor_lets_inserts_go_on() -> None:
    medium = FaultyMedium()
    with on(medium) as db:
        stream, other = db.create("plant"), db.create("other")
        medium.capacity = medium.used + FLOOR + 2 * MEBIBYTE
        insert_until_refused(stream, 0)
        with pytest.raises(DiskFull):
            fill(other, 0, 1)
        stream.obliterate()
        assert db.compact().segments > 0
        fill(other, 0, 1_000)
        assert other.count() == 1_000


def test_a_disk_that_others_fill_takes_one_journal_file_at_most() -> None:
    medium = FaultyMedium()
    with on(medium) as db:
        stream = db.create("plant")
        fill(stream, 0, 1)
        medium.capacity = medium.used + FLOOR - 1
        end = insert_until_refused(stream, 1, batch=1)
        assert end * 16 < JOURNAL_FILE
        db.flush()
        with pytest.raises(DiskFull):
            fill(stream, end, 1)
        assert stream.count() == end


@pytest.mark.parametrize("number", [1, 2])
def test_a_large_batch_is_refused_before_anything_is_written(number: int) -> None:
    medium = FaultyMedium()
    with on(medium) as db:
        streams = (db.create("a"), db.create("b"))
        medium.capacity = medium.used + FLOOR + MEBIBYTE // 2
        before = medium.used, medium.counts["append"]
        times, values = SECOND * np.arange(40_000), np.ones(40_000)
        with pytest.raises(DiskFull, match=r"bytes are free on the disk, and [\d,]+ must be"):
            db.insert(dict.fromkeys(streams[:number], (times, values)))
        with pytest.raises(DiskFull):
            streams[0].insert(times, values)
        assert (medium.used, medium.counts["append"]) == before
        streams[0].insert(times[:20_000], values[:20_000])
        assert streams[0].count() == 20_000


def test_an_insert_of_nothing_does_nothing_whether_there_is_room_or_not() -> None:
    medium = CountedMedium()
    with on(medium) as db:
        stream = db.create("plant")
        fill(stream, 0, 10)
        medium.capacity = medium.used + FLOOR - 1
        version = stream.flush()
        with pytest.raises(DiskFull):
            fill(stream, 10, 1)
        before = medium.asked, medium.counts.copy()
        assert stream.insert([], []) == Inserted(version, 0, True)
        assert db.insert({}).points == 0
        assert db.insert({stream: ([], [])}).points == 0
        assert db.insert_columns([], [], [], (stream,)).points == 0
        assert (medium.asked, medium.counts) == before


def test_the_system_is_not_asked_at_every_insert() -> None:
    medium = CountedMedium()
    with on(medium) as db:
        stream = db.create("plant")
        fill(stream, 0, 1)
        asked = medium.asked
        for second in range(1, 2_000):
            fill(stream, second, 1)
        assert medium.asked == asked
        stream.flush()
        asked = medium.asked
        fill(stream, 2_000, 1)
        fill(stream, 2_001, 1)
        assert medium.asked == asked + 1
