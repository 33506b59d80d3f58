"""What the server works on at a time, and what becomes of calls that are cancelled or not read."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from btrdb import exceptions
from btrdb.conn import BTrDB, Connection
from btrdb.endpoint import Endpoint
from btrdb.grpcinterface import btrdb_pb2, btrdb_pb2_grpc

import otrdb
from otrdb.errors import Overloaded
from otrdb.server import service
from otrdb.server.answers import AT_ONCE
from otrdb.server.limits import Limits, Load
from otrdb.server.rpc import Door, Rpc, Scope
from otrdb.server.running import THREADS, Server
from otrdb.wire import btrdb


class Gate:
    """An RPC that answers when the test lets it, and tells when it began and ended."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.opened = threading.Event()

    def one(self, door: Door, request: Any) -> Any:
        self.begun.release()
        assert self.opened.wait(60)
        self.ended.release()
        return btrdb.InfoResponse(majorVersion=5)

    def many(self, door: Door, request: Any) -> Iterator[bytes]:
        """More than anybody reads."""
        try:
            while True:
                self.begun.release()
                yield btrdb.RawValuesResponse(
                    values=[btrdb.RawPoint(time=1)] * (AT_ONCE // 4)
                ).SerializeToString()
        finally:
            self.ended.release()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    gated = (
        Rpc("Info", Scope.READ, gate.one, btrdb.InfoParams),
        Rpc("RawValues", Scope.READ, gate.many, btrdb.RawValuesParams, streaming=True),
    )
    others = [rpc for rpc in service.RPCS if rpc.name not in ("Info", "RawValues")]
    monkeypatch.setattr(service, "RPCS", (*gated, *others))
    return gate


@pytest.fixture
def gated(gate: Gate, archive: otrdb.Archive) -> Iterator[Server]:
    with Server(archive, ["127.0.0.1:0"], limits=Limits(calls=6, calls_of_one=4)) as server:
        yield server
        gate.opened.set()


def stub_of(server: Server) -> tuple[grpc.Channel, Any]:
    """A connection of its own, which channels otherwise share."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}", options)
    return channel, btrdb_pb2_grpc.BTrDBStub(channel)


def begin(gate: Gate, stub: Any, count: int) -> list[Any]:
    """So many calls that are being answered."""
    futures = [stub.Info.future(btrdb_pb2.InfoParams()) for _ in range(count)]
    for _ in futures:
        assert gate.begun.acquire(timeout=60)
    return futures


def test_one_client_and_all_together_are_limited(gate: Gate, gated: Server) -> None:
    with stub_of(gated)[0] as first, stub_of(gated)[0] as second:
        one, other = btrdb_pb2_grpc.BTrDBStub(first), btrdb_pb2_grpc.BTrDBStub(second)
        waiting = begin(gate, one, 4)
        refused = one.Info(btrdb_pb2.InfoParams())
        assert (refused.stat.code, "calls of this connection" in refused.stat.msg) == (426, True)
        (refused,) = one.RawValues(btrdb_pb2.RawValuesParams())
        assert refused.stat.code == 426
        waiting += begin(gate, other, 2)
        refused = other.Info(btrdb_pb2.InfoParams())
        assert (refused.stat.code, "The server is answering 6 calls" in refused.stat.msg) == (426, True)
        gate.opened.set()
        assert [future.result().majorVersion for future in waiting] == [5] * 6
        assert one.Info(btrdb_pb2.InfoParams()).majorVersion == 5


def test_a_client_that_reads_slowly_holds_no_thread(gate: Gate, archive: otrdb.Archive) -> None:
    gate.opened.set()
    with Server(archive, ["127.0.0.1:0"]) as server, stub_of(server)[0] as channel:
        stub = btrdb_pb2_grpc.BTrDBStub(channel)
        slow = [stub.RawValues(btrdb_pb2.RawValuesParams()) for _ in range(2 * THREADS)]
        for answers in slow:
            next(answers)
        assert stub.Info(btrdb_pb2.InfoParams()).majorVersion == 5  # answered, though nobody reads the others
        for answers in slow:
            answers.cancel()
        for _ in slow:
            assert gate.ended.acquire(timeout=60)


def test_a_call_of_a_client_that_has_gone_ends(gate: Gate, archive: otrdb.Archive) -> None:
    with Server(archive, ["127.0.0.1:0"]) as server:
        channel, stub = stub_of(server)
        next(stub.RawValues(btrdb_pb2.RawValuesParams()))
        channel.close()
        assert gate.ended.acquire(timeout=60)


def test_a_cancelled_call_makes_room_for_another(gate: Gate, gated: Server) -> None:
    with stub_of(gated)[0] as channel:
        stub = btrdb_pb2_grpc.BTrDBStub(channel)
        for _ in range(9):
            answers = stub.RawValues(btrdb_pb2.RawValuesParams())
            assert next(answers).stat.code == 0
            answers.cancel()
            assert gate.ended.acquire(timeout=60)


def test_a_request_that_is_too_long_is_refused(client: Any, archive: otrdb.Archive) -> None:
    stream = archive.create("plant")
    written = bytes(Limits().request)
    params = btrdb_pb2.ArrowInsertParams(uuid=stream.uuid.bytes, arrowBytes=written)
    with pytest.raises(grpc.RpcError) as refused:
        client.ep.stub.ArrowInsert(params)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in (refused.value.details() or "")


def test_requests_are_limited_by_their_bytes() -> None:
    load = Load(Limits(request_bytes=100))
    with load.call("a", 60), load.call("b", 40):
        with pytest.raises(Overloaded, match="busy"), load.call("c", 1):
            pass
        with load.call("c", 0):
            pass
    with load.call("c", 100):
        pass


def test_thirty_two_calls_of_one_client_at_once(server: Server, archive: otrdb.Archive) -> None:
    streams = [archive.create(f"plant/{number}") for number in range(32)]
    client = BTrDB(Endpoint(Connection(f"127.0.0.1:{server.ports[0]}").channel))
    together = threading.Barrier(32)

    def work(number: int) -> None:
        remote = client.stream_from_uuid(streams[number].uuid)
        together.wait(60)
        for turn in range(5):
            times = range(turn * 100, turn * 100 + 100)
            remote.insert([(time, float(number)) for time in times])
            assert len(remote.values(0, 1000)) == (turn + 1) * 100
            assert remote.latest()[0].value == number
            assert remote.count(precise=True) == (turn + 1) * 100
            assert remote.arrow_windows(0, 500, 100)["count"].to_pylist() == [100] * (turn + 1) + [0] * (
                4 - turn
            )
        assert remote.delete(0, 250) >= 11
        assert [point.time for point, _ in remote.values(0, 1000)] == list(range(250, 500))

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(work, range(32)))


def test_a_bug_is_told_as_one(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    stream = archive.create("plant")
    stream.insert(1, 1.0)
    monkeypatch.setattr(otrdb.View, "values", lambda *_: None)
    with pytest.raises(exceptions.BTRDBServerError, match="RawValues failed: this is a bug"):
        list(client.ep.rawValues(stream.uuid, 0, 9))
    assert "RawValues failed" in caplog.text


def test_what_is_no_request_is_refused(server: Server) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        for rpc in service.RPCS:
            call: Any = channel.unary_stream if rpc.streaming else channel.unary_unary
            answer: Any = call(f"/{service.NAME}/{rpc.name}")(b"\x0a\xff\xff")
            written = next(answer) if rpc.streaming else answer
            assert btrdb.CreateResponse.FromString(written).stat.code == 421, rpc.name
