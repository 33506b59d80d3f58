"""How a server starts and stops."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import grpc
import pytest

import otrdb
from otrdb.errors import InvalidArgument
from otrdb.server import running
from otrdb.server.rpc import Rpc, Scope
from otrdb.server.running import Server
from otrdb.wire import btrdb
from tests.server.calling import call, major_version, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb.server.rpc import Door


class Slow:
    """A service with one RPC, whose answer waits until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def answer(self, _: Door, __: bytes) -> bytes:
        self.begun.set()
        self.go.wait()
        return b"done"

    @property
    def service(self) -> SimpleNamespace:
        rpcs = (Rpc("Info", Scope.READ, self.answer),)
        return SimpleNamespace(NAME="v5api.BTrDB", RPCS=rpcs, FILE=btrdb.DESCRIPTOR)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[otrdb.Archive]:
    with otrdb.open(tmp_path / "plant.otr") as db:
        yield db


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(running, "SERVICES", (slow.service,))
    return slow


def test_what_is_being_answered_is_finished_and_the_rest_refused(archive: otrdb.Archive, slow: Slow) -> None:
    server = Server(archive, ["127.0.0.1:0"])
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel, ThreadPoolExecutor(2) as pool:
        asking = pool.submit(call, channel, "Info")
        assert slow.begun.wait(30)
        stopping = pool.submit(server.close)
        while (refused := refusal(channel, "Nothing")[0]) is grpc.StatusCode.UNIMPLEMENTED:
            pass  # it has not begun to stop
        assert refused in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        slow.go.set()
        assert asking.result() == b"done"
        stopping.result()
    assert server.ended
    server.close()


def test_an_answer_that_takes_too_long_does_not_keep_it_from_stopping(
    archive: otrdb.Archive, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE", 0.05)
    monkeypatch.setattr(running, "LAST_ANSWERS", 0.05)
    server = Server(archive, ["127.0.0.1:0"])
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(call, channel, "Info")
        assert slow.begun.wait(30)
        server.close()
        assert isinstance(asking.exception(), grpc.RpcError)
    assert not server.ended
    slow.go.set()
    (ending,) = (thread for thread in threading.enumerate() if thread.name == "otrdb-ending")
    ending.join(30)


def test_it_listens_everywhere_it_should(archive: otrdb.Archive, tmp_path: Path) -> None:
    with Server(archive, ["127.0.0.1:0", "localhost:0", f"unix:{tmp_path}/s"]) as server:
        for address in server.addresses:
            with grpc.insecure_channel(address) as channel:
                assert major_version(channel) == 5


def test_a_port_that_is_taken_is_told_and_leaves_nothing_behind(archive: otrdb.Archive) -> None:
    with Server(archive, ["127.0.0.1:0"]) as server:
        before = threading.active_count()
        with pytest.raises(InvalidArgument, match="Address already in use"):
            Server(archive, server.addresses)
        assert threading.active_count() == before
