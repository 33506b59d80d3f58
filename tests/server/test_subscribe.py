"""Subscribe: by BTrDB's own client, and by plain gRPC what that cannot say or see."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import grpc
import grpc.aio
import numpy as np
import pyarrow as pa
import pytest
from btrdb.exceptions import StreamNotFoundError

import otrdb
from otrdb.server import running, subscribe
from otrdb.server.access import Refused
from otrdb.server.limits import Limits
from otrdb.server.loop import shared_loop
from otrdb.server.rpc import Scope
from otrdb.server.running import Server
from otrdb.wire import btrdb
from tests.engine.support import core_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb import Archive, Stream

METHOD = "/v5api.BTrDB/Subscribe"
RAW = pa.schema(
    [
        pa.field("time", pa.timestamp("ns", "UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)


def eventually(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.002)


def table(response: Any) -> pa.Table:
    with pa.ipc.open_stream(response.arrowBytes) as reader:
        return reader.read_all()


def pairs(found: pa.Table) -> list[tuple[int, float]]:
    times = found["time"].cast(pa.int64()).to_pylist()
    return list(zip(times, found["value"].to_pylist(), strict=True))


class Line:
    """A call of Subscribe by plain gRPC."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._said: queue.Queue[bytes | None] = queue.Queue()
        make: Any = channel.stream_stream(METHOD, response_deserializer=btrdb.SubscriptionResp.FromString)
        self.call: Any = make(iter(self._said.get, None))

    def say(self, message: Any) -> None:
        self._said.put(message if isinstance(message, bytes) else message.SerializeToString())

    def add(self, *identities: UUID | bytes) -> None:
        self.say(btrdb.SubscriptionUpdate(uuid=[_bytes(each) for each in identities]))

    def follow(self, *streams: Stream) -> None:
        """Add them, and return when they are followed: the last uuid is refused after that."""
        nobody = uuid4()
        self.add(*[stream.uuid for stream in streams], nobody)
        answer = self.hear()
        assert (answer.stat.code, answer.uuid) == (404, nobody.bytes)

    def remove(self, *streams: Stream) -> None:
        self.say(
            btrdb.SubscriptionUpdate(op=btrdb.REMOVE_UUIDS, uuid=[stream.uuid.bytes for stream in streams])
        )
        self.follow()

    def hear(self) -> Any:
        return next(self.call)

    def end(self) -> None:
        """Say no more."""
        self._said.put(None)


def _bytes(identity: UUID | bytes) -> bytes:
    return identity if isinstance(identity, bytes) else identity.bytes


@pytest.fixture
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        yield channel


@pytest.fixture
def line(channel: grpc.Channel) -> Iterator[Line]:
    line = Line(channel)
    yield line
    line.end()
    line.call.cancel()


def followed(archive: Archive) -> int:
    return len(core_of(archive).subscribers.followed)


def test_the_client_hears_of_points_as_they_are_inserted(archive: Archive, client: Any) -> None:
    heat, pulses = archive.create("a"), archive.create("b", kind="int")
    heat.insert(0, -1.0)
    updates: queue.Queue[Any] = queue.Queue()
    heard = client.ep.subscribe(updates)
    updates.put(([heat.uuid, pulses.uuid], []))
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(next(heard)))
    thread.start()
    eventually(lambda: followed(archive) == 2)
    heat.insert([5, 3, 5], [0.5, 1.0, 0.25])
    thread.join()
    client.stream_from_uuid(pulses.uuid)
    pulses.insert(7, 3)
    (uuid, found), (other, ints) = first[0], next(heard)
    assert (uuid, other) == (heat.uuid, pulses.uuid)
    assert found.schema == ints.schema == RAW
    assert pairs(found) == [(5, 0.5), (3, 1.0), (5, 0.25)]
    assert pairs(ints) == [(7, 3.0)]
    updates.put(([], [heat.uuid, pulses.uuid]))
    updates.put(None)
    assert list(heard) == []


def test_the_client_is_told_that_there_is_no_such_stream(client: Any) -> None:
    updates: queue.Queue[Any] = queue.Queue()
    updates.put(([uuid4()], []))
    with pytest.raises(StreamNotFoundError):
        next(client.ep.subscribe(updates))
    updates.put(None)


