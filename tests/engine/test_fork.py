"""An archive that is open when its process forks stays the parent's alone."""

import subprocess
import sys
from pathlib import Path

import pytest

import otrdb

PROGRAM = """
import os, sys, threading
import otrdb
from otrdb.errors import ClosedArchive

db = otrdb.open(sys.argv[1], mode=sys.argv[2])
stream = db.stream("plant")
held = getattr(db, "_engine").core.lock
release, holding = threading.Event(), threading.Event()

def hold():
    with held:
        holding.set()
        release.wait()

threading.Thread(target=hold).start()  # so that a lock is taken at the moment of the fork
holding.wait()
child = os.fork()
if child == 0:
    refused = 0
    for use in (
        lambda: stream.insert(7, 7.0), lambda: stream.values(), lambda: stream.flush(),
        lambda: stream.version, lambda: stream.delete(0, 9), lambda: db.create("other"),
        lambda: db.flush(), lambda: db.snapshot(),
    ):
        try:
            use()
        except ClosedArchive as error:
            refused += "parent" in str(error)
    db.close()
    os._exit(refused)
release.set()
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 8, status
if sys.argv[2] == "w":
    stream.insert(2, 2.0)
    stream.flush()
assert stream.count() == (2 if sys.argv[2] == "w" else 1)
db.close()
"""


@pytest.mark.parametrize("mode", ["w", "r"])
def test_a_child_is_refused_and_the_parent_goes_on(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.otr"
    with otrdb.open(path) as db:
        db.create("plant").insert(1, 1.0)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM, str(path), mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with otrdb.open(path) as db:
        assert db.stream("plant").count() == (2 if mode == "w" else 1)
        assert list(db.check()) == []


def test_a_child_may_open_the_archive_itself(tmp_path: Path) -> None:
    path = tmp_path / "archive.otr"
    program = """
import os, sys, otrdb
db = otrdb.open(sys.argv[1])
db.create("plant").insert(1, 1.0)
child = os.fork()
if child == 0:
    with otrdb.open(sys.argv[1], mode="r") as reader:
        os._exit(40 + reader.stream("plant").count())
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 41, status
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
