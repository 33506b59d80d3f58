"""The server as a process of its own: what it says, whom it lets in, and that it loses nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock, patch

import grpc
import pytest

import otrdb
from otrdb.cli.serve import keep_house
from otrdb.errors import DiskFull
from otrdb.server.keys import FILE_NAME
from otrdb.wire import btrdb
from tests.cli.harness import Shell
from tests.server.calling import call, major_version, make_certificate, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "otrdb.cli", "serve"]
CLIENTS = 4


@dataclass
class Running:
    """A server process, and where it is."""

    process: subprocess.Popen[str]
    archive: Path
    greeting: str
    addresses: list[str]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Stop it, and return what it said on stderr."""
        self.process.send_signal(number)
        errors = self.process.communicate(timeout=30)[1]
        assert self.process.returncode == 0, errors
        return errors


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "plant.otr"


@pytest.fixture
def serve(archive: Path) -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, **environment: str) -> Running:
        addresses = () if "--grpc" in words or "--config" in words else ("--grpc", "127.0.0.1:0")
        process = subprocess.Popen(
            [*COMMAND, *map(str, words), *addresses],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OTRDB_ARCHIVE": str(archive), "PYTHONUNBUFFERED": "1"} | environment,
        )
        started.append(process)
        assert process.stdout is not None
        greeting = process.stdout.readline()
        if " is served at " not in greeting:
            process.kill()
            pytest.fail(greeting + process.communicate()[1])
        greeting += process.stdout.readline() + process.stdout.readline()
        found = re.findall(r"[\w.\[\]:/-]+:[\w./-]+", greeting.partition("\n")[0].partition("served at")[2])
        return Running(process, archive, greeting, [each.rstrip(".") for each in found])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def refused(archive: Path, *words: object) -> str:
    """The one line with which a server does not start."""
    done = Shell(archive).run("serve", *words)
    assert done.exit_code == 1, done.output
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def wait_until_refused(channel: grpc.Channel) -> None:
    """Call again and again until the server is stopping."""
    try:
        while True:
            major_version(channel)
    except grpc.RpcError:
        return