def test_one_that_is_unknown_does_not_end_the_others(archive: Archive, line: Line) -> None:
    heat, unknown = archive.create("plant"), uuid4()
    line.add(unknown, heat.uuid, b"short")
    answers = {bytes(answer.uuid): answer.stat.code for answer in (line.hear(), line.hear())}
    assert answers == {unknown.bytes: 404, b"short": 421}
    heat.insert(1, 0.5)
    assert pairs(table(line.hear())) == [(1, 0.5)]


def test_streams_that_were_removed_are_told_of_no_more(archive: Archive, line: Line) -> None:
    a, b = archive.create("a"), archive.create("b")
    line.follow(a, b)
    line.remove(a)
    archive.insert({a: (1, 1.0), b: (2, 2.0)})
    answer = line.hear()
    assert (answer.uuid, pairs(table(answer))) == (b.uuid.bytes, [(2, 2.0)])
    line.say(btrdb.SubscriptionUpdate(op=btrdb.REMOVE_UUIDS, uuid=[uuid4().bytes, b"short"]))
    line.follow(a)
    a.insert(3, 3.0)
    assert line.hear().uuid == a.uuid.bytes


def test_obliteration_is_told(archive: Archive, line: Line) -> None:
    a, b = archive.create("a"), archive.create("b")
    line.follow(a, b)
    a.insert(1, 1.0)
    a.obliterate()
    b.insert(2, 2.0)
    heard = [line.hear() for _ in range(3)]
    assert [(answer.uuid, answer.stat.code) for answer in heard] == [
        (a.uuid.bytes, 0),
        (a.uuid.bytes, 404),
        (b.uuid.bytes, 0),
    ]
    assert heard[1].stat.msg == "stream does not exist"


def test_a_batch_over_many_streams_comes_as_a_message_of_each(archive: Archive, line: Line) -> None:
    streams = tuple(archive.create(f"plant/{number}") for number in range(300))
    line.follow(*streams)
    for turn in range(2):
        archive.insert_columns(np.arange(300), np.full(300, turn), np.arange(300.0), streams)
        heard = {bytes(answer.uuid): pairs(table(answer)) for answer in (line.hear() for _ in range(300))}
        assert heard == {stream.uuid.bytes: [(turn, float(n))] for n, stream in enumerate(streams)}


def test_a_large_batch_comes_in_pieces_and_in_order(archive: Archive, line: Line) -> None:
    heat, count = archive.create("plant"), 50_000
    line.follow(heat)
    times, values = np.arange(count)[::-1].copy(), np.random.default_rng(1).random(count)
    heat.insert(times, values)
    heard: list[pa.Table] = []
    while sum(map(len, heard)) < count:
        heard.append(table(line.hear()))
        assert 0 < len(heard[-1]) <= subscribe.POINTS
    whole = pa.concat_tables(heard)
    assert whole["time"].cast(pa.int64()).to_numpy().tolist() == times.tolist()
    assert whole["value"].to_numpy().tobytes() == values.tobytes()


def test_it_ends_when_nothing_can_come_any_more(archive: Archive, line: Line) -> None:
    heat = archive.create("plant")
    line.follow(heat)
    line.end()
    heat.insert(1, 1.0)
    assert pairs(table(line.hear())) == [(1, 1.0)]
    heat.obliterate()
    assert [answer.stat.code for answer in line.call] == [404]
    assert line.call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("message", [b"\xff\xff", b"\x12\x05ab", b"\x08\x07"], ids=["key", "cut", "op"])
def test_what_is_no_request_ends_it(archive: Archive, line: Line, message: bytes) -> None:
    line.follow(archive.create("plant"))
    line.say(message)
    assert [answer.stat.code for answer in line.call] == [421]
    eventually(lambda: followed(archive) == 0)


def test_a_client_that_goes_away_is_forgotten(archive: Archive, channel: grpc.Channel) -> None:
    line = Line(channel)
    line.follow(archive.create("plant"))
    assert followed(archive) == 1
    line.end()
    line.call.cancel()
    eventually(lambda: followed(archive) == 0)


