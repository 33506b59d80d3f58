"""One writer, many readers, and nobody stays locked out by a process that is gone."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from otrdb.errors import ArchiveLocked, ReadOnly
from otrdb.storage.locks import ReaderLease, WriterLock, oldest_lease

HOLD = """
import sys, pathlib
from otrdb.storage.locks import ReaderLease, WriterLock
held = {holder}(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def holder(what: str, directory: Path) -> subprocess.Popen[str]:
    """A process that holds a lock or a lease until it is killed."""
    command = [sys.executable, "-c", HOLD.format(holder=what), str(directory)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    process = holder("WriterLock", tmp_path)
    with pytest.raises(ArchiveLocked, match=f"process {process.pid} on "):
        WriterLock(tmp_path)
    end(process)
    WriterLock(tmp_path).release()


def test_who_writes_is_told_without_what_was_longer_before(tmp_path: Path) -> None:
    (tmp_path / "writer.lock").write_text("process 1 on a machine with a long name " + "." * 100 + "\n")
    lock = WriterLock(tmp_path)
    (line,) = (tmp_path / "writer.lock").read_text().splitlines()
    lock.release()
    assert line.startswith(f"process {os.getpid()} on ")
    assert "." * 100 not in line


def test_the_same_process_cannot_write_twice_either(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path)
    with pytest.raises(ArchiveLocked, match="this very process"):
        WriterLock(tmp_path)
    lock.release()
    lock.release()
    WriterLock(tmp_path).release()


def test_what_cannot_be_written_cannot_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ReadOnly):
        WriterLock(tmp_path)
    lease = ReaderLease(tmp_path)
    assert not lease.held
    lease.renew(time.time_ns())
    lease.release()


def test_a_writer_sees_the_reader_that_is_farthest_behind(tmp_path: Path) -> None:
    assert oldest_lease(tmp_path) is None
    before = time.time_ns() - 1_000_000_000
    first, second = ReaderLease(tmp_path), ReaderLease(tmp_path)
    assert first.held
    early, late = before - 5_000_000_000, before - 2_000_000_000
    leases = sorted((tmp_path / "readers").iterdir())
    for lease, when in zip(leases, (early, late), strict=True):
        os.utime(lease, ns=(when, when))
    assert oldest_lease(tmp_path) == early
    first.renew(time.time_ns())
    second.renew(time.time_ns())
    renewed = oldest_lease(tmp_path)
    assert renewed is not None
    assert renewed > before
    first.release()
    first.release()
    second.release()
    assert oldest_lease(tmp_path) is None


def test_a_lease_that_was_removed_before_it_was_locked_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def remove_first(descriptor: int, kind: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        assert oldest_lease(tmp_path) is None
        lock(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    lease = ReaderLease(tmp_path)
    assert oldest_lease(tmp_path) is not None
    lease.release()


def test_the_lease_of_a_reader_that_died_is_removed(tmp_path: Path) -> None:
    process = holder("ReaderLease", tmp_path)
    assert oldest_lease(tmp_path) is not None
    end(process)
    assert oldest_lease(tmp_path) is None
    assert list((tmp_path / "readers").iterdir()) == []


def test_readers_and_writers_do_not_exclude_each_other(tmp_path: Path) -> None:
    reader = holder("ReaderLease", tmp_path)
    lock = WriterLock(tmp_path)
    lease = ReaderLease(tmp_path)
    assert lease.held
    lock.release()
    lease.release()
    end(reader)
