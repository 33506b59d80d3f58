"""All RPCs of OtrDB's own interface, from the modules that answer them."""

from __future__ import annotations

from typing import Final

from otrdb.server.own import catalog, reading, snapshots, upkeep, writing
from otrdb.wire import otrdb as wire

NAME: Final = "otrdb.v1.OtrDB"

FILE: Final = wire.DESCRIPTOR
"""What reflection tells of it."""

RPCS: Final = (*catalog.RPCS, *reading.RPCS, *writing.RPCS, *snapshots.RPCS, *upkeep.RPCS)
