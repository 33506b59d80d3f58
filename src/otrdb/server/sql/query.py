"""A statement's answer, row by row."""

from __future__ import annotations

import json
import math
import re
from contextlib import closing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from otrdb.errors import BadQuery
from otrdb.server.sql.bounds import STEPS, Guard, confine
from otrdb.server.sql.patterns import like
from otrdb.server.sql.statement import translated

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from otrdb.server.sql.catalog import Streams

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")

MOST_ROWS: Final = 1_000_000

LONGEST_ROW: Final = 1 << 20
"""Bytes."""

_CALL: Final = re.compile(r"(\w+) \(.*\)", re.DOTALL)


def rows(streams: Streams, query: str, parameters: Sequence[str]) -> Iterator[bytes]:
    """The rows as JSON objects, in UTF-8. `BadQuery` for what cannot be answered, also after some rows."""
    statement = translated(query, len(parameters))
    named = {f"p{number}": text for number, text in enumerate(parameters, 1)}
    guard = Guard()
    with closing(streams.connect()) as connection:
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        _add_functions(connection, guard)
        confine(connection, streams.longest)
        connection.set_progress_handler(guard.check, STEPS)
        with guard.watching():
            cursor = connection.execute(statement, named)
        names = [_name(column[0]) for column in cursor.description]
        for number in count():
            with guard.watching():
                row = cursor.fetchone()
            if row is None:
                return
            if number == MOST_ROWS:
                raise BadQuery(f"There are more than {MOST_ROWS} rows.", advice="Give a WHERE or a LIMIT.")
            yield _encoded(names, row)


def _add_functions(connection: sqlite3.Connection, guard: Guard) -> None:
    # SQLite looks only between instructions whether it must end, and these may take longer than its own.
    def watched(function: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer | None]:
        def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Answer | None:
            return None if guard.late() else function(*args, **kwargs)

        return call

    connection.create_function("->", 2, watched(_annotation), deterministic=True)
    connection.create_function("like", 2, watched(like), deterministic=True)
    connection.create_function("like", 3, watched(like), deterministic=True)
    connection.create_function("match", 2, watched(partial(like, ignore_case=True)), deterministic=True)


def _annotation(annotations: object, key: object) -> str | None:
    """The annotation of that key, or None."""
    found = _object(annotations) if isinstance(annotations, bytes) else None
    return found.get(str(key)) if found else None


def _object(value: bytes) -> dict[str, str] | None:
    """Annotations; None for bytes that a statement made of something else."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    own = isinstance(found, dict) and all(isinstance(text, str) for text in found.values())
    return found if own else None


def _name(column: str) -> str:
    """What PostgreSQL calls a column: a call of a function without another name has that of the function."""
    call = _CALL.fullmatch(column)
    return call[1].lower() if call else column


def _encoded(names: Sequence[str], row: Sequence[object]) -> bytes:
    cells = {name: _cell(value) for name, value in zip(names, row, strict=True)}
    encoded = json.dumps(cells, ensure_ascii=False).encode(errors="replace")
    if len(encoded) > LONGEST_ROW:
        raise BadQuery(f"A row takes more than {LONGEST_ROW} bytes.", advice="Select fewer columns.")
    return encoded


def _cell(value: object) -> object:
    """A value that JSON has."""
    if isinstance(value, bytes):
        found = _object(value)
        return found if found is not None else f"\\x{value.hex()}"
    if isinstance(value, float) and not math.isfinite(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
