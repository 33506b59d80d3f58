"""A crash at any byte leaves a batch there as a whole or not at all, and all that was acknowledged before."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import numpy as np
import pytest

from otrdb.baseline import log, open_chunked, open_flat
from otrdb.baseline.archive import Archive
from otrdb.baseline.pieces import PIECE_POINTS
from otrdb.errors import (
    ArchiveLocked,
    Damaged,
    DiskFull,
    NotAnArchive,
    OtrError,
    UnsupportedFormat,
    WriteFailed,
)
from otrdb.model import FIRST_VERSION

ONE, TWO, NEW = UUID(int=1), UUID(int=2), UUID(int=3)
OPENERS: dict[str, Callable[[Path], Archive]] = {"flat": open_flat, "chunked": open_chunked}
Contents: TypeAlias = dict[UUID, tuple[Any, ...]]


@pytest.fixture(params=sorted(OPENERS))
def opener(request: pytest.FixtureRequest) -> Callable[[Path], Archive]:
    return OPENERS[request.param]


class Write(NamedTuple):
    """One thing done to a file: bytes written at an offset, or none and the file cut there."""

    name: str
    offset: int
    data: bytes | None


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[Write]:
    """Everything that logs do to their files, in order."""
    seen: list[Write] = []
    write, cut = log.RecordLog._write, log.RecordLog.cut

    def spy_write(self: log.RecordLog, data: bytes) -> None:
        seen.append(Write(self.path.name, self.size, data))
        write(self, data)

    def spy_cut(self: log.RecordLog, size: int) -> None:
        seen.append(Write(self.path.name, size, None))
        cut(self, size)

    monkeypatch.setattr(os, "fdatasync", lambda _: None)  # what reaches the disk is simulated here
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(log.RecordLog, "_write", spy_write)
    monkeypatch.setattr(log.RecordLog, "cut", spy_cut)
    return seen


def fill(db: Archive) -> None:
    """Two streams with versions, pending points and a batch over both."""
    one = db.create("a", tags={"name": "x"}, uuid=ONE)
    two = db.create("b", kind="int", uuid=TWO)
    one.insert([1, 2, 3], [1.0, 2.0, 3.0])
    one.flush()
    db.insert({one: ([4], [4.0]), two: ([4, 4], [4, 5])})
    two.delete(0, 4)
    one.insert([0], [0.5])


def contents(db: Archive) -> Contents:
    """Each stream's metadata and points."""
    return {
        stream.uuid: (stream.collection, stream.tags, stream.annotations, list(stream.values()))
        for stream in db.streams()
    }


def versions(db: Archive) -> dict[tuple[UUID, int], list[Any]]:
    """The points of every version that was made before now."""
    return {
        (stream.uuid, version): list(stream.at(version).values())
        for stream in db.streams()
        for version in range(FIRST_VERSION, stream.values().version + 1)
    }


OPERATIONS: dict[str, Callable[[Archive], Any]] = {
    "insert": lambda db: db.stream(ONE).insert([9, 2], [9.0, -2.0]),
    "replace": lambda db: db.stream(ONE).insert([4, 2], [9.0, -2.0], merge="replace"),
    "batch over streams": lambda db: db.insert({db.stream(ONE): ([9], [9.0]), db.stream(TWO): ([9], [9])}),
    "large insert": lambda db: db.stream(TWO).insert(
        np.zeros(PIECE_POINTS, int), np.zeros(PIECE_POINTS, int)
    ),
    "flush": lambda db: db.stream(ONE).flush(),
    "flush of all": lambda db: db.flush(),
    "delete": lambda db: db.stream(ONE).delete(2, 4),
    "create": lambda db: db.create("c", uuid=NEW),
    "update": lambda db: db.stream(ONE).update(annotations={"note": "ø"}),
    "obliterate": lambda db: db.stream(TWO).obliterate(),
}


