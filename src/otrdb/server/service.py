"""All RPCs of BTrDB's interface, from the modules that answer them."""

from __future__ import annotations

from typing import Final

from otrdb.server import (
    csv,
    info,
    joining,
    lookup,
    metadata,
    points,
    sql_query,
    subscribe,
    windows,
    writing,
)
from otrdb.wire import btrdb

NAME: Final = "v5api.BTrDB"

FILE: Final = btrdb.DESCRIPTOR
"""What reflection tells of it."""

RPCS: Final = (
    *info.RPCS,
    *metadata.RPCS,
    *lookup.RPCS,
    *sql_query.RPCS,
    *csv.RPCS,
    *points.RPCS,
    *windows.RPCS,
    *writing.RPCS,
    *joining.RPCS,
    *subscribe.RPCS,
)
