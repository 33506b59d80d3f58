"""Whatever comes over the wire: an answer, or a coded error that is no bug; and the server goes on."""

import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

import otrdb
from otrdb.errors import InternalError, OtrError
from otrdb.remote.archive import Archive as Remote
from otrdb.server.own.service import RPCS
from otrdb.wire import otrdb as wire
from otrdb.wire.failures import raised
from tests.remote.conftest import Served

METHODS: list[Any] = list(wire.DESCRIPTOR.services_by_name["OtrDB"].methods)
NUMBERS = [0, 1, 2, 7, 10, 36, 62, 63, 64, -1, 1 << 31, (1 << 32) - 1, (1 << 62), (1 << 63) - 1, -(1 << 63)]
TEXTS = [
    "",
    "plant",
    "heat",
    "x" * 300,
    "\0",
    "Ø",
    "forever",
    "1h,1d",
    "never",
    "float",
    "thin",
    "mean",
    "self",
]


def test_every_rpc_is_answered() -> None:
    assert sorted(rpc.name for rpc in RPCS) == sorted(method.name for method in METHODS)
    for rpc in RPCS:
        (method,) = (method for method in METHODS if method.name == rpc.name)
        assert (rpc.streaming, rpc.gathers) == (method.server_streaming, method.client_streaming)
        assert rpc.gathers or rpc.request.DESCRIPTOR.name == method.input_type.name


@pytest.fixture
def channel(served: Served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.url.removeprefix("grpc://")) as opened:
        yield opened


def ask(channel: Any, method: Any, request: bytes) -> list[Any]:
    """The answers of a method to some bytes."""
    path = f"/otrdb.v1.OtrDB/{method.name}"
    answer = getattr(wire, method.output_type.name)
    if method.client_streaming:
        return [answer.FromString(channel.stream_unary(path)(iter([request, request])))]
    if method.server_streaming:
        return [answer.FromString(each) for each in channel.unary_stream(path)(request)]
    return [answer.FromString(channel.unary_unary(path)(request))]


def made_up(random_: random.Random, kind: Any, uuids: list[bytes]) -> Any:
    """A message with anything in its fields."""
    message = getattr(wire, kind.name)()
    for field in kind.fields:
        if random_.random() < 0.3:
            continue
        for _ in range(random_.choice([0, 1, 2, 5]) if field.is_repeated else 1):
            put(random_, message, field, uuids)
    return message


def put(random_: random.Random, message: Any, field: Any, uuids: list[bytes]) -> None:
    target = getattr(message, field.name)
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            target[random_.choice(TEXTS)] = random_.choice(TEXTS)
        else:
            part = made_up(random_, field.message_type, uuids)
            target.append(part) if field.is_repeated else target.CopyFrom(part)
        return
    value: Any = {
        field.CPPTYPE_STRING: random_.choice(TEXTS),
        field.CPPTYPE_BOOL: random_.random() < 0.5,
        field.CPPTYPE_DOUBLE: random_.choice([0.0, -1.0, float("nan")]),
        field.CPPTYPE_ENUM: random_.choice([0, 1, 2, 9]),
    }.get(field.cpp_type, random_.choice(NUMBERS))
    if field.type == field.TYPE_BYTES:
        value = random_.choice([*uuids, *uuids, b"", bytes(15), bytes(16), random_.randbytes(24)])
    try:
        target.append(value) if field.is_repeated else setattr(message, field.name, value)
    except ValueError:  # not of that field's range
        return


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_made_up_requests(channel: grpc.Channel, local: otrdb.Archive, remote: Remote, method: Any) -> None:
    random_ = random.Random(method.name)
    streams = [local.create("plant", kind=kind, tags={"name": kind}) for kind in ("float", "int", "bool")]
    streams[0].insert([1, 2, 3], [0.5, 1.0, 1.5])
    uuids = [stream.uuid.bytes for stream in streams]
    for turn in range(150):
        request = made_up(random_, method.input_type, uuids).SerializeToString()
        if turn % 3 == 2:
            request = bytes(byte ^ (random_.random() < 0.05) * random_.randrange(256) for byte in request)
            request = request[: random_.randrange(len(request) + 1)]
        for answer in ask(channel, method, request):
            if answer.HasField("stat"):
                error = raised(answer.stat)
                assert isinstance(error, OtrError)
                assert not isinstance(error, InternalError), request
    assert remote.info()["streams"] <= 3 + 150
    assert local.create("alive").count() == 0
