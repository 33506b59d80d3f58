"""Clients for the tests of the server."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import grpc

from otrdb.wire import btrdb

if TYPE_CHECKING:
    from pathlib import Path


def call(
    channel: grpc.Channel, name: str, request: bytes = b"", *, key: str | None = None, scheme: str = "Bearer"
) -> bytes:
    """Call an RPC of BTrDB's service that gives one answer."""
    authorization = () if key is None else (("authorization", f"{scheme} {key}"),)
    ask: Any = channel.unary_unary(f"/v5api.BTrDB/{name}")
    answered: bytes = ask(request, metadata=(("x-api-client", "btrdbpy-5.34.2"), *authorization), timeout=30)
    return answered


def refusal(channel: grpc.Channel, name: str, *, key: str | None = None) -> tuple[grpc.StatusCode, str]:
    """How a call is refused by gRPC."""
    try:
        call(channel, name, key=key)
    except grpc.RpcError as error:
        refused: Any = error
        return refused.code(), refused.details()
    raise AssertionError(f"{name} was not refused.")


def major_version(channel: grpc.Channel, key: str | None = None) -> int:
    """What Info says."""
    version: int = btrdb.InfoResponse.FromString(call(channel, "Info", key=key)).majorVersion
    return version


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself, and its key, by the command openssl."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*made, "-days", "30", "-keyout", str(key), "-out", str(certificate), *subject],
        check=True,
        capture_output=True,
    )
    return certificate, key
