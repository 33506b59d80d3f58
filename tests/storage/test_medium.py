"""What every medium promises, kept by the real directory and by the one in memory alike."""

import errno
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otrdb.errors import DiskFull, ReadOnly, WriteFailed
from otrdb.storage.directory import Directory
from otrdb.storage.medium import CHUNK, Medium, fill_zero, renew
from otrdb.testing import FaultyMedium, Step, all_but, everything, nameless, only, zeros

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(params=["directory", "memory"])
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    return Directory(tmp_path / "a.otr") if request.param == "directory" else FaultyMedium()


def test_appends_go_to_the_end_and_say_where(medium: Medium) -> None:
    file = medium.open("a", create=True)
    assert [file.append(b"abc"), file.append(memoryview(b"defg")), file.append(bytearray(b"h"))] == [0, 3, 7]
    assert file.size() == 8
    assert file.read(2, 4) == b"cdef"
    assert file.read(6, 100) == b"gh"
    assert file.read(100, 1) == b""


def test_writes_change_bytes_in_place(medium: Medium) -> None:
    file = medium.open("a", create=True)
    file.append(b"abcdef")
    file.write(2, b"XY")
    assert file.read(0, 10) == b"abXYef"


def test_allocated_room_is_zero_and_never_shrinks(medium: Medium) -> None:
    file = medium.open("a", create=True)
    file.append(b"abc")
    file.allocate(3 * CHUNK // 2)
    file.allocate(10)
    assert file.size() == 3 * CHUNK // 2
    assert file.read(0, CHUNK * 2) == b"abc" + bytes(3 * CHUNK // 2 - 3)


def test_truncate_cuts(medium: Medium) -> None:
    file = medium.open("a", create=True)
    file.append(b"abcdef")
    file.truncate(2)
    assert file.append(b"Z") == 2
    assert file.read(0, 10) == b"abZ"


def test_fill_zero_and_renew_touch_only_their_range(medium: Medium) -> None:
    file = medium.open("a", create=True)
    data = os.urandom(2 * CHUNK + 10)
    file.append(data)
    renew(file, 5, len(data))
    assert file.read(0, len(data)) == data
    fill_zero(file, 3, CHUNK + 7)
    assert file.read(0, len(data)) == data[:3] + bytes(CHUNK + 4) + data[CHUNK + 7 :]


def test_names(medium: Medium) -> None:
    for name in ("b", "a"):
        medium.open(name, create=True).append(name.encode())
    assert medium.list() == ["a", "b"]
    medium.rename("b", "a")
    assert medium.list() == ["a"]
    assert medium.open("a").read(0, 1) == b"b"
    medium.sync_directory()
    medium.delete("a")
    assert not medium.exists("a")
    with pytest.raises(FileNotFoundError):
        medium.open("a")
    assert medium.free_bytes() > 0


def test_an_open_file_outlives_its_name_and_its_place_in_a_cache(medium: Medium) -> None:
    file = medium.open("a", create=True)
    file.append(b"abc")
    medium.delete("a")
    assert file.read(0, 3) == b"abc"


def test_a_readonly_directory_changes_nothing(tmp_path: Path) -> None:
    Directory(tmp_path).open("a", create=True).append(b"abc")
    medium = Directory(tmp_path, readonly=True)
    with pytest.raises(ReadOnly):
        medium.open("b", create=True)
    with pytest.raises(ReadOnly):
        medium.rename("a", "b")
    with pytest.raises(ReadOnly):
        medium.delete("a")
    assert medium.open("a").read(0, 3) == b"abc"
    with pytest.raises(WriteFailed):
        medium.open("a").write(0, b"x")
    assert not Directory(tmp_path / "missing", readonly=True).path.exists()


class Disk:
    """Stands in for `os.pwrite`: writes so many bytes at a time, and fails after so many."""

    def __init__(self, at_once: int, room: int, code: int) -> None:
        self._real = os.pwrite
        self._at_once = at_once
        self._room = room
        self._code = code

    def __call__(self, descriptor: int, data: memoryview, offset: int) -> int:
        if not self._room:
            raise OSError(self._code, os.strerror(self._code))
        written = self._real(descriptor, data[: min(self._at_once, self._room)], offset)
        self._room -= written
        return written


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Directory(tmp_path).open("a", create=True)
    monkeypatch.setattr(os, "pwrite", Disk(at_once=3, room=1000, code=errno.EIO))
    file.append(b"0123456789")
    file.write(1, b"abcdefgh")
    assert file.read(0, 10) == b"0abcdefgh9"


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EIO, WriteFailed)]
)
def test_a_failed_append_is_cut_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    file = Directory(tmp_path).open("a", create=True)
    file.append(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", Disk(at_once=3, room=7, code=code))
        with pytest.raises(error, match="append to a"):
            file.append(b"0123456789")
    assert file.size() == 3
    assert file.append(b"new") == 3
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", Disk(at_once=3, room=7, code=code))
        with pytest.raises(error):
            file.allocate(100)
    assert file.read(0, 100) == b"oldnew"


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failed_sync_is_never_only_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    medium = Directory(tmp_path)
    file = medium.open("a", create=True)
    monkeypatch.setattr(os, "fdatasync", fail)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteFailed):
        file.sync()
    with pytest.raises(WriteFailed):
        medium.sync_directory()


