"""The collector as a process of its own: it stops when told to, loses nothing, and goes on when started
again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import otrdb

COMMAND = [sys.executable, "-m", "otrdb.cli", "collect", "host", "--no-clock-check", "--every", "50ms"]


def start(archive: Path, *words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"OTRDB_ARCHIVE": str(archive), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    if "rounds=1 " not in process.stdout.readline():
        process.kill()
        pytest.fail(process.communicate()[1])
    return process


def stop(process: subprocess.Popen[str], number: signal.Signals) -> str:
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    return errors


def counts(archive: Path) -> dict[str, int]:
    with otrdb.open(archive, mode="r") as db:
        return {f"{stream.collection}/{stream.name}": stream.count() for stream in db.streams("host/")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_goes_on_where_it_stopped(tmp_path: Path, number: signal.Signals) -> None:
    archive = tmp_path / "host.otr"
    told = stop(start(archive), number)
    first = counts(archive)
    assert f"{sum(first.values())} points stored in {archive}" in told
    assert min(first.values()) >= 0
    stop(start(archive, "--durability", "interval=10ms"), number)
    second = counts(archive)
    assert second.keys() >= first.keys()
    assert all(second[name] >= first[name] for name in first)
    assert sum(second.values()) > sum(first.values())
    with otrdb.open(archive) as db:
        assert list(db.check()) == []
        loads = db.streams("host/", tags={"name": "1min"})
        assert len(loads) == 1


def test_a_killed_collector_has_stored_what_it_acknowledged(tmp_path: Path) -> None:
    archive = tmp_path / "host.otr"
    process = start(archive)
    process.kill()
    process.communicate(timeout=30)
    with otrdb.open(archive) as db:
        assert list(db.check()) == []
        loads = [len(stream.values()) for stream in db.streams("host/") if stream.collection.endswith("load")]
    assert loads[0] >= 1
    assert len(set(loads)) == 1


def test_a_second_collector_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    archive = tmp_path / "host.otr"
    process = start(archive)
    second = subprocess.run([*COMMAND, "-a", str(archive)], capture_output=True, text=True, check=False)
    assert (second.returncode, second.stderr[:8]) == (1, "OTR-5002")
    assert sum(counts(archive).values()) > 0
    stop(process, signal.SIGTERM)


def test_it_ends_by_itself_after_so_many_rounds(tmp_path: Path) -> None:
    words = [*COMMAND, "-a", str(tmp_path / "host.otr"), "--rounds", "3", "--collection", "lab/pi"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr.startswith("Stopped after 3 rounds; ")
    with otrdb.open(tmp_path / "host.otr") as db:
        assert [len(stream.values()) for stream in db.streams("lab/pi/load")] == [3, 3, 3]


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for words, code in (
        (["--every", "1ms"], "OTR-4210"),
        (["--every", "often"], "OTR-4150"),
        (["--durability", "hope"], "OTR-4210"),
    ):
        done = subprocess.run(
            [*COMMAND, "-a", str(tmp_path / "host.otr"), *words], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr[:8]) == (1, code)
