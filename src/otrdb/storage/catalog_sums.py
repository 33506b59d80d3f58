"""Checksums of the catalog: SQLite notices a damaged file structure, not a changed value or an older page.

Each table has a sum, the exclusive or of a hash of each of its rows, kept by triggers in the same
transactions. A catalog whose rows do not give its sums is of no use, and is made anew from the segments.
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

_SUMS: Final = "CREATE TABLE sums (name TEXT PRIMARY KEY, total INTEGER) WITHOUT ROWID"


def prepare(db: sqlite3.Connection) -> None:
    """Let the connection keep sums. Needed before anything is changed through it."""
    db.create_function("with_row", -1, _with_row, deterministic=True)
    # Else a row that is replaced would stay in its sum, and some builds let no trigger call a function.
    db.execute("PRAGMA recursive_triggers = ON")
    db.execute("PRAGMA trusted_schema = ON")


def add_sums(db: sqlite3.Connection) -> None:
    """Keep sums from now on of all tables there are, which are empty."""
    tables = _tables(db)
    db.execute(_SUMS)
    for table in tables:
        db.execute("INSERT INTO sums VALUES (?, 0)", (table,))
        for event, rows in (("INSERT", ("NEW",)), ("DELETE", ("OLD",)), ("UPDATE", ("OLD", "NEW"))):
            total = "total"
            for row in rows:
                total = f"with_row({total}, '{table}', {_columns(db, table, row + '.')})"
            update = f"UPDATE sums SET total = {total} WHERE name = '{table}'"
            db.execute(f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} BEGIN {update}; END")


def is_sound(db: sqlite3.Connection, make: Callable[[], sqlite3.Connection]) -> bool:
    """Whether structure and contents of the catalog are those that were written. Reads all of it.

    ``make`` makes an empty catalog, to compare the tables' definitions with. Costs about 1 us for each row.
    Raises whatever `sqlite3.DatabaseError` a damaged one leads to.
    """
    if _schema(db) != _expected_schema(make):
        return False
    if db.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        return False
    sums = dict(db.execute("SELECT name, total FROM sums"))
    tables = [table for table in _tables(db) if table != "sums"]
    return sums == {table: _sum(db, table) for table in tables}


def _sum(db: sqlite3.Connection, table: str) -> int:
    total = 0
    for row in db.execute(f"SELECT {_columns(db, table)} FROM {table}"):
        total = _with_row(total, table, *row)
    return total


def _with_row(total: int, table: str, *row: object) -> int:
    """A sum with a row added, or taken away."""
    # Not a CRC: like changes of two rows would cancel each other.
    digest = blake2b(repr((table, row)).encode(), digest_size=8).digest()
    return total ^ int.from_bytes(digest, "little", signed=True)


def _tables(db: sqlite3.Connection) -> list[str]:
    return [
        name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    ]


def _columns(db: sqlite3.Connection, table: str, prefix: str = "") -> str:
    found = db.execute("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))
    return ", ".join(f'{prefix}"{name}"' for (name,) in found)


def _schema(db: sqlite3.Connection) -> list[Any]:
    return db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()


@cache
def _expected_schema(make: Callable[[], sqlite3.Connection]) -> list[Any]:
    db = make()
    try:
        return _schema(db)
    finally:
        db.close()
