"""A batch is all or nothing over the wire too, however many messages it takes, and its values are exact."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import numpy as np
import pytest

import otrdb
from otrdb.errors import (
    BadValue,
    InsertTooBig,
    InvalidArgument,
    NoSuchStream,
    OtrError,
    Overloaded,
    TimeOutOfRange,
    WrongKind,
)
from otrdb.remote.archive import Archive as Remote
from otrdb.remote.sending import Batch
from otrdb.server.gathering import Gathering
from otrdb.server.limits import Limits
from otrdb.server.own import known
from otrdb.wire import otrdb as wire
from otrdb.wire.failures import raised
from tests.remote.conftest import Served

MANY = 300_000
"""Points that are sent in several messages."""

EXTREMES: dict[str, list[Any]] = {
    "int": [(1 << 63) - 1, -(1 << 63), (1 << 53) + 1, -1, 0],
    "bool": [True, False, True, True, False],
    "float": [0.1, -0.0, 5e-324, 1.7976931348623157e308, -2.5e-310],
}


@pytest.mark.parametrize("kind", ["float", "int", "bool"])
def test_values_are_exact(local: otrdb.Archive, remote: Remote, kind: Any) -> None:
    there = remote.create("plant", kind=kind)
    there.insert(range(5), EXTREMES[kind])
    here = local.stream(there.uuid)
    for reads in (here, there):
        found = reads.values().values
        assert (found.dtype, found.tobytes()) == (
            np.array(EXTREMES[kind]).dtype,
            np.array(EXTREMES[kind]).tobytes(),
        )
        assert [type(point.value) for point in reads.values()] == [type(EXTREMES[kind][0])] * 5
    assert there.latest() == here.latest() == (4, EXTREMES[kind][4])
    columns = ["min", "max", "first", "last", "sum"]
    windows, wanted = (reads.windows(0, 5, 5, columns=columns) for reads in (there, here))
    for name in columns:
        assert (windows[name].dtype, windows[name].tolist()) == (wanted[name].dtype, wanted[name].tolist())


def test_a_batch_of_many_messages_is_seen_at_once(remote: Remote, local: otrdb.Archive) -> None:
    """While it is sent and stored, another connection sees nothing or all of it, in both streams."""
    heat, pulses = remote.create("a"), remote.create("b", kind="int")
    seen, done = set[tuple[int, int]](), threading.Event()

    def watch() -> None:
        with local.snapshot():
            pass
        while not done.is_set():
            with local.snapshot() as snapshot:
                counts = tuple(snapshot.view(local.stream(each.uuid)).count() for each in (heat, pulses))
            seen.add((counts[0], counts[1]))

    watching = threading.Thread(target=watch)
    watching.start()
    batch = {heat: (np.arange(MANY), np.full(MANY, 0.5)), pulses: (np.arange(MANY), np.arange(MANY))}
    inserted = remote.insert(batch)
    done.set()
    watching.join()
    assert inserted[:2] == (2 * MANY, 2)
    assert seen <= {(0, 0), (MANY, MANY)}
    assert (heat.count(), pulses.count()) == (MANY, MANY)
    assert pulses.values().values.tolist() == list(range(MANY))


def test_a_wide_batch_of_many_messages(remote: Remote) -> None:
    streams = tuple(remote.create(f"s{number}", kind="int") for number in range(7))
    index, times = np.arange(MANY) % 7, np.arange(MANY)
    assert remote.insert_columns(index, times, times * 3, streams)[:2] == (MANY, 7)
    for number, stream in enumerate(streams):
        points = stream.values()
        assert points.times.tolist() == list(range(number, MANY, 7))
        assert points.values.tolist() == list(range(3 * number, 3 * MANY, 21))


def test_a_large_batch_obeys_its_policy(remote: Remote) -> None:
    heat = remote.create("plant")
    heat.insert(np.arange(MANY), np.zeros(MANY))
    inserted = heat.insert(np.arange(MANY), np.ones(MANY), merge="replace")
    assert (heat.count(), heat.values().values.sum()) == (MANY, MANY)
    assert inserted.version == heat.version
    assert inserted.pending == 0


@pytest.mark.parametrize(
    ("value", "time", "error"), [(np.nan, 5, BadValue), (1.0, otrdb.MAX_TIME, TimeOutOfRange)]
)
def test_bad_points_are_refused_before_anything_is_sent(
    remote: Remote, monkeypatch: pytest.MonkeyPatch, value: float, time: int, error: type[OtrError]
) -> None:
    heat, other = remote.create("a"), remote.create("b")
    monkeypatch.setattr(remote.link, "ask", None)
    for call in (
        lambda: heat.insert([1, time], [1.0, value]),
        lambda: remote.insert({other: (1, 1.0), heat: ([1, time], [1.0, value])}),
        lambda: remote.insert_columns([0, 1], [1, time], [1.0, value], [heat, other]),
    ):
        with pytest.raises(error, match="1 "):
            call()


def test_kinds_do_not_mix_in_a_wide_batch(remote: Remote) -> None:
    with pytest.raises(WrongKind):
        remote.insert_columns([0, 1], [1, 1], [1, 1], [remote.create("a"), remote.create("b", kind="int")])


def test_streams_of_another_archive_are_refused(remote: Remote, local: otrdb.Archive, tmp_path: Any) -> None:
    with otrdb.open(tmp_path / "other.otr") as other:
        served = Served(other)
        with otrdb.connect(served.url) as elsewhere:
            stranger: Any = elsewhere.create("plant")
            strangers: list[Any] = [stranger, local.create("plant"), None, "plant"]
            for stream in strangers:
                with pytest.raises(InvalidArgument, match="no stream of this archive"):
                    remote.insert({stream: (1, 1.0)})
        served.stop()


def test_handles_of_another_connection_are_as_good(connect: Any) -> None:
    one, other = connect(), connect()
    heat = one.create("plant")
    assert other.stream("plant") == heat
    assert {other.stream("plant"): 1}[heat] == 1
    assert other.insert({heat: (1, 20.5)}).points == 1
    assert len(other.values([heat])) == 1


def test_a_batch_is_bounded_before_it_is_sent(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    heat = remote.create("plant")
    monkeypatch.setattr(remote.link, "most_inserted", 1_600_000)
    heat.insert(np.arange(99_000), np.zeros(99_000))
    with pytest.raises(InsertTooBig, match="several batches"):
        heat.insert(np.arange(100_000), np.ones(100_000))
    assert heat.values().values.sum() == 0


def test_a_server_bounds_what_it_takes_in(local: otrdb.Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(local, Limits(gathered=4_000_000))
    with otrdb.connect(served.url) as db:
        assert db.link.most_inserted == 4_000_000
        heat = db.create("plant")
        heat.insert(np.arange(200_000), np.zeros(200_000))
        monkeypatch.setattr(db.link, "most_inserted", 1 << 40)
        with pytest.raises(InsertTooBig, match="4000000 bytes"):
            heat.insert(np.arange(MANY), np.ones(MANY))
        assert heat.values().values.sum() == 0
        assert heat.insert(np.arange(200_000), np.ones(200_000)).durable
    served.stop()


def test_all_that_is_taken_in_is_bounded() -> None:
    gathering = Gathering(Limits(gathered=100))

    async def requests(*sizes: int) -> AsyncIterator[bytes]:
        for size in sizes:
            yield bytes(size)

    async def taking() -> None:
        async with gathering.all(requests(60, 40)), gathering.all(requests(90)) as taken:
            assert sum(map(len, taken)) == 90
            with pytest.raises(Overloaded):
                async with gathering.all(requests(5, 6)):
                    raise AssertionError("it is too much")
        async with gathering.all(requests(50, 50)), gathering.all(requests(100)):
            pass

    asyncio.run(taking())


def test_an_upload_that_is_broken_off_stores_nothing(
    served: Served, remote: Remote, local: otrdb.Archive
) -> None:
    heat = remote.create("plant")
    times = np.arange(MANY)
    with grpc.insecure_channel(served.url.removeprefix("grpc://")) as channel:
        sent = threading.Event()

        def some() -> Any:
            messages = Batch.of_one(heat.uuid, times, times).pieces()
            yield next(messages).SerializeToString()
            yield next(messages).SerializeToString()
            sent.set()
            threading.Event().wait(30)

        call: Any = channel.stream_unary("/otrdb.v1.OtrDB/InsertParts")
        future = call.future(some())
        assert sent.wait(30)
        future.cancel()
    local.flush()
    assert heat.count() == 0
    assert heat.insert(times, np.ones(MANY)).durable


@pytest.mark.parametrize(
    "params",
    [
        {"way": wire.ONE, "uuid": []},
        {"way": wire.ONE, "uuid": [b"short"]},
        {"way": wire.ONE, "times": b"123"},
        {"way": wire.ONE, "times": bytes(8)},
        {"way": wire.ONE, "times": bytes(8), "values": bytes(8), "merge": "overwrite"},
        {"way": wire.ONE, "times": bytes(8), "values": b"\0\0\0\0\0\0\xf8\x7f"},
        {"way": wire.ONE, "times": b"\xff" * 7 + b"\x7f", "values": bytes(8)},
        {"way": wire.MANY, "times": bytes(8), "values": bytes(8)},
        {"way": wire.MANY, "times": bytes(8), "values": bytes(8), "number": [2]},
        {"way": wire.MANY, "times": bytes(16), "values": bytes(16), "number": [1, 1], "uuid": 2},
        {"way": wire.MANY, "times": bytes(8), "values": bytes(8), "number": [1 << 63, (1 << 63) + 1]},
        {"way": wire.WIDE, "times": bytes(8), "values": bytes(8), "index": b"\1\0\0\0"},
        {"way": wire.WIDE, "times": bytes(8), "values": bytes(8)},
        {"way": 7, "times": bytes(8), "values": bytes(8)},
    ],
)
def test_messages_no_client_of_ours_sends_are_refused(
    remote: Remote, local: otrdb.Archive, params: dict[str, Any]
) -> None:
    stream = local.create("plant")
    uuid = params.get("uuid", 1)
    request: Any = wire.InsertParams(
        **{**params, "uuid": [stream.uuid.bytes] * uuid if isinstance(uuid, int) else uuid}
    )
    with pytest.raises(OtrError) as caught:
        remote.link.ask("Insert", request)
    assert not isinstance(caught.value, otrdb.errors.InternalError)
    assert stream.count() == 0


def test_a_bool_is_0_or_1(remote: Remote, local: otrdb.Archive) -> None:
    door = local.create("door", kind="bool")
    request = wire.InsertParams(uuid=[door.uuid.bytes], times=bytes(8), values=b"\2" + bytes(7))
    with pytest.raises(WrongKind):
        remote.link.ask("Insert", request)


def test_no_answer_is_taken_for_another() -> None:
    """An answer that only says what failed reads as a failure, whatever was asked."""
    told = wire.DoneResponse(stat=wire.Failure(error="OTR-4040", message="No.")).SerializeToString()
    for name in ("InsertResponse", "PointsResponse", "WindowsResponse", "AboutResponse", "CountResponse"):
        message = getattr(wire, name).FromString(told)
        assert isinstance(raised(message.stat), otrdb.errors.NoSuchStream)


def test_batches_that_come_again_are_looked_up_once(
    served: Served, remote: Remote, local: otrdb.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And say so when one of their streams is gone."""
    monkeypatch.setattr(known, "MOST", 3)
    streams = tuple(remote.create(f"s{number}") for number in range(5))
    for turn in range(3):
        for first in range(4):
            some = streams[first:]
            remote.insert_columns(range(len(some)), [turn] * len(some), [0.5] * len(some), some)
            remote.insert(dict.fromkeys(some, (turn, 1.5)))
    assert [stream.count() for stream in streams] == [6, 12, 18, 24, 24]
    assert len(served.server.door.known) == 3
    lookups: list[Any] = []
    monkeypatch.setattr(known, "stream_of", lambda *asked: lookups.append(asked))
    remote.insert_columns([0, 1], [9, 9], [0.5, 0.5], streams[3:])
    assert lookups == []
    local.stream(streams[4].uuid).obliterate()
    calls: list[Callable[[], Any]] = [
        lambda: remote.insert_columns([0, 1], [9, 9], [0.5, 0.5], streams[3:]),
        lambda: remote.insert(dict.fromkeys(streams[3:], (10, 1.5))),
    ]
    for call in calls:
        with pytest.raises(NoSuchStream):
            call()
    assert streams[3].count() == 25
