"""DuckDB and SQLite behind the words the archives are asked in.

Windows give minimum, mean, maximum and count only: less than the archives give, which favours these two.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from otrdb.model import MIN_TIME, Array, Int64Array, Kind, KindLike

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized
    from pathlib import Path

_TYPES: Final = {Kind.FLOAT: "DOUBLE", Kind.INT: "BIGINT", Kind.BOOL: "TINYINT"}


def as_kind(kind: KindLike) -> Kind:
    """A kind given by its name."""
    return next(member for member in Kind if member == kind)


class Answer(Protocol):
    """What a statement gives."""

    def fetchall(self) -> list[Any]: ...


class SqlStream:
    """One stream: a number in the table of its kind."""

    def __init__(self, archive: SqlArchive, number: int, kind: Kind) -> None:
        self.archive = archive
        self.number = number
        self.table = f"points_{kind.value}"

    def insert(self, times: int | Int64Array, values: float | Array) -> None:
        """Stores points in one transaction."""
        columns = np.atleast_1d(times), np.atleast_1d(values)
        self.archive.append(self.table, np.full(len(columns[0]), self.number), *columns)

    def aligned_windows(self, start: int, end: int, pointwidth: int) -> Sized:
        """Rows of (window, min, mean, max, count)."""
        low, high = (MIN_TIME + ((time - MIN_TIME) >> pointwidth << pointwidth) for time in (start, end))
        return self._windows(f"(time - ({MIN_TIME})) >> {pointwidth}", low, high)

    def windows(self, start: int, end: int, width: int) -> Sized:
        """Rows of (window, min, mean, max, count)."""
        divide = self.archive.divide
        return self._windows(
            f"(time - {start}) {divide} {width}", start, start + (end - start) // width * width
        )

    def _windows(self, window: str, start: int, end: int) -> Sized:
        return self.archive.rows(
            f"SELECT {window} AS slot, min(value), avg(value), max(value), count(*) FROM {self.table} "
            "WHERE stream = ? AND time >= ? AND time < ? GROUP BY slot ORDER BY slot",
            (self.number, start, end),
        )

    def values(self, start: int, end: int) -> Sized:
        """Rows of (time, value)."""
        return self.archive.rows(
            f"SELECT time, value FROM {self.table} WHERE stream = ? AND time >= ? AND time < ? ORDER BY time",
            (self.number, start, end),
        )

    def nearest(self, time: int) -> Sized:
        """The first row at or after a time."""
        return self.archive.rows(
            f"SELECT time, value FROM {self.table} WHERE stream = ? AND time >= ? ORDER BY time LIMIT 1",
            (self.number, time),
        )


class SqlArchive(ABC):
    """A table per kind of (stream, time, value)."""

    divide: str
    """Division of integers in this dialect."""

    def __init__(self) -> None:
        self._streams: dict[str, tuple[int, Kind]] = {}

    @abstractmethod
    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Answer: ...

    @abstractmethod
    def rows(self, query: str, parameters: Sequence[object]) -> Sized: ...

    @abstractmethod
    def append(self, table: str, numbers: Int64Array, times: Int64Array, values: Array) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def create(self, collection: str, *, kind: KindLike = "float") -> SqlStream:
        """A new stream."""
        number = len(self._known())
        self.execute("INSERT INTO streams VALUES (?, ?, ?)", (number, collection, as_kind(kind).value))
        self._streams[collection] = number, as_kind(kind)
        return self.stream(collection)

    def stream(self, collection: str, /) -> SqlStream:
        """A stream by its name."""
        return SqlStream(self, *self._known()[collection])

    def _known(self) -> dict[str, tuple[int, Kind]]:
        if not self._streams:
            found = self.execute("SELECT collection, number, kind FROM streams").fetchall()
            self._streams = {name: (number, as_kind(kind)) for name, number, kind in found}
        return self._streams

    def insert_columns(
        self, stream_index: Int64Array, times: Int64Array, values: Array, streams: Sequence[SqlStream]
    ) -> None:
        """Points of many streams in one transaction."""
        numbers = np.array([stream.number for stream in streams])
        self.append(streams[0].table, numbers[stream_index], times, values)

    @abstractmethod
    def flush(self) -> None: ...

    def stats(self) -> dict[str, Any]:
        """These count nothing that is compared here."""
        return {}


class Columns(tuple[Array, ...]):
    """DuckDB's answer: NumPy columns. Its length is the number of rows."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self[0])


class DuckDB(SqlArchive):
    """DuckDB with default settings; each commit waits for its log to be synced.

    Imported where it is used: the memory of the others is measured without it.
    """

    divide = "//"

    def __init__(self, path: Path) -> None:
        super().__init__()
        path.mkdir(parents=True, exist_ok=True)
        import duckdb

        self._connection = duckdb.connect(path / "archive.duckdb")
        self.execute("CREATE TABLE IF NOT EXISTS streams (number INTEGER, collection TEXT, kind TEXT)")
        for kind, type_ in _TYPES.items():
            self.execute(
                f"CREATE TABLE IF NOT EXISTS points_{kind.value} (stream INTEGER, time BIGINT, value {type_})"
            )

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Answer:
        """Runs a statement."""
        return self._connection.execute(statement, parameters)

    def rows(self, query: str, parameters: Sequence[object]) -> Sized:
        """The answer as NumPy columns."""
        found = self._connection.execute(query, parameters).fetchnumpy()
        return Columns(map(np.asarray, found.values()))

    def append(self, table: str, numbers: Int64Array, times: Int64Array, values: Array) -> None:
        """One insert of the batch's columns, which is one transaction."""
        batch = {"stream": numbers.astype(np.int32), "time": times, "value": values}
        self._connection.register("batch", batch)
        self.execute(f"INSERT INTO {table} SELECT * FROM batch")

    def flush(self) -> None:
        """A checkpoint."""
        self.execute("CHECKPOINT")

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()


class SQLite(SqlArchive):
    """SQLite as in the peers' run: by (stream, time), 8 KiB pages, 256 MiB cache, commits synced."""

    divide = "/"

    def __init__(self, path: Path) -> None:
        super().__init__()
        path.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path / "archive.sqlite", isolation_level=None)
        for setting in (
            "page_size = 8192",
            "journal_mode = WAL",
            "synchronous = FULL",
            "cache_size = -262144",
        ):
            self.execute(f"PRAGMA {setting}")
        self.execute("CREATE TABLE IF NOT EXISTS streams (number INTEGER, collection TEXT, kind TEXT)")
        for kind in Kind:
            self.execute(
                f"CREATE TABLE IF NOT EXISTS points_{kind.value} "
                "(stream INTEGER, time INTEGER, value, PRIMARY KEY (stream, time)) WITHOUT ROWID"
            )

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Answer:
        """Runs a statement."""
        return self._connection.execute(statement, parameters)

    def rows(self, query: str, parameters: Sequence[object]) -> Sized:
        """The answer as tuples."""
        return self.execute(query, parameters).fetchall()

    def append(self, table: str, numbers: Int64Array, times: Int64Array, values: Array) -> None:
        """One transaction."""
        rows = zip(numbers.tolist(), times.tolist(), values.tolist(), strict=True)
        self.execute("BEGIN")
        self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", rows)
        self.execute("COMMIT")

    def flush(self) -> None:
        """A checkpoint."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Closes the database."""
        self._connection.close()
