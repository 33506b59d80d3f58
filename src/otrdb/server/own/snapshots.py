"""Hold, Renew, Release, and snapshots with a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.server.own.answering import one
from otrdb.server.rpc import Scope
from otrdb.wire import otrdb as wire

if TYPE_CHECKING:
    from otrdb.server.rpc import Door


def hold(door: Door, params: wire.HoldParams) -> wire.HoldResponse:
    """Hold the state of now for a client."""
    number = door.held.hold(params.client, door.archive.snapshot())
    return wire.HoldResponse(held=number, seconds=door.held.seconds)


def renew(door: Door, params: wire.HeldParams) -> wire.DoneResponse:
    """Hold them for another while."""
    door.held.renew(params.held)
    return wire.DoneResponse()


def release(door: Door, params: wire.HeldParams) -> wire.DoneResponse:
    """Let go of them."""
    door.held.release(params.held)
    return wire.DoneResponse()


def keep(door: Door, params: wire.NameParams) -> wire.DoneResponse:
    """Take a snapshot and keep it under a name."""
    door.archive.snapshot(params.name).close()
    return wire.DoneResponse()


def find(door: Door, params: wire.NameParams) -> wire.DoneResponse:
    """Say whether there is a snapshot of that name."""
    door.archive.open_snapshot(params.name).close()
    return wire.DoneResponse()


def drop(door: Door, params: wire.NameParams) -> wire.DoneResponse:
    """Forget a snapshot with a name."""
    door.archive.drop_snapshot(params.name)
    return wire.DoneResponse()


def names(door: Door, _: object) -> wire.NamesResponse:
    """The names of the snapshots kept."""
    return wire.NamesResponse(names=door.archive.snapshots())


RPCS: Final = (
    one("Hold", Scope.READ, hold, wire.HoldParams),
    one("Renew", Scope.READ, renew, wire.HeldParams),
    one("Release", Scope.READ, release, wire.HeldParams),
    one("KeepSnapshot", Scope.WRITE, keep, wire.NameParams),
    one("FindSnapshot", Scope.READ, find, wire.NameParams),
    one("DropSnapshot", Scope.WRITE, drop, wire.NameParams),
    one("Snapshots", Scope.READ, names),
)
