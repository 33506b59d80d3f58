"""Info and FaultInject: what the server is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import otrdb
from otrdb.server.rpc import Rpc, Scope
from otrdb.server.status import failed
from otrdb.wire import btrdb

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from otrdb.server.rpc import Door

MAJOR: Final = 5
MINOR: Final = 34
"""The version of BTrDB whose interface this is: with another major one, or a minor one below 30, its clients
leave out what they can do by Arrow."""

_FAULTS_DISABLED: Final = 424


def info(door: Door, _: object) -> Message:
    """What this server is, and where: the proxy keeps clients from looking for a cluster."""
    return btrdb.InfoResponse(
        majorVersion=MAJOR,
        minorVersion=MINOR,
        build=f"{MAJOR}.{MINOR}.0-otrdb-{otrdb.__version__}",
        proxy=btrdb.ProxyInfo(proxyEndpoints=door.endpoints),
    )


def fault_inject(_: Door, __: object) -> bytes:
    """Refuses: faults are what `otrdb.testing` is for."""
    return failed(_FAULTS_DISABLED, "Fault injection is disabled.")


RPCS: Final = (
    Rpc("Info", Scope.READ, info, btrdb.InfoParams),
    Rpc("FaultInject", Scope.ADMIN, fault_inject, btrdb.FaultInjectParams),
)
