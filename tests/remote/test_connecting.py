"""`connect` finds out at once whether an OtrDB server answers there, and says what is wrong if none does."""

import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

import otrdb
from otrdb.errors import AccessDenied, ClosedArchive, InvalidArgument, MissingExtra, TookTooLong, Unreachable
from otrdb.remote.connecting import parsed
from otrdb.server.access import KeyAccess, Refused
from otrdb.server.certificates import Certificate
from otrdb.server.keys import KeyFile
from otrdb.server.rpc import Scope
from otrdb.server.running import Server
from tests.remote.conftest import Served
from tests.server.calling import make_certificate

KEY = "k1"


@pytest.mark.parametrize(
    ("url", "target", "secure"),
    [
        ("grpc://plant:4410", "plant:4410", False),
        ("grpc://plant", "plant:4410", False),
        ("grpcs://plant", "plant:4411", True),
        ("grpcs://10.0.0.7:443/", "10.0.0.7:443", True),
        ("grpc://[::1]:7", "[::1]:7", False),
    ],
)
def test_urls(url: str, target: str, secure: bool) -> None:
    assert parsed(url) == (target, secure)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "plant:4410",
        "http://plant:4410",
        "grpc://",
        "grpc://:4410",
        "grpc://plant:x",
        "grpc://plant:70000",
        "grpc://plant:0",
        "grpc://key@plant:4410",
        "grpc://plant:4410/archive",
        "grpc://plant?key=1",
        "grpc://[::1",
        None,
        b"grpc://plant",
    ],
)
def test_what_is_no_url_is_refused(url: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"grpc://host:4410"):
        otrdb.connect(url)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_positive(timeout: float) -> None:
    with pytest.raises(InvalidArgument):
        otrdb.connect("grpc://127.0.0.1:1", timeout=timeout)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(MissingExtra, match=r"otrdb\[remote\]"):
        otrdb.connect("grpc://127.0.0.1:1")


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match=r"one\.pem"):
        otrdb.connect("grpcs://127.0.0.1:1", ca=tmp_path / "one.pem")
    monkeypatch.setenv("OTRDB_CA_BUNDLE", str(tmp_path / "other.pem"))
    with pytest.raises(InvalidArgument, match=r"other\.pem"):
        otrdb.connect("grpcs://127.0.0.1:1")


def test_a_connection_closes(served: Served) -> None:
    with otrdb.connect(served.url) as db:
        heat = db.create("plant")
        assert served.url in repr(db)
        assert served.url in repr(heat)
    db.close()
    for call in (db.info, heat.values, lambda: heat.tags, db.check, lambda: db.values([heat])):
        with pytest.raises(ClosedArchive, match="Connect again"):
            call()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def url_of(listener: socket.socket) -> str:
    return f"grpc://127.0.0.1:{listener.getsockname()[1]}"


def test_nobody_answers(listening: socket.socket) -> None:
    url = url_of(listening)
    listening.close()
    with pytest.raises(Unreachable, match=url) as caught:
        otrdb.connect(url)
    assert not caught.value.fate_unknown
    with pytest.raises(ConnectionError):
        otrdb.connect(url)


def test_somebody_takes_the_call_and_is_silent(listening: socket.socket) -> None:
    with pytest.raises((TookTooLong, Unreachable), match=r"127\.0\.0\.1"):
        otrdb.connect(url_of(listening), timeout=0.2)


def test_something_else_answers(listening: socket.socket) -> None:
    def answer() -> None:
        peer, _ = listening.accept()
        with peer:
            peer.recv(100)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises((Unreachable, TookTooLong)):
        otrdb.connect(url_of(listening), timeout=5)
    thread.join()


def test_a_grpc_server_of_something_else() -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with pytest.raises(Unreachable, match="no OtrDB server"):
        otrdb.connect(f"grpc://127.0.0.1:{port}")
    server.stop(None).wait()


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="certificates are made by the command openssl, which is not here"
)
def test_tls_with_the_servers_own_certificate(
    local: otrdb.Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, other = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    with Server(local, [], secured=["127.0.0.1:0"], certificate=Certificate(*files)) as server:
        url = f"grpcs://127.0.0.1:{server.ports[0]}"
        with otrdb.connect(url, ca=files[0]) as db:
            assert db.create("plant").insert(1, 20.5).durable
        for refused in (other[0], None):
            with pytest.raises(Unreachable):
                otrdb.connect(url, ca=refused)
        monkeypatch.setenv("OTRDB_CA_BUNDLE", str(files[0]))
        with otrdb.connect(url) as db:
            assert db.stream("plant").count() == 1
        with pytest.raises((Unreachable, TookTooLong)):
            otrdb.connect(url.replace("grpcs", "grpc"), timeout=2)


def test_keys_of_the_archive(local: otrdb.Archive, tmp_path: Path) -> None:
    keys = {scope: KeyFile(tmp_path / "archive.otr").create(scope.name, scope) for scope in Scope}
    with Server(local, ["127.0.0.1:0"], KeyAccess(tmp_path / "archive.otr", trusting=False)) as server:
        url = f"grpc://127.0.0.1:{server.ports[0]}"
        with pytest.raises(AccessDenied, match="invalid api key"):
            otrdb.connect(url, api_key="guessed")
        with otrdb.connect(url, api_key=keys[Scope.WRITE]) as db:
            heat = db.create("plant")
            with pytest.raises(AccessDenied):
                heat.obliterate()
        with otrdb.connect(url, api_key=keys[Scope.ADMIN]) as db:
            db.stream(heat.uuid).obliterate()
            assert list(db.check()) == []


class Keys:
    """Knows one key, which may only read."""

    def check(self, metadata: Iterable[tuple[str, str | bytes]], scope: Scope) -> None:
        if ("authorization", f"Bearer {KEY}") not in list(metadata):
            raise Refused("This API key is not known", unknown=True)
        if scope is not Scope.READ:
            raise Refused("This API key may only read", unknown=False)


@pytest.fixture
def guarded(local: otrdb.Archive) -> Iterator[str]:
    with Server(local, ["127.0.0.1:0"], Keys()) as server:
        yield f"grpc://127.0.0.1:{server.ports[0]}"


@pytest.mark.parametrize("key", [None, "k2"])
def test_a_wrong_key_is_told_at_once(guarded: str, key: str | None) -> None:
    with pytest.raises(AccessDenied, match="not known"):
        otrdb.connect(guarded, api_key=key)
    with pytest.raises(PermissionError):
        otrdb.connect(guarded, api_key=key)


def test_a_key_does_what_it_may(guarded: str, local: otrdb.Archive) -> None:
    stream = local.create("plant")
    stream.insert(1, 20.5)
    with otrdb.connect(guarded, api_key=KEY) as db:
        heat = db.stream("plant")
        assert heat.latest() == (1, 20.5)
        calls: list[Callable[[], Any]] = [
            lambda: heat.insert(2, 20.7),
            lambda: heat.insert(range(100_000), [0.5] * 100_000),
            heat.flush,
            heat.obliterate,
            lambda: db.create("lab"),
            lambda: db.expire(dry_run=True),
            lambda: list(db.check()),
        ]
        for call in calls:
            with pytest.raises(AccessDenied, match="only read"):
                call()
    assert stream.count() == 1