def insert(address: str, uuid: bytes, first: int) -> list[int]:
    """Insert a point after the other until the server goes; the times that were acknowledged."""
    acknowledged: list[int] = []
    with grpc.insecure_channel(address) as channel:
        for moment in range(first, first + 10**9):
            request = btrdb.InsertParams(uuid=uuid, values=[btrdb.RawPoint(time=moment, value=moment)])
            try:
                answer = btrdb.InsertResponse.FromString(call(channel, "Insert", request.SerializeToString()))
            except grpc.RpcError:
                return acknowledged
            if answer.HasField("stat"):
                return acknowledged
            acknowledged.append(moment)
    return acknowledged


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_is_there_after_the_end(
    serve: Any, archive: Path, number: signal.Signals
) -> None:
    with otrdb.open(archive) as db:
        uuids = [db.create("plant", tags={"name": str(each)}).uuid for each in range(CLIENTS)]
    running = serve()
    with ThreadPoolExecutor(CLIENTS) as pool:
        inserting = [pool.submit(insert, running.addresses[0], uuid.bytes, 1000) for uuid in uuids]
        with grpc.insecure_channel(running.addresses[0]) as channel:
            request = btrdb.NearestParams(
                uuid=uuids[-1].bytes, time=1 << 61, backward=True
            ).SerializeToString()
            while btrdb.NearestResponse.FromString(call(channel, "Nearest", request)).value.time < 1050:
                pass
        begun = time.monotonic()
        running.process.send_signal(number)
        errors = running.process.communicate(timeout=30)[1]
        took = time.monotonic() - begun
        acknowledged = [each.result() for each in inserting]
    assert running.process.returncode == (0 if number is signal.SIGTERM else -number), errors
    assert took < 5  # what is promised
    assert all(map(len, acknowledged))
    with otrdb.open(archive) as db:
        for uuid, moments in zip(uuids, acknowledged, strict=True):
            stored = db.stream(uuid).values().times.tolist()
            assert stored[: len(moments)] == moments
            assert len(stored) - len(moments) in (0, 1)  # the one whose answer was cut off may be there
        assert list(db.check()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_when_told_to(serve: Any, number: signal.Signals) -> None:
    running = serve()
    assert running.stop(number).endswith(
        f"Stopped; every point that was acknowledged is in {running.archive}.\n"
    )


def test_it_says_where_it_is_and_that_everybody_is_let_in(serve: Any) -> None:
    running = serve()
    (address,) = running.addresses
    assert f'btrdb.connect("{address}")' in running.greeting
    assert f'otrdb.connect("grpc://{address}")' in running.greeting
    with grpc.insecure_channel(address) as channel:
        assert major_version(channel) == 5
    assert "There are no API keys: everybody on this machine may" in running.stop()


def test_keys_are_made_and_revoked_while_it_runs(serve: Any, archive: Path) -> None:
    running, shell = serve(), Shell(archive)
    with grpc.insecure_channel(running.addresses[0]) as channel:
        key = shell.ok("keys", "create", "plotter", "--scope", "read").strip()
        assert refusal(channel, "Info")[1] == "invalid api key"
        assert major_version(channel, key) == 5
        assert [(row["name"], row["scope"]) for row in shell.json("keys", "list")] == [("plotter", "read")]
        told = shell.run("keys", "revoke", "plotter").stderr
        assert f"remove {archive / FILE_NAME}" in told
        assert refusal(channel, "Info", key=key)[1] == "invalid api key"


def test_a_key_can_be_made_before_the_archive(archive: Path) -> None:
    shell = Shell(archive)
    shell.ok("keys", "create", "first", "--scope", "admin")
    shell.refused("OTR-4210", "keys", "create", "first", "--scope", "read")
    shell.refused("OTR-4210", "keys", "revoke", "second")
    assert shell.json("streams") == []
    empty = Shell(archive.parent / "other.otr")
    empty.archive.mkdir()
    empty.ok("keys", "create", "first", "--scope", "admin")
    (archive.parent / "notes").mkdir()
    (archive.parent / "notes" / "text").touch()
    Shell(archive.parent / "notes").refused("OTR-5003", "keys", "create", "first", "--scope", "admin")
    assert os.listdir(archive.parent / "notes") == ["text"]


def test_keys_of_what_is_not_there(archive: Path) -> None:
    for words in (("keys", "list"), ("keys", "revoke", "a")):
        Shell(archive).refused("OTR-5003", *words)
    assert not archive.exists()


def test_no_public_address_without_a_key(archive: Path) -> None:
    told = refused(archive, "--grpc", "0.0.0.0:0")
    assert f"otrdb -a {archive} keys create NAME --scope" in told
    assert not archive.exists()


def test_a_public_address_with_keys_and_a_warning(serve: Any, archive: Path) -> None:
    key = Shell(archive).ok("keys", "create", "plotter", "--scope", "read").strip()
    running = serve("--grpc", "0.0.0.0:0")
    port = running.addresses[0].rpartition(":")[2]
    assert f'btrdb.connect("{socket.gethostname()}:{port}", apikey="...")' in running.greeting
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert major_version(channel, key) == 5
        Shell(archive).ok("keys", "revoke", "plotter")
        (archive / FILE_NAME).unlink()
        assert refusal(channel, "Info")[1] == "invalid api key"
    assert "not encrypted" in running.stop()


def test_tls_beside_plain_text(serve: Any, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "here")
    running = serve("--grpc-tls", "127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key)
    plain, secured = running.addresses
    with grpc.insecure_channel(plain) as channel:
        assert major_version(channel) == 5
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    with grpc.secure_channel(secured, credentials) as channel:
        assert major_version(channel) == 5
    running.stop()


def test_a_unix_socket(serve: Any, tmp_path: Path) -> None:
    running = serve("--grpc", f"unix:{tmp_path}/s")
    with grpc.insecure_channel(f"unix:{tmp_path}/s") as channel:
        assert major_version(channel) == 5
    running.stop()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--grpc", "4410"], "no address to listen on"),
        (["--grpc", "none"], "no address to listen on"),
        (["--grpc-tls", "127.0.0.1:0"], "TLS needs a certificate"),
        (["--grpc-tls", "127.0.0.1:0", "--tls-certificate", "none", "--tls-key", "none"], "Cannot read none"),
        (["--tls-certificate", "none"], "no address for TLS"),
        (["--durability", "hope"], "'hope' is no durability"),
        (["--memory", "1MiB"], "too little memory"),
        (["--collect", "host", "--collect-every", "1ms"], "too much"),
        (["--config", "none.toml"], "Cannot read none.toml"),
    ],
)
def test_what_makes_no_sense_is_refused(archive: Path, words: list[str], told: str) -> None:
    words = words if "--grpc" in words else [*words, "--grpc", "127.0.0.1:0"]
    assert told in refused(archive, *words)
    assert not archive.exists()


