"""SQLQuery: SELECTs over the metadata, answered by SQLite from a copy in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.server.batches import batches
from otrdb.server.rpc import Rpc, Scope
from otrdb.server.sql.query import rows
from otrdb.wire import btrdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.server.rpc import Door


def sql_query(door: Door, request: btrdb.SQLQueryParams) -> Iterator[btrdb.SQLQueryResponse]:
    """The rows as JSON objects, as they are found."""
    found = rows(door.catalog.streams(door.archive), request.query, list(request.params))
    for batch in batches(found, len):
        yield btrdb.SQLQueryResponse(SQLQueryRow=batch)


RPCS: Final = (Rpc("SQLQuery", Scope.READ, sql_query, btrdb.SQLQueryParams, streaming=True),)
