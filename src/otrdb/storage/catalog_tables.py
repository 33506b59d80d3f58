"""The catalog's tables: what each entry of a group changes in them, and what can be asked of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from otrdb.model import FIRST_VERSION, Kind
from otrdb.storage.blocks import ADDRESS, HEADER_BYTES, NOWHERE, Address
from otrdb.storage.catalog_sums import add_sums
from otrdb.storage.groups import FIRST_POSITION, GroupInfo, Position
from otrdb.storage.records import (
    Committed,
    Entry,
    Obliterated,
    PropertiesSet,
    SegmentsFreed,
    SettingSet,
    SnapshotDropped,
    SnapshotNamed,
    StreamCreated,
    StreamKept,
    VersionKept,
    VersionsPruned,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

CATALOG_FORMAT: Final = 4
"""Number of this set of tables. A catalog with another one is rebuilt, so it may change at will."""

_SCHEMA: Final = """
CREATE TABLE meta (
    format INTEGER, archive BLOB, sequence INTEGER, segment INTEGER, "offset" INTEGER, streams INTEGER, lsn
    INTEGER
);
CREATE TABLE streams (
    number INTEGER PRIMARY KEY, uuid BLOB, kind TEXT, collection TEXT, tags TEXT, annotations TEXT,
    property_version INTEGER
);
CREATE TABLE versions (
    number INTEGER, version INTEGER, root BLOB, applied_lsn INTEGER, count INTEGER, time INTEGER,
    PRIMARY KEY (number, version)
) WITHOUT ROWID;
CREATE TABLE tombstones (uuid BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE snapshots (name TEXT PRIMARY KEY, time INTEGER, versions TEXT) WITHOUT ROWID;
CREATE TABLE settings (scope TEXT, key TEXT, value TEXT, PRIMARY KEY (scope, key)) WITHOUT ROWID;
CREATE TABLE segments (number INTEGER PRIMARY KEY, bytes INTEGER, dead INTEGER);
CREATE TABLE freed (
    first INTEGER PRIMARY KEY, last INTEGER, first_group INTEGER, last_group INTEGER, streams INTEGER, lsn
    INTEGER
);
"""

_VERSION: Final = "v.version, v.root, v.applied_lsn, v.count, v.time"
_LATEST: Final = f"""
SELECT s.number, s.uuid, s.kind, s.collection, s.tags, s.annotations, s.property_version, {_VERSION}
FROM streams s JOIN versions v ON v.number = s.number
AND v.version = (SELECT max(version) FROM versions WHERE number = s.number) ORDER BY s.number
"""


@dataclass(frozen=True, slots=True)
class CatalogVersion:
    """A version that is kept.

    `root` is its tree, `applied_lsn` the LSN through which the journal is in it, `count` its points, `time`
    when it was made (ns).
    """

    version: int
    root: Address
    applied_lsn: int
    count: int
    time: int


@dataclass(frozen=True, slots=True)
class CatalogStream:
    """A stream with its properties and its latest version."""

    number: int
    uuid: UUID
    kind: Kind
    collection: str
    tags: dict[str, str]
    annotations: dict[str, str]
    property_version: int
    latest: CatalogVersion


class CatalogSnapshot(NamedTuple):
    """A named snapshot: when it was taken (ns), and the version of each stream number in it."""

    time: int
    versions: dict[int, int]


class SegmentSpace(NamedTuple):
    """Bytes of the groups in a segment, and of those the blocks that a latest version used once and uses no
    more.
    """

    bytes: int
    dead: int


def create_tables(db: sqlite3.Connection, archive: UUID) -> None:
    """Make the tables of a catalog in which nothing has been applied."""
    db.executescript(f"BEGIN; {_SCHEMA}")
    add_sums(db)
    db.execute(
        "INSERT INTO meta VALUES (?, ?, ?, ?, ?, 0, 0)", (CATALOG_FORMAT, archive.bytes, *FIRST_POSITION)
    )
    db.execute("COMMIT")


def belongs_to(db: sqlite3.Connection, archive: UUID) -> bool:
    """Whether these are tables of this format, for this archive."""
    return db.execute("SELECT format, archive FROM meta").fetchall() == [(CATALOG_FORMAT, archive.bytes)]


def apply_group(db: sqlite3.Connection, entries: Sequence[Entry], info: GroupInfo) -> None:
    """Bring the tables from before a group to after it."""
    for entry in entries:
        _APPLY[type(entry)](db, entry, info.time)
    commits = [entry for entry in entries if isinstance(entry, (Committed, VersionKept))]
    _account(db, info, commits)
    lsn = max((entry.applied_lsn for entry in commits), default=0)
    # A stream may be named whose creation is lost: its number must not be given again.
    number = max((entry.number for entry in commits), default=0)
    db.execute('UPDATE meta SET sequence = ?, segment = ?, "offset" = ?', info.end)
    db.execute("UPDATE meta SET lsn = max(lsn, ?), streams = max(streams, ?)", (lsn, number))


def position(db: sqlite3.Connection) -> Position:
    """After the last group that was applied."""
    return Position(*db.execute('SELECT sequence, segment, "offset" FROM meta').fetchone())


def high_water(db: sqlite3.Connection) -> tuple[int, int]:
    """The largest stream number and the largest applied LSN there ever were; 0 for none."""
    numbers: tuple[int, int] = db.execute("SELECT streams, lsn FROM meta").fetchone()
    return numbers


def freed(db: sqlite3.Connection) -> list[SegmentsFreed]:
    """The segments that were given back."""
    rows = db.execute("SELECT first, last, first_group, last_group, streams, lsn FROM freed ORDER BY first")
    return [SegmentsFreed(*row) for row in rows]


def streams(db: sqlite3.Connection) -> list[CatalogStream]:
    """All streams, by number."""
    return [_stream(row) for row in db.execute(_LATEST)]


def tombstones(db: sqlite3.Connection) -> set[UUID]:
    """The uuids of obliterated streams."""
    return {UUID(bytes=uuid) for (uuid,) in db.execute("SELECT uuid FROM tombstones")}


def versions(db: sqlite3.Connection, number: int) -> list[CatalogVersion]:
    """The versions of a stream that are kept, ascending."""
    rows = db.execute(f"SELECT {_VERSION} FROM versions v WHERE number = ? ORDER BY version", (number,))
    return [_version(row) for row in rows]


def unowned(db: sqlite3.Connection) -> list[Address]:
    """The trees of streams that are not there."""
    rows = db.execute("SELECT root FROM versions WHERE number NOT IN (SELECT number FROM streams)")
    return [Address(*ADDRESS.unpack_from(root)) for (root,) in rows]


def with_older_versions(db: sqlite3.Connection) -> list[int]:
    """The numbers of the streams that have more than one version, ascending."""
    rows = db.execute("SELECT number FROM versions GROUP BY number HAVING count(*) > 1 ORDER BY number")
    return [number for (number,) in rows]


def version(db: sqlite3.Connection, number: int, wanted: int) -> CatalogVersion | None:
    """One version of a stream; None if it is not kept."""
    row = db.execute(f"SELECT {_VERSION} FROM versions v WHERE number = ? AND version = ?", (number, wanted))
    return next(map(_version, row), None)


def version_at(db: sqlite3.Connection, number: int, time: int) -> CatalogVersion | None:
    """The newest kept version of a stream that was made at ``time`` or before; None if there is none."""
    rows = db.execute(
        f"SELECT {_VERSION} FROM versions v WHERE number = ? AND time <= ? ORDER BY version DESC LIMIT 1",
        (number, time),
    )
    return next(map(_version, rows), None)


def snapshots(db: sqlite3.Connection) -> dict[str, CatalogSnapshot]:
    """The named snapshots."""
    return {
        name: CatalogSnapshot(time, {int(number): kept for number, kept in json.loads(kept_versions).items()})
        for name, time, kept_versions in db.execute(
            "SELECT name, time, versions FROM snapshots ORDER BY name"
        )
    }


def settings(db: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """The settings by scope and key."""
    return {(scope, key): value for scope, key, value in db.execute("SELECT scope, key, value FROM settings")}


def segments(db: sqlite3.Connection) -> dict[int, SegmentSpace]:
    """The space in each segment, by its number."""
    rows = db.execute("SELECT number, bytes, dead FROM segments ORDER BY number")
    return {number: SegmentSpace(used, dead) for number, used, dead in rows}


def _stream(row: Sequence[Any]) -> CatalogStream:
    number, uuid, kind, collection, tags, annotations, property_version, *latest = row
    properties = (collection, json.loads(tags), json.loads(annotations), property_version)
    return CatalogStream(number, UUID(bytes=uuid), Kind(kind), *properties, _version(latest))


def _version(row: Sequence[Any]) -> CatalogVersion:
    number, root, applied_lsn, count, time = row
    return CatalogVersion(number, Address(*ADDRESS.unpack_from(root)), applied_lsn, count, time)


def _account(db: sqlite3.Connection, info: GroupInfo, commits: Iterable[Committed | VersionKept]) -> None:
    dead = Counter[int]()
    for commit in commits:
        for segment, _, length, _ in commit.obsolete:
            dead[segment] += HEADER_BYTES + length
    upsert = "INSERT INTO segments VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
    db.execute(f"{upsert} bytes = bytes + excluded.bytes", (info.address.segment, info.size, 0))
    db.executemany(
        f"{upsert} dead = dead + excluded.dead", [(number, 0, lost) for number, lost in dead.items()]
    )


def _stream_created(db: sqlite3.Connection, entry: StreamCreated, time: int) -> None:
    tags, annotations = _text(entry.tags), _text(entry.annotations)
    db.execute(
        "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?, ?, ?, 1)",
        (entry.number, entry.uuid.bytes, entry.kind.value, entry.collection, tags, annotations),
    )
    db.execute("UPDATE meta SET streams = max(streams, ?)", (entry.number,))
    _committed(db, Committed(entry.number, FIRST_VERSION, NOWHERE, 0, 0, time), time)


def _properties_set(db: sqlite3.Connection, entry: PropertiesSet, _: int) -> None:
    db.execute(
        "UPDATE streams SET property_version = ?, collection = ?, tags = ?, annotations = ? WHERE number = ?",
        (entry.property_version, entry.collection, _text(entry.tags), _text(entry.annotations), entry.number),
    )


def _committed(db: sqlite3.Connection, entry: Committed | VersionKept, _: int) -> None:
    root = ADDRESS.pack(*entry.root)
    db.execute(
        "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?)",
        (entry.number, entry.version, root, entry.applied_lsn, entry.count, entry.time),
    )


def _obliterated(db: sqlite3.Connection, entry: Obliterated, _: int) -> None:
    db.execute("DELETE FROM streams WHERE number = ?", (entry.number,))
    db.execute("DELETE FROM versions WHERE number = ?", (entry.number,))
    db.execute("INSERT OR IGNORE INTO tombstones VALUES (?)", (entry.uuid.bytes,))
    db.execute("UPDATE meta SET streams = max(streams, ?)", (entry.number,))


def _stream_kept(db: sqlite3.Connection, entry: StreamKept, _: int) -> None:
    properties = (entry.collection, _text(entry.tags), _text(entry.annotations), entry.property_version)
    db.execute(
        "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?, ?, ?, ?)",
        (entry.number, entry.uuid.bytes, entry.kind.value, *properties),
    )
    db.execute("UPDATE meta SET streams = max(streams, ?)", (entry.number,))


def _segments_freed(db: sqlite3.Connection, entry: SegmentsFreed, _: int) -> None:
    db.execute("DELETE FROM freed WHERE first >= ? AND last <= ?", (entry.first, entry.last))
    db.execute(
        "INSERT OR REPLACE INTO freed VALUES (?, ?, ?, ?, ?, ?)",
        (entry.first, entry.last, entry.first_group, entry.last_group, entry.streams, entry.lsn),
    )
    db.execute("DELETE FROM segments WHERE number >= ? AND number <= ?", (entry.first, entry.last))
    db.execute("UPDATE meta SET lsn = max(lsn, ?), streams = max(streams, ?)", (entry.lsn, entry.streams))


def _snapshot_named(db: sqlite3.Connection, entry: SnapshotNamed, _: int) -> None:
    kept = _text(entry.versions)
    db.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", (entry.name, entry.time, kept))


def _snapshot_dropped(db: sqlite3.Connection, entry: SnapshotDropped, _: int) -> None:
    db.execute("DELETE FROM snapshots WHERE name = ?", (entry.name,))


def _versions_pruned(db: sqlite3.Connection, entry: VersionsPruned, _: int) -> None:
    pruned = [(entry.number, each) for each in entry.versions]
    db.executemany("DELETE FROM versions WHERE number = ? AND version = ?", pruned)


def _setting_set(db: sqlite3.Connection, entry: SettingSet, _: int) -> None:
    if entry.value:
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", (entry.scope, entry.key, entry.value))
    else:
        db.execute("DELETE FROM settings WHERE scope = ? AND key = ?", (entry.scope, entry.key))


def _text(mapping: Mapping[Any, Any]) -> str:
    return json.dumps(dict(mapping), ensure_ascii=False, sort_keys=True)


_APPLY: Final[dict[type[Entry], Callable[[sqlite3.Connection, Any, int], None]]] = {
    StreamCreated: _stream_created,
    PropertiesSet: _properties_set,
    Committed: _committed,
    Obliterated: _obliterated,
    SnapshotNamed: _snapshot_named,
    SnapshotDropped: _snapshot_dropped,
    VersionsPruned: _versions_pruned,
    SettingSet: _setting_set,
    StreamKept: _stream_kept,
    VersionKept: _committed,
    SegmentsFreed: _segments_freed,
}
