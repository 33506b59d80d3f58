"""Who takes part: OtrDB's tree, its two baselines, and databases that run in process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import otrdb
from otrdb import baseline

from .sql import DuckDB, SQLite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized
    from pathlib import Path

    from otrdb.model import Array, Int64Array, KindLike

TREE = "tree"

Times: TypeAlias = "int | Int64Array"
Values: TypeAlias = "float | Array"


class MeasuredStream(Protocol):
    """What a stream is asked here: a part of `otrdb.interface.StreamLike`."""

    def insert(self, times: Times, values: Values) -> object: ...

    def aligned_windows(self, start: int, end: int, pointwidth: int) -> Sized: ...

    def windows(self, start: int, end: int, width: int) -> Sized: ...

    def values(self, start: int, end: int) -> Sized: ...

    def nearest(self, time: int) -> object: ...


class MeasuredArchive(Protocol):
    """What an archive is asked here: a part of `otrdb.interface.ArchiveLike`. Inserts return durable."""

    def create(self, collection: str, *, kind: KindLike = "float") -> MeasuredStream: ...

    def stream(self, collection: str, /) -> MeasuredStream: ...

    def insert_columns(
        self, stream_index: Int64Array, times: Int64Array, values: Array, streams: Sequence[Any]
    ) -> object: ...

    def flush(self) -> object: ...

    def stats(self) -> dict[str, Any]: ...

    def close(self) -> object: ...


@dataclass(frozen=True)
class Contender:
    """A name, how its archive at a path is opened (and created), and a word on what it is."""

    name: str
    open: Callable[[Path], MeasuredArchive]
    about: str


def tree(durability: str = "sync") -> Contender:
    """OtrDB with one of its durability modes."""
    name = TREE if durability == "sync" else f"{TREE}, {durability}"
    opener: Callable[..., MeasuredArchive] = otrdb.open
    return Contender(name, partial(opener, durability=durability), f"OtrDB {otrdb.__version__}")


def all_contenders() -> list[Contender]:
    """Everyone, the product first."""
    return [
        tree(),
        Contender("flat", baseline.open_flat, "one append-only file per stream, statistics by scanning"),
        Contender(
            "chunked", baseline.open_chunked, "sorted pcodec chunks of 16,384 points with an index, no tree"
        ),
        Contender("duckdb", DuckDB, "DuckDB, one table, default settings: every commit synced"),
        Contender(
            "sqlite", SQLite, "SQLite, WITHOUT ROWID (stream, time), 8 KiB pages, WAL, synchronous=FULL"
        ),
    ]


def chosen(names: Sequence[str]) -> list[Contender]:
    """The contenders of these names, all if none is given."""
    everyone = all_contenders()
    unknown = set(names) - {contender.name for contender in everyone}
    if unknown:
        raise SystemExit(f"No such contender: {', '.join(sorted(unknown))}.")
    return [contender for contender in everyone if not names or contender.name in names]
