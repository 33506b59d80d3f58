"""About, Info, Stats, rules, Expire, Compact, Check: the archive as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from uuid import UUID

import otrdb
from otrdb.errors import InvalidArgument
from otrdb.server.asking import stream_of
from otrdb.server.own.answering import many, one
from otrdb.server.own.messages import findings, in_fields
from otrdb.server.rpc import Scope
from otrdb.wire import PROTOCOL
from otrdb.wire import otrdb as wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.server.rpc import Door


def about(door: Door, _: object) -> wire.AboutResponse:
    """What answers here."""
    archive = UUID(door.archive.info()["archive"])
    return wire.AboutResponse(
        protocol=PROTOCOL,
        version=otrdb.__version__,
        archive=archive.bytes,
        most_inserted=door.limits.gathered,
    )


def info(door: Door, _: object) -> wire.TextResponse:
    """What the archive says of itself."""
    return wire.TextResponse(json=json.dumps(door.archive.info()))


def stats(door: Door, _: object) -> wire.TextResponse:
    """Its counters."""
    return wire.TextResponse(json=json.dumps(door.archive.stats()))


def set_rule(door: Door, params: wire.SetRuleParams) -> wire.DoneResponse:
    """Say how long something is kept."""
    archive, prefix = door.archive, params.prefix
    value = params.value if params.HasField("value") else None
    stream = stream_of(archive, params.uuid) if params.uuid else None
    if params.key == "retention":
        archive.set_retention(value, prefix=prefix, stream=stream)
    elif params.key == "thin":
        archive.set_thinning(value, pointwidth=params.pointwidth, prefix=prefix, stream=stream)
    elif params.key == "history":
        archive.set_history(value, prefix=prefix, stream=stream)
    else:
        raise InvalidArgument(f"{params.key!r} is no rule.")
    return wire.DoneResponse()


def rules(door: Door, _: object) -> wire.RulesResponse:
    """The rules that have been set."""
    return wire.RulesResponse(rules=[wire.Rule(**in_fields(rule._asdict())) for rule in door.archive.rules()])


def expire(door: Door, params: wire.ExpireParams) -> wire.ExpireResponse:
    """Apply the rules, or say what would go."""
    now = params.now if params.HasField("now") else None
    expired = door.archive.expire(dry_run=params.dry_run, now=now)
    told = []
    for expiry in expired:
        fields = in_fields(expiry._asdict())
        told.append(wire.Expiry(size=fields.pop("bytes"), **fields))
    return wire.ExpireResponse(expiries=told)


def compact(door: Door, params: wire.CompactParams) -> wire.CompactResponse:
    """Give space back."""
    done = door.archive.compact(newest=params.newest, gently=params.gently)
    return wire.CompactResponse(
        segments=done.segments,
        size=done.bytes,
        moved=done.moved,
        waiting=done.waiting,
        findings=findings(done.findings),
    )


def check(door: Door, params: wire.CheckParams) -> Iterator[wire.FindingsResponse]:
    """Report what is wrong, one by one."""
    for finding in door.archive.check(deep=params.deep):
        yield wire.FindingsResponse(findings=findings([finding]))
    yield wire.FindingsResponse()


RPCS: Final = (
    one("About", Scope.READ, about, wire.AboutParams),
    one("Info", Scope.READ, info),
    one("Stats", Scope.READ, stats),
    one("SetRule", Scope.ADMIN, set_rule, wire.SetRuleParams),
    one("Rules", Scope.READ, rules),
    one("Expire", Scope.ADMIN, expire, wire.ExpireParams),
    one("Compact", Scope.ADMIN, compact, wire.CompactParams),
    many("Check", Scope.ADMIN, check, wire.CheckParams),
)
