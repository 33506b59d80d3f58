"""What a statement may ask, and how much: nobody who may read must be able to stop the server."""

from __future__ import annotations

import resource
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from otrdb.errors import BadQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = 2.0
"""Time a statement has to be answered, without the time its client takes to listen."""

MEMORY: Final = 128 << 20
"""Bytes by which the most that the process ever occupied may grow meanwhile."""

STEPS: Final = 100
"""Instructions of SQLite's machine from one look at time and memory to the next."""

LENGTH: Final = 1 << 16
"""Bytes of a text that a statement makes, or of the longest annotations if these are longer: what a single
instruction takes depends on it."""

_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 16,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 16,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 1_000,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

_TABLES: Final = frozenset({"streams", "json_each"})

# Of SQLite's own only what takes time in proportion to its arguments.
_FUNCTIONS: Final = """
    -> abs avg coalesce count dense_rank first_value group_concat ifnull iif lag last_value lead length like
    lower match max min nullif rank round row_number substr substring sum total typeof upper
"""
_ALLOWED: Final = frozenset(_FUNCTIONS.split())


def confine(connection: sqlite3.Connection, longest: int) -> None:
    """Let ``connection`` answer nothing but queries of the table, some of whose annotations have ``longest``
    bytes.
    """
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA query_only = ON")
    # It is made at its first use, by statements that the authorizer is asked about.
    connection.execute("SELECT 1 FROM json_each('{}')")
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(LENGTH, 2 * longest))
    connection.set_authorizer(_authorized)


def _authorized(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    allowed = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first in _TABLES)
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _ALLOWED)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class Guard:
    """Ends a statement that takes more than it may."""

    def __init__(self) -> None:
        self._left = SECONDS
        self._until = 0.0
        self._most = _peak() + MEMORY
        self._reason = ""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The time that passes counts; what SQLite refuses, or the guard, is a `BadQuery`."""
        self._until = time.monotonic() + self._left
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError) as error:
            raise BadQuery(self._reason or f"{error}.") from None
        finally:
            self._left = self._until - time.monotonic()

    def late(self) -> bool:
        """Whether the statement must end, since its time is over: cheap."""
        if time.monotonic() > self._until:
            self._reason = f"The statement takes more than {SECONDS} s."
        return bool(self._reason)

    def check(self) -> bool:
        """Whether the statement must end; SQLite asks now and then."""
        if not self.late() and _peak() > self._most:
            self._reason = f"The statement takes more than {MEMORY >> 20} MiB."
        return bool(self._reason)


def _peak() -> int:
    """The most memory the process has occupied so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
