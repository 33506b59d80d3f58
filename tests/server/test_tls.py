"""TLS: with a certificate from two files, and another one once the files are renewed."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING, Any

import grpc
import pytest

import otrdb
from otrdb.errors import InvalidArgument
from otrdb.server.access import KeyAccess
from otrdb.server.certificates import Certificate
from otrdb.server.keys import KeyFile
from otrdb.server.rpc import Scope
from otrdb.server.running import Server
from tests.server.calling import major_version, make_certificate
from tests.server.test_access import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="certificates are made by the command openssl, which is not here"
)
BTRDBS_PORT = 4411
"""The one port on which the official client uses TLS."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path, "first")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[otrdb.Archive]:
    with otrdb.open(tmp_path / "plant.otr") as db:
        yield db


def secured(archive: otrdb.Archive, files: tuple[Path, Path], port: int = 0) -> Server:
    access = KeyAccess(files[0].parent / "plant.otr", trusting=True)
    return Server(archive, [], access, secured=[f"localhost:{port}"], certificate=Certificate(*files))


def version(port: int, trusted: bytes, key: str | None = None) -> int:
    credentials = grpc.ssl_channel_credentials(trusted)
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        return major_version(channel, key)


def test_who_trusts_the_certificate_is_answered(archive: otrdb.Archive, files: tuple[Path, Path]) -> None:
    with secured(archive, files) as server:
        assert version(server.ports[0], files[0].read_bytes()) == 5
        with pytest.raises(grpc.RpcError), grpc.insecure_channel(f"localhost:{server.ports[0]}") as channel:
            major_version(channel)


def test_a_renewed_certificate_is_used_from_the_next_connection_on(
    archive: otrdb.Archive, files: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = files[0].read_bytes()
    renewed = make_certificate(tmp_path, "second")
    with secured(archive, files) as server:
        port = server.ports[0]
        assert version(port, first) == 5
        renewed[0].replace(files[0])  # its key is not there yet
        assert version(port, first) == 5
        assert "stays the one before" in caplog.text
        renewed[1].replace(files[1])
        assert version(port, files[0].read_bytes()) == 5
        with pytest.raises(grpc.RpcError) as found:
            version(port, first)
        refused: Any = found.value
        assert refused.code() is grpc.StatusCode.UNAVAILABLE


def test_what_is_no_pair_is_refused_at_the_start(files: tuple[Path, Path], tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other")
    (tmp_path / "text.pem").write_text("no certificate")
    for certificate, key in ((files[0], other[1]), (files[1], files[0]), (tmp_path / "text.pem", files[1])):
        with pytest.raises(InvalidArgument, match="no certificate and its key"):
            Certificate(certificate, key)
    with pytest.raises(InvalidArgument, match=r"Cannot read .*none\.pem"):
        Certificate(tmp_path / "none.pem", files[1])


def test_the_official_client_uses_tls_on_its_port(
    archive: otrdb.Archive, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", BTRDBS_PORT))
        except OSError:
            pytest.skip("port 4411, the only one on which the official client uses TLS, is taken")
    monkeypatch.setenv("BTRDB_CA_BUNDLE", str(files[0]))
    key = KeyFile(tmp_path / "plant.otr").create("reader", Scope.READ)
    with secured(archive, files, BTRDBS_PORT):
        assert connect(f"localhost:{BTRDBS_PORT}", key)["majorVersion"] == 5
        with pytest.raises(Exception, match="invalid api key"):
            connect(f"localhost:{BTRDBS_PORT}", "wrong")