def test_a_port_or_an_archive_that_is_taken(serve: Any, archive: Path) -> None:
    running = serve()
    other = archive.parent / "other.otr"
    assert "Address already in use" in refused(other, "--grpc", running.addresses[0])
    assert not other.exists()
    assert refused(archive, "--grpc", "127.0.0.1:0").startswith("OTR-5002")
    running.stop()


def test_settings_from_a_file(serve: Any, tmp_path: Path) -> None:
    file = tmp_path / "otrdb.toml"
    file.write_text('archive = "from-file.otr"\ngrpc = "127.0.0.1:0"\nmemory = "32MiB"\n')
    environment = os.environ | {"OTRDB_CONFIG": str(file), "OTRDB_SERVE_THREADS": "3"}
    shown = subprocess.check_output(
        [*COMMAND, "--show-config", "--journal", "2MiB"], text=True, env=environment
    )
    assert f'archive = "{tmp_path}/from-file.otr"  # {file}' in shown
    assert "threads = 3  # $OTRDB_SERVE_THREADS" in shown
    assert 'journal = "2MiB"  # --journal' in shown
    assert "housekeeping = true  # default" in shown
    assert not (tmp_path / "from-file.otr").exists()
    running = serve("--config", file, "-a", tmp_path / "flag.otr")
    assert f"{tmp_path}/flag.otr is served at" in running.greeting
    running.stop()


def test_the_host_collector_inside(serve: Any, archive: Path) -> None:
    running = serve("--collect", "host", "--collect-every", "20ms", "--collection", "lab/pi")
    assert running.process.stdout is not None
    assert "rounds=1 " in running.process.stdout.readline()
    with grpc.insecure_channel(running.addresses[0]) as channel:
        assert major_version(channel) == 5
    running.stop()
    with otrdb.open(archive, mode="r") as db:
        counts = {len(stream.values()) for stream in db.streams("lab/pi/load")}
        assert len(counts) == 1
        assert counts.pop() >= 1


def test_when_collecting_ends_answering_goes_on(serve: Any, archive: Path) -> None:
    with otrdb.open(archive) as db:
        for other in "ab":
            db.create("lab/pi/load", tags={"name": "1min", "other": other})
    running = serve("--collect", "host", "--collection", "lab/pi")
    assert running.process.stderr is not None
    while not (line := running.process.stderr.readline()).startswith("Collecting has ended"):
        assert line
    assert "OTR-4180" in line
    with grpc.insecure_channel(running.addresses[0]) as channel:
        assert major_version(channel) == 5
    running.stop()


def test_the_house_is_kept_at_once_and_every_hour_whatever_goes_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return sum(waited) > 2 * 3600

    kept = Mock(side_effect=[None, DiskFull("No room."), None])
    with patch("otrdb.collect.clock.clock_is_right", return_value=True):
        keep_house(kept, wait)
    assert kept.call_count == 3
    assert capsys.readouterr().err.startswith("OTR-5020 No room.")
    waited.clear()
    with patch("otrdb.collect.clock.clock_is_right", return_value=False):
        keep_house(kept, wait)
    assert kept.call_count == 3  # while the clock is wrong, what is too old is not known


def test_a_second_ctrl_c_ends_it_at_once(serve: Any) -> None:
    """While a call keeps it from ending: one whose requests do not end."""
    running, over = serve(), threading.Event()

    def requests() -> Iterator[bytes]:
        yield b""
        over.wait()

    with grpc.insecure_channel(running.addresses[0]) as channel:
        reflect: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        next(reflect(requests()))
        running.process.send_signal(signal.SIGINT)
        wait_until_refused(channel)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(30) == 130
        over.set()


def test_the_service_manager_is_told(serve: Any, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        running = serve(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(100) == b"READY=1"
        running.stop()
        assert manager.recv(100) == b"STOPPING=1"