def test_in_memory_only_what_was_synced_survives() -> None:
    medium = FaultyMedium()
    file = medium.open("a", create=True)
    file.append(b"abc")
    file.sync()
    assert medium.crash().list() == []
    medium.sync_directory()
    file.append(b"def")
    medium.open("b", create=True)
    medium.rename("a", "c")
    after = medium.crash()
    assert after.list() == ["a"]
    assert after.open("a").read(0, 10) == b"abc"
    kept = medium.crash(everything)
    assert kept.list() == ["b", "c"]
    assert kept.open("c").read(0, 10) == b"abcdef"


def test_in_memory_faults_come_when_asked_for() -> None:
    medium = FaultyMedium()
    file = medium.open("a", create=True)
    medium.fail("sync", after=1)
    file.sync()
    with pytest.raises(WriteFailed):
        file.sync()
    file.sync()
    medium.fail("read", stays=True)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            file.read(0, 1)
    medium.capacity = 5
    file.append(b"12345")
    with pytest.raises(DiskFull):
        file.append(b"6")
    file.write(0, b"54321")
    medium.fail("write", partial=2)
    with pytest.raises(WriteFailed):
        file.write(0, b"abcde")
    assert medium.crash(everything).open("a").read(0, 9) == b"ab321"


def test_in_memory_a_power_cut_leaves_any_sectors() -> None:
    medium = FaultyMedium(sector=4)
    file = medium.open("a", create=True)
    file.append(b"abcdefgh")
    file.sync()
    medium.sync_directory()
    file.write(2, b"CDEF")
    file.append(b"ij")
    left = {medium.crash(only(place)).contents()["a"] for place in range(len(medium.unsynced()))}
    assert left == {b"abCDefgh", b"abcdEFgh", b"abcdefgh\0\0", b"abcdefghij"}
    assert medium.crash(all_but(0)).contents()["a"] == b"abcdEFghij"
    assert medium.crash(zeros).contents()["a"] == b"abcdefgh\0\0"
    file.sync()
    assert medium.unsynced() == []


def test_in_memory_each_change_of_a_name_survives_or_not() -> None:
    medium = FaultyMedium()
    for name in ("a", "b"):
        file = medium.open(name, create=True)
        file.append(name.encode())
        file.sync()
    medium.sync_directory()
    medium.rename("a", "b")
    medium.delete("b")
    medium.open("c", create=True)
    before = {"a": b"a", "b": b"b"}
    assert [medium.crash(only(place)).contents() for place in range(3)] == [
        {"b": b"a"},
        before,  # what was deleted is not what has that name on the disk
        {**before, "c": b""},
    ]
    assert medium.crash(nameless).contents() == before
    assert medium.crash(everything).contents() == {"c": b""}
    medium.sync_directory()
    assert medium.crash().contents() == {"c": b""}


@pytest.mark.parametrize("step", ["create", "rename", "delete"])
def test_in_memory_names_can_fail_too(step: Step) -> None:
    medium = FaultyMedium()
    medium.open("a", create=True)
    medium.fail(step)
    change: Callable[[], object] = partial(medium.delete, "a")
    if step == "create":
        change = partial(medium.open, "b", create=True)
    elif step == "rename":
        change = partial(medium.rename, "a", "b")
    with pytest.raises(WriteFailed):
        change()
    assert medium.list() == ["a"]


def test_in_memory_steps_are_watched_and_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    medium, seen = FaultyMedium(), list[tuple[str, str, bytes]]()
    file = medium.open("a", create=True)
    medium.watch = lambda step, name: seen.append((step, name, medium.crash(everything).contents()["a"]))
    medium.slow("sync", 0.25)
    file.append(b"x")
    file.sync()
    file.read(0, 1)
    assert seen == [("append", "a", b""), ("sync", "a", b"x")]
    assert slept == [0.25]