def crashed(base: Path, target: Path, writes: list[Write], upto: int) -> None:
    """A copy of `base` to which the first `upto` bytes of `writes` were done."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base, target)
    for write in writes:
        with (target / write.name).open("r+b" if (target / write.name).exists() else "w+b") as file:
            if write.data is None:
                file.truncate(write.offset)
                continue
            file.seek(write.offset)
            file.write(write.data[: max(upto, 0)])
        upto -= len(write.data)
        if upto <= 0:
            return


def moments(total: int) -> Iterator[int]:
    """Every byte of a short operation; of a long one its ends and some in between."""
    return iter(
        sorted({*range(min(total, 300)), *range(max(total - 100, 0), total), *range(0, total, 4_999)})
    )


@pytest.mark.parametrize("operation", list(OPERATIONS))
def test_a_crash_at_any_byte(
    opener: Callable[[Path], Archive], operation: str, tmp_path: Path, writes: list[Write]
) -> None:
    base, live, target = tmp_path / "base", tmp_path / "live", tmp_path / "crashed"
    with opener(live) as db:
        fill(db)
        shutil.copytree(live, base)
        before, history = contents(db), versions(db)
        writes.clear()
        OPERATIONS[operation](db)
        done = list(writes)
        after = contents(db)
    total = sum(len(write.data or b"") for write in done)
    assert total > 0
    for upto in [*moments(total), total]:
        crashed(base, target, done, upto)
        with opener(target) as db:
            found = contents(db)
            assert found in ((before, after) if upto < total else (after,))
            kept = {key: points for key, points in history.items() if key[0] in found}
            assert kept.items() <= versions(db).items()


def test_an_archive_goes_on_after_a_crash(
    opener: Callable[[Path], Archive], tmp_path: Path, writes: list[Write]
) -> None:
    base, live, target = tmp_path / "base", tmp_path / "live", tmp_path / "crashed"
    with opener(live) as db:
        fill(db)
        shutil.copytree(live, base)
        writes.clear()
        OPERATIONS["batch over streams"](db)
        done = list(writes)
    for upto in range(0, sum(len(write.data or b"") for write in done), 7):
        crashed(base, target, done, upto)
        with opener(target) as db:
            OPERATIONS["batch over streams"](db)
            expected = contents(db)
        with opener(target) as db:
            assert contents(db) == expected
            db.flush()
            assert contents(db) == expected


def test_what_was_acknowledged_survives_without_a_close(
    opener: Callable[[Path], Archive], tmp_path: Path
) -> None:
    with opener(tmp_path / "live") as db:
        fill(db)
        for operation in ("large insert", "batch over streams", "delete", "insert"):
            OPERATIONS[operation](db)
            shutil.rmtree(tmp_path / "copy", ignore_errors=True)
            shutil.copytree(tmp_path / "live", tmp_path / "copy")
            with opener(tmp_path / "copy") as copy:
                assert contents(copy) == contents(db)


def failing(monkeypatch: pytest.MonkeyPatch, call: str, code: int, after: int = 0) -> None:
    """Lets one system call of the logs fail once it succeeded `after` times."""
    real = getattr(os, call)
    left = [after]

    def fail(*arguments: Any) -> Any:
        if left[0] == 0:
            raise OSError(code, os.strerror(code))
        left[0] -= 1
        return real(*arguments)

    monkeypatch.setattr(os, call, fail)


@pytest.mark.parametrize(
    "operation", ["insert", "batch over streams", "large insert", "flush", "delete", "create"]
)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_changes_nothing_and_passes(
    opener: Callable[[Path], Archive],
    operation: str,
    after: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with opener(tmp_path / "live") as db:
        fill(db)
        before = contents(db)
        with monkeypatch.context() as patch:
            failing(patch, "pwrite", errno.ENOSPC, after)
            try:
                OPERATIONS[operation](db)
                return  # it needed no more writes than succeeded
            except DiskFull:
                assert contents(db) == before
        OPERATIONS[operation](db)
        expected = contents(db)
    with opener(tmp_path / "live") as db:
        assert contents(db) == expected


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_after_a_failed_write_the_handle_refuses_and_a_new_one_works(
    opener: Callable[[Path], Archive], call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = opener(tmp_path / "live")
    fill(db)
    before = contents(db)
    with monkeypatch.context() as patch:
        failing(patch, call, errno.EIO)
        with pytest.raises(WriteFailed):
            OPERATIONS["insert"](db)
    with pytest.raises(WriteFailed, match="reopen"):
        OPERATIONS["insert"](db)
    assert contents(db) == before
    db.close()
    with opener(tmp_path / "live") as db:
        assert contents(db) == before
        OPERATIONS["insert"](db)
        assert len(db.stream(ONE).values()) == len(before[ONE][-1]) + 2


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_damage_is_reported_and_stays_in_its_stream(
    opener: Callable[[Path], Archive], tmp_path: Path
) -> None:
    with opener(tmp_path / "live") as db:
        fill(db)
        db.flush()
        db.stream(TWO).insert([50], [50])
        db.flush()
        expected = contents(db)[TWO]
    name = "stream-00000000.log" if opener is open_flat else "chunks.log"
    flip(tmp_path / "live" / name, 20)
    with opener(tmp_path / "live") as db:
        with pytest.raises(Damaged):
            db.stream(ONE).at(FIRST_VERSION + 1).values()
        findings = list(db.check())
        assert [(finding.stream, finding.code) for finding in findings] == [(ONE, Damaged.code)]
        assert list(db.stream(TWO).values()) == expected[-1]


def test_a_damaged_list_of_streams_is_reported_and_holds_no_lock(
    opener: Callable[[Path], Archive], tmp_path: Path
) -> None:
    with opener(tmp_path / "live") as db:
        fill(db)
    flip(tmp_path / "live" / "catalog.log", 20)
    for _ in range(2):
        with pytest.raises(Damaged, match="catalog"):
            opener(tmp_path / "live")


def test_only_one_may_have_an_archive_open(opener: Callable[[Path], Archive], tmp_path: Path) -> None:
    with opener(tmp_path / "live"):
        with pytest.raises(ArchiveLocked):
            opener(tmp_path / "live")
    opener(tmp_path / "live").close()


@pytest.mark.parametrize("case", ["a file", "a full directory", "an archive of another make"])
def test_what_is_no_archive_is_refused(opener: Callable[[Path], Archive], tmp_path: Path, case: str) -> None:
    path = tmp_path / "thing"
    expected: type[OtrError] = NotAnArchive
    if case == "a file":
        path.write_text("text")
    elif case == "a full directory":
        path.mkdir()
        (path / "text").write_text("text")
    else:
        other = open_chunked if opener is open_flat else open_flat
        other(path).close()
        expected = UnsupportedFormat
    with pytest.raises(expected):
        opener(path)


def test_the_journal_is_emptied_when_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otrdb.baseline.chunked._EMPTY_JOURNAL_FROM", 100)
    monkeypatch.setattr("otrdb.baseline.chunked._COMMIT_ALL_FROM", 1_000)
    with open_chunked(tmp_path / "live") as db:
        fill(db)
        for number in range(50):
            db.stream(ONE).insert([100 + number], [1.0])
        assert (tmp_path / "live" / "journal.log").stat().st_size < 1_500
        db.flush()
        assert (tmp_path / "live" / "journal.log").stat().st_size == 0
        expected = contents(db)
        db.stream(ONE).insert([999], [1.0])
    with open_chunked(tmp_path / "live") as db:
        assert db.stream(ONE).count() == len(expected[ONE][-1]) + 1
