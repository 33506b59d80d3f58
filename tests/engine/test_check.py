"""Check: finds what is there, names stream and times, reads the disk and not the memory, stops nobody."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

import otrdb
from otrdb.errors import Damaged
from otrdb.storage.catalog_sums import prepare
from tests.engine.support import SECOND, fill, flip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb import Archive, Finding, Stream
    from otrdb.results import CheckProgress

LENGTH = 100_000


@contextmanager
def _catalog(path: Path) -> Iterator[sqlite3.Connection]:
    """The catalog, to be changed along with its sums: what it then says is sound, and wrong."""
    with closing(sqlite3.connect(path / "catalog.sqlite")) as catalog, catalog:
        prepare(catalog)
        yield catalog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An archive of two streams of several leaves each."""
    path = tmp_path / "archive.otr"
    noise = np.random.default_rng(3)
    with otrdb.open(path) as db:
        for name in ("first", "second"):
            stream = db.create("plant", tags={"name": name})
            stream.insert(np.arange(LENGTH) * SECOND, noise.normal(size=LENGTH))
    return path


def segment(path: Path) -> Path:
    return path / "segment-00000001.otr"


def stream_of(db: Archive, name: str) -> Stream:
    return db.stream("plant", name=name)


def place_of_leaf(stream: Stream) -> int:
    """An offset in the pages of the stream's first leaf, as it is committed."""
    source, root = stream.state.source, stream.state.committed.root
    assert root is not None
    node = source.node_at(root)
    while node.children[0].kind == 2:
        node = source.node(node.children[0])
    address = node.children[0].address
    assert address is not None
    return address[1] + 16 + address[3] + 100


def who(findings: list[Finding]) -> set[tuple[str, str | None, str | None]]:
    return {(found.code, found.collection, found.name) for found in findings}


