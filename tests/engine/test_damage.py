"""Damage is met where it is, named by its place, and stops nobody else."""

from pathlib import Path

import numpy as np
import pytest

import otrdb
from otrdb.errors import Damaged

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
    with otrdb.open(path) as db, pytest.raises(Damaged) as caught:
        db.stream("plant", name="large").values()
    error, size = caught.value, (path / "segment-00000001.otr").stat().st_size
    assert error.segment == 1
    assert error.offset is not None
    assert size // 4 < error.offset < size // 2


def test_the_rest_stays_readable(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        assert large.count() == LENGTH
        assert len(large.values(0, 1_000 * SECOND)) == 1_000
        assert len(db.stream("plant", name="small").values()) == 100


def test_check_reports_damage_as_damage_and_which_points(path: Path) -> None:
    with otrdb.open(path) as db:
        large = db.stream("plant", name="large")
        found, in_segment = db.check()
        assert (found.code, found.stream) == (Damaged.code, large.uuid)
        assert in_segment.code == Damaged.code
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
    with otrdb.open(path) as db:
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
