"""Who is let in: keys and scopes, as the official client and gRPC see them."""

from __future__ import annotations

import gc
import warnings
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

import otrdb
from otrdb.server.access import KeyAccess, Refused, presented
from otrdb.server.keys import FILE_NAME, KeyFile
from otrdb.server.rpc import Scope
from otrdb.server.running import Server
from tests.server.calling import call, major_version, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN = (grpc.StatusCode.UNAUTHENTICATED, "invalid api key")
WATCH = "/grpc.health.v1.Health/Watch"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[otrdb.Archive]:
    with otrdb.open(tmp_path / "plant.otr") as db:
        yield db


@pytest.fixture
def path(tmp_path: Path, archive: otrdb.Archive) -> Path:
    return tmp_path / "plant.otr"


@pytest.fixture
def server(archive: otrdb.Archive, path: Path) -> Iterator[Server]:
    with Server(archive, ["127.0.0.1:0"], KeyAccess(path, trusting=True)) as running:
        yield running


@pytest.fixture
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as opened:
        yield opened


@pytest.mark.parametrize(
    ("metadata", "key"),
    [
        ([], None),
        ([("authorization", "Bearer k")], "k"),
        ([("authorization", "bearer k")], "k"),
        ([("authorization", "BEARER  k ")], "k"),
        ([("x-api-client", "c"), ("authorization", "Bearer k")], "k"),
        ([("authorization", "Basic k")], None),
        ([("authorization", "k")], None),
        ([("authorization", "Bearer")], ""),
        ([("authorization", "Bearer a"), ("authorization", "Bearer b")], "a"),
        ([("authorization-bin", b"Bearer k")], None),
    ],
)
def test_the_key_of_a_call(metadata: list[tuple[str, str | bytes]], key: str | None) -> None:
    assert presented(metadata) == key


@pytest.mark.parametrize("held", Scope)
@pytest.mark.parametrize("needed", Scope)
def test_a_scope_includes_those_before_it(tmp_path: Path, held: Scope, needed: Scope) -> None:
    secret = KeyFile(tmp_path).create("a", held)
    access = KeyAccess(tmp_path, trusting=True)
    if held >= needed:
        access.check([("authorization", f"Bearer {secret}")], needed)
        return
    with pytest.raises(
        Refused, match=f"scope {held.name.lower()}; the call needs {needed.name.lower()}"
    ) as found:
        access.check([("authorization", f"Bearer {secret}")], needed)
    assert not found.value.unknown


@pytest.mark.parametrize("trusting", [True, False])
def test_without_a_key_who_trusts_lets_everybody_in_and_else_nobody(tmp_path: Path, trusting: bool) -> None:
    access = KeyAccess(tmp_path, trusting=trusting)
    if trusting:
        access.check([], Scope.ADMIN)
        access.check([("authorization", "Bearer nonsense")], Scope.ADMIN)
        return
    with pytest.raises(Refused, match=r"\Ainvalid api key\Z") as found:
        access.check([], Scope.READ)
    assert found.value.unknown


@pytest.mark.parametrize("trusting", [True, False])
def test_revoking_the_last_key_opens_nothing(tmp_path: Path, trusting: bool) -> None:
    access = KeyAccess(tmp_path, trusting=trusting)
    secret = KeyFile(tmp_path).create("a", Scope.ADMIN)
    access.check([("authorization", f"Bearer {secret}")], Scope.ADMIN)
    KeyFile(tmp_path).revoke("a")
    for metadata in ([], [("authorization", f"Bearer {secret}")]):
        with pytest.raises(Refused, match="invalid api key"):
            access.check(metadata, Scope.READ)


def test_keys_that_cannot_be_read_let_nobody_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    access = KeyAccess(tmp_path, trusting=True)
    secret = KeyFile(tmp_path).create("a", Scope.ADMIN)
    access.check([("authorization", f"Bearer {secret}")], Scope.ADMIN)
    good = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(good[:-9])
    with pytest.raises(Refused, match="cannot read its API keys"):
        access.check([("authorization", f"Bearer {secret}")], Scope.READ)
    assert "holds no API keys" in caplog.text
    (tmp_path / FILE_NAME).write_bytes(good)
    access.check([("authorization", f"Bearer {secret}")], Scope.ADMIN)


def test_a_running_server_knows_of_keys_at_once(channel: grpc.Channel, path: Path) -> None:
    assert major_version(channel) == 5
    keys = KeyFile(path)
    read = keys.create("reader", Scope.READ)
    assert refusal(channel, "Info") == UNKNOWN
    assert refusal(channel, "Info", key="") == UNKNOWN
    assert refusal(channel, "Info", key=read[:-1]) == UNKNOWN
    assert refusal(channel, "Info", key=read + "x") == UNKNOWN
    assert major_version(channel, read) == 5
    call(channel, "Info", key=read, scheme="bEARER")
    admin = keys.create("admin", Scope.ADMIN)
    call(channel, "FaultInject", key=admin)
    keys.revoke("reader")
    assert refusal(channel, "Info", key=read) == UNKNOWN
    assert major_version(channel, admin) == 5


def test_what_a_scope_does_not_allow_is_denied(channel: grpc.Channel, path: Path) -> None:
    read = KeyFile(path).create("reader", Scope.READ)
    code, details = refusal(channel, "FaultInject", key=read)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert details == "This API key has the scope read; the call needs admin."


def test_the_official_client_is_let_in_by_its_key(server: Server, path: Path) -> None:
    key = KeyFile(path).create("reader", Scope.READ)
    endpoint = f"127.0.0.1:{server.ports[0]}"
    assert connect(endpoint, key)["majorVersion"] == 5
    with pytest.raises(Exception, match="invalid api key"):
        connect(endpoint, "wrong")


def connect(endpoint: str, key: str | None) -> dict[str, Any]:
    """What the official client says the server is."""
    import btrdb

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it advertises its successor
        connection = btrdb.connect(endpoint, apikey=key)
    try:
        found: dict[str, Any] = connection.info()
        return found
    finally:
        del connection
        gc.collect()


def test_health_needs_no_key(channel: grpc.Channel, path: Path) -> None:
    KeyFile(path).create("a", Scope.READ)
    check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
    for service in ("", "v5api.BTrDB"):
        answered = check(health_pb2.HealthCheckRequest(service=service).SerializeToString())
        assert health_pb2.HealthCheckResponse.FromString(answered).status == 1
    with pytest.raises(grpc.RpcError) as found:
        check(health_pb2.HealthCheckRequest(service="nothing").SerializeToString())
    refused: Any = found.value
    assert refused.code() is grpc.StatusCode.NOT_FOUND


def test_who_watches_the_health_is_told_of_the_stop_and_does_not_delay_it(
    channel: grpc.Channel, server: Server
) -> None:
    watch: Any = channel.unary_stream(WATCH)
    statuses = map(health_pb2.HealthCheckResponse.FromString, watch(b""))
    assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
    server.close()
    assert [answer.status for answer in statuses] == [health_pb2.HealthCheckResponse.NOT_SERVING]
    assert server.ended


def test_reflection_tells_the_interface(channel: grpc.Channel) -> None:
    ask: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="v5api.BTrDB"),
    ]
    answers = ask(iter([request.SerializeToString() for request in requests]))
    listed, described = map(reflection_pb2.ServerReflectionResponse.FromString, answers)
    names = {service.name for service in listed.list_services_response.service}
    assert {"v5api.BTrDB", "grpc.health.v1.Health"} <= names
    assert b"RawValues" in b"".join(described.file_descriptor_response.file_descriptor_proto)