def test_what_is_in_memory_hides_no_damage(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        assert len(first.values()) == LENGTH
        flip(segment(path), place_of_leaf(first))
        assert len(first.values()) == LENGTH
        (found,) = db.check()
        assert (found.code, found.stream, found.collection, found.name) == (
            Damaged.code,
            first.uuid,
            "plant",
            "first",
        )
        assert found.start == first.values(end=first.latest().time).times[0] // (1 << 44) * (1 << 44)  # type: ignore[union-attr]


def test_a_block_that_versions_share_is_told_of_once(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        for number in range(5):
            first.delete((50_000 + number) * SECOND, (50_001 + number) * SECOND)
        place = place_of_leaf(first)
    flip(segment(path), place)
    with otrdb.open(path, mode="r") as db:
        assert len(list(db.check())) == 1


def test_damage_in_an_old_version_only_is_told_with_stream_and_times(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        place, before = place_of_leaf(first), first.version
        first.delete(0, 10 * SECOND)  # the latest version has the leaf in another block
        assert place_of_leaf(first) != place
    flip(segment(path), place)
    with otrdb.open(path, mode="r") as db:
        (found,) = db.check()
        assert f"Version {before}" in found.message
        assert (found.stream, found.name) == (stream_of(db, "first").uuid, "first")
        assert found.start is not None
        assert found.end is not None
        assert found.start <= 0 < found.end


def test_damage_in_no_version_is_told_with_stream_and_times(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        place, old = place_of_leaf(first), first.version
        first.delete(0, 10 * SECOND)
    with _catalog(path) as catalog:
        catalog.execute("DELETE FROM versions WHERE version = ?", (old,))
    flip(segment(path), place)
    with otrdb.open(path, mode="r") as db:
        found = next(each for each in db.check() if f"in version {old}" in each.message)
        assert (found.stream, found.name) == (stream_of(db, "first").uuid, "first")
        assert found.start is not None
        assert found.end is not None
        assert found.start <= 0 < found.end


@pytest.mark.parametrize(("group", "name"), [(1, "first"), (3, "second")])
def test_a_lost_group_record_names_the_versions_in_it(path: Path, group: int, name: str) -> None:
    content = segment(path).read_bytes()
    places = [match.start() for match in re.finditer(b"OTRGROUP", content)]
    flip(segment(path), places[group] + 10)
    with otrdb.open(path, mode="r") as db:
        for deep in (False, True):
            found = next(each for each in db.check(deep=deep) if each.stream is not None)
            assert (found.code, found.stream, found.name) == (Damaged.code, stream_of(db, name).uuid, name)
            assert (found.start, found.end) == (otrdb.MIN_TIME, otrdb.MAX_TIME)
            assert "Only the catalog knows of version 11" in found.message
        assert len(stream_of(db, name).values()) == LENGTH  # as it does


def test_a_quick_check_finds_a_damaged_head_and_names_it(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        place = place_of_leaf(first)
    flip(segment(path), place - 110)  # the end of the head
    with otrdb.open(path, mode="r") as db:
        (found,) = db.check(deep=False)
        assert (found.code, found.stream) == (Damaged.code, stream_of(db, "first").uuid)
        assert found.start is not None


def test_findings_come_while_the_check_goes_on(path: Path) -> None:
    with otrdb.open(path) as db:
        places = [place_of_leaf(stream_of(db, name)) for name in ("first", "second")]
    for place in places:
        flip(segment(path), place)
    told: list[CheckProgress] = []
    with otrdb.open(path, mode="r") as db:
        findings = db.check(progress=told.append)
        assert next(findings).name == "first"
        assert not told or told[-1].done < LENGTH
        assert [found.name for found in findings] == ["second"]
    assert told[-1].unit == "bytes"


def test_progress_goes_from_nothing_to_everything(path: Path) -> None:
    for deep in (False, True):
        told: list[CheckProgress] = []
        with otrdb.open(path, mode="r") as db:
            assert list(db.check(deep=deep, progress=told.append)) == []
        for unit, total in (("points", 2 * LENGTH), ("bytes", segment(path).stat().st_size)):
            steps = [step for step in told if step.unit == unit]
            assert {step.total for step in steps} == {total}
            assert [step.done for step in steps] == sorted(step.done for step in steps)
            assert steps[-1].done == total


def test_every_block_of_a_chain_is_proved(tmp_path: Path) -> None:
    path = tmp_path / "archive.otr"
    with otrdb.open(path) as db:
        stream = db.create("plant", kind="int")
        stream.insert(np.full(60_000, 5), np.random.default_rng(3).integers(0, 1 << 60, 60_000))
    content = segment(path).read_bytes()
    for tenth in (2, 8):
        flip(segment(path), len(content) * tenth // 10)
    with otrdb.open(path, mode="r") as db:
        found = list(db.check())
        assert len(found) == 2
        assert {(each.code, each.start, each.end) for each in found} == {(Damaged.code, 0, 16)}
        with pytest.raises(Damaged) as caught:
            db.streams()[0].values()
        assert (caught.value.start, caught.value.end) == (0, 16)


def test_a_check_beside_a_writer_finds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "archive.otr"
    done = threading.Event()

    def write(db: Archive, stream: Stream) -> None:
        for number in range(60):
            fill(stream, 1_000 * number, 1_000, value=float(number))
            if number % 7 == 0:
                stream.flush()
            if number % 11 == 0:
                stream.delete(0, number * SECOND + 1)
        done.set()

    with otrdb.open(path) as db, otrdb.open(path, mode="r") as reader:
        writing = threading.Thread(target=write, args=(db, db.create("plant")))
        writing.start()
        checks = 0
        while not done.is_set() or not checks:
            assert list(reader.check()) == []
            assert list(db.check(deep=bool(checks % 2))) == []
            checks += 1
        writing.join()
        assert list(reader.check()) == list(db.check()) == []


def test_a_snapshot_can_be_checked(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        with db.snapshot("before") as kept:
            assert list(kept.check()) == []
        place = place_of_leaf(first)
        first.delete(0, 10 * SECOND)
        fill(first, 0, 3)  # pending
        with db.snapshot() as now:
            assert list(now.check()) == []
    flip(segment(path), place)
    with otrdb.open(path) as db:
        with db.open_snapshot("before") as kept:
            assert who(list(kept.check())) == {(Damaged.code, "plant", "first")}
        with db.snapshot() as now:
            assert list(now.check()) == []


def test_a_catalog_that_says_something_else_is_noticed_and_made_again(path: Path) -> None:
    with _catalog(path) as catalog:
        query = "SELECT root FROM versions WHERE number = ? ORDER BY version DESC LIMIT 1"
        (other,) = catalog.execute(query, (2,)).fetchone()
        catalog.execute("UPDATE versions SET root = ? WHERE number = 1 AND count > 0", (other,))
    for deep in (False, True):
        with otrdb.open(path, mode="r") as db:
            found = [each for each in db.check(deep=deep) if "catalog" in each.message]
            assert who(found) >= {(Damaged.code, "plant", "first")}
            assert (Damaged.code, "plant", "second") not in who(found)
    assert otrdb.repair(path) == []
    with otrdb.open(path, mode="r") as db:
        assert list(db.check()) == []


def test_metadata_that_changed_in_the_catalog_is_noticed(path: Path) -> None:
    with _catalog(path) as catalog:
        catalog.execute("UPDATE streams SET collection = 'plans' WHERE number = 2")
    with otrdb.open(path, mode="r") as db:
        (found,) = db.check(deep=False)
        assert "catalog" in found.message


def test_the_journal_is_looked_at_while_it_is_in_use(path: Path) -> None:
    with otrdb.open(path) as db:
        first = stream_of(db, "first")
        for number in range(20):
            fill(first, LENGTH + 3 * number, 3)
        assert list(db.check(deep=False)) == []
        (journal,) = path.glob("journal-*")
        content = journal.read_bytes()
        flip(journal, content.index(np.int64((LENGTH + 6) * SECOND).tobytes()))
        (found,) = db.check(deep=False)
        assert (found.code, found.stream, found.name) == (Damaged.code, first.uuid, "first")
        assert found.start is not None
        assert found.end == (LENGTH + 8) * SECOND + 1


def test_a_check_ends_when_the_archive_is_closed(path: Path) -> None:
    with otrdb.open(path) as db:
        findings = db.check()
    with pytest.raises(otrdb.errors.ClosedArchive):
        next(findings)