def test_a_client_that_does_not_listen_is_cut_off(tmp_path: Path) -> None:
    with otrdb.open(tmp_path / "a.otr", durability="off", memory=8 << 20) as archive:
        heat, core = archive.create("plant"), core_of(archive)
        with Server(archive, ["127.0.0.1:0"]) as server:
            with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
                line, other = Line(channel), Line(channel)
                line.follow(heat)
                inserted = 0
                while followed(archive):
                    heat.insert(np.arange(10_000), np.full(10_000, float(inserted)))
                    inserted += 1
                    assert core.subscribers.bytes <= core.budget.subscriptions
                    assert inserted < 1_000
                assert core.subscribers.bytes == 0
                other.follow(heat)
                heat.insert(7, -1.0)
                assert pairs(table(other.hear())) == [(7, -1.0)]
                *heard, last = line.call
                assert last.stat.code == 426
                values = np.concatenate([table(answer)["value"].to_numpy() for answer in heard])
                assert len(values) < 10_000 * inserted
                assert (values == np.arange(len(values)) // 10_000).all(), (
                    "something was left out before the end"
                )
                line.end()
                other.end()


def test_hundreds_that_wait_hold_no_threads(archive: Archive, server: Server) -> None:
    heat, count = archive.create("plant"), 300

    async def wait() -> list[int]:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            make: Any = channel.stream_stream(METHOD, response_deserializer=btrdb.SubscriptionResp.FromString)
            calls: list[Any] = [make() for _ in range(count)]
            update = btrdb.SubscriptionUpdate(uuid=[heat.uuid.bytes, uuid4().bytes]).SerializeToString()
            for call in calls:
                await call.write(update)
            refusals = [await call.read() for call in calls]
            assert {refusal.stat.code for refusal in refusals} == {404}
            ours = [thread for thread in threading.enumerate() if thread.name.startswith("otrdb")]
            assert len(set(ours) - before) <= running.THREADS
            await asyncio.to_thread(heat.insert, 1, 0.5)
            heard = [await call.read() for call in calls]
            for call in calls:
                call.cancel()
            return [len(table(answer)) for answer in heard]

    before = set(threading.enumerate())
    heard = asyncio.run_coroutine_threadsafe(wait(), shared_loop()).result(60)
    assert heard == [1] * count
    eventually(lambda: followed(archive) == 0)


def test_one_too_many_is_refused(archive: Archive) -> None:
    with Server(archive, ["127.0.0.1:0"], limits=Limits(talks=2)) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            lines = [Line(channel) for _ in range(2)]
            for line in lines:
                line.follow(archive.create(f"plant/{id(line)}"))
            refused = Line(channel)
            assert [answer.stat.code for answer in refused.call] == [426]
            for line in [*lines, refused]:
                line.end()
                line.call.cancel()


def test_a_server_that_stops_ends_it_at_once(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "GRACE", 1_000.0)  # longer than this test may take
    server = Server(archive, ["127.0.0.1:0"])
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        lines = [Line(channel) for _ in range(20)]
        for line in lines:
            line.follow(archive.create(f"plant/{id(line)}"))
        server.close()
        for line in lines:
            with pytest.raises(grpc.RpcError) as caught:
                line.hear()
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            line.end()
    assert followed(archive) == 0


def test_a_client_that_does_not_listen_keeps_no_server_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE", 0.1)
    with otrdb.open(tmp_path / "a.otr", durability="off", memory=8 << 20) as archive:
        heat = archive.create("plant")
        server = Server(archive, ["127.0.0.1:0"])
        with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            line = Line(channel)
            line.follow(heat)
            while followed(archive):
                heat.insert(np.arange(10_000), np.ones(10_000))
            server.close()
            # The call ends: with an error, or where the client's system had room for all, with the answers.
            with suppress(grpc.RpcError):
                list(line.call)
            line.end()


def test_a_closed_archive_ends_it(archive: Archive, line: Line) -> None:
    line.follow(archive.create("plant"))
    archive.close()
    assert [answer.stat.code for answer in line.call] == [402]


class _Nobody:
    def __init__(self) -> None:
        self.asked: list[Scope] = []

    def check(self, metadata: Any, scope: Scope) -> None:
        self.asked.append(scope)
        raise Refused("not you", unknown=False)


def test_a_key_is_needed_as_for_every_question(archive: Archive) -> None:
    access = _Nobody()
    with Server(archive, ["127.0.0.1:0"], access) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            line = Line(channel)
            with pytest.raises(grpc.RpcError) as caught:
                line.hear()
            line.end()
    assert (caught.value.code(), access.asked) == (grpc.StatusCode.PERMISSION_DENIED, [Scope.READ])
