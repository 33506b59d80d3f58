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
        (found,) = db.check()
        assert (found.code, found.stream) == (Damaged.code, large.uuid)
        assert found.start is not None
        assert found.end is not None
        with pytest.raises(Damaged):
            large.values(found.start, found.end)
        before, after = large.values(end=found.start), large.values(start=found.end)
        assert 0 < len(before) + len(after) < LENGTH


def test_a_quick_check_reads_no_leaves(path: Path) -> None:
    with otrdb.open(path) as db:
        assert list(db.check(deep=False)) == []


def test_a_handle_can_be_printed_after_its_archive_was_closed(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "archive.otr") as db:
        stream = db.create("plant", tags={"name": "heat"})
    assert "plant/heat" in repr(stream)
