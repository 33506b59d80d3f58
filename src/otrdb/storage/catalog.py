"""The catalog: an index, in SQLite, of what the group records say. It may lag, and can be made from nothing.

Opening it goes: make it, apply every group that `SegmentStore.recover` (or `scan`) gives after its
`position`.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from otrdb.errors import ClosedArchive, Damaged, DiskFull
from otrdb.storage import catalog_tables as tables
from otrdb.storage.catalog_stamp import is_stamped, stamp
from otrdb.storage.catalog_sums import is_sound, prepare
from otrdb.storage.records import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb.storage.blocks import Address
    from otrdb.storage.catalog_tables import CatalogSnapshot, CatalogStream, CatalogVersion, SegmentSpace
    from otrdb.storage.groups import GroupInfo, Position
    from otrdb.storage.records import SegmentsFreed

_Answer = TypeVar("_Answer")

_OF_NO_USE: Final = (sqlite3.DatabaseError, ValueError)
"""What reading a damaged catalog leads to; text that is no UTF-8 is a `ValueError`."""

_SAVE_GROUPS: Final = 256
_SAVE_BYTES: Final = 64 << 20
_SAVE_PAYLOAD: Final = 2 << 20
"""Groups are written to the file when so many, or so much, was collected. It bounds what opening scans, and
the memory of what waits.
"""


class Catalog:
    """The index of one archive. Safe from any thread; no transaction or lock is held between calls.

    Args:
        path: the SQLite file. One that is missing, damaged, of another archive or another format is made
        anew, empty.
            None: the catalog is in memory only.
        archive: the archive's uuid.
        readonly: never touch the file: take a copy of it into memory, as it is now, or begin empty.

    Attributes:
        trouble: why the last attempt to write the file failed; None if it did not. What was not written is
        tried
            again, and would be found in the segments.
    """

    def __init__(self, path: Path | None, archive: UUID, *, readonly: bool = False) -> None:
        self._lock = threading.RLock()
        self._path = None if readonly else path
        self._archive = archive
        self._unsaved: list[tuple[bytes, GroupInfo]] = []
        self._weight = 0.0
        self._save_at = 1.0
        self._closed = False
        self.trouble: sqlite3.Error | None = None
        self._changed = self._path is not None and not is_stamped(self._path)
        """Whether the file is not what its stamp says."""
        self._db = self._connect(path, archive, readonly=readonly)

    @property
    def position(self) -> Position:
        """After the last group that was applied."""
        with self._lock:
            return self._unsaved[-1][1].end if self._unsaved else self._ask(tables.position)

    @property
    def last_number(self) -> int:
        """The largest stream number that was ever given; 0 for none."""
        return self._ask(tables.high_water)[0]

    @property
    def last_lsn(self) -> int:
        """The largest LSN that any group has applied; 0 for none."""
        return self._ask(tables.high_water)[1]

    def apply(self, payload: bytes, info: GroupInfo) -> None:
        """Take note of a group by its record's payload. It must be durable and the one after `position` (I3).

        Costs next to nothing; now and then what was collected is written and synced. If that fails, `trouble`
        says so.
        """
        with self._lock:
            self._unsaved.append((payload, info))
            self._weight += 1 / _SAVE_GROUPS + len(payload) / _SAVE_PAYLOAD + info.size / _SAVE_BYTES
            if self._weight >= self._save_at:
                self._try_to_save()

    def streams(self) -> list[CatalogStream]:
        """All streams with their latest versions, by number. O(streams)."""
        return self._ask(tables.streams)

    def tombstones(self) -> set[UUID]:
        """The uuids of obliterated streams."""
        return self._ask(tables.tombstones)

    def versions(self, number: int) -> list[CatalogVersion]:
        """The versions of a stream that are kept, ascending."""
        return self._ask(lambda db: tables.versions(db, number))

    def unowned(self) -> list[Address]:
        """The trees of streams whose creation is lost, and which were not obliterated."""
        return self._ask(tables.unowned)

    def with_older_versions(self) -> list[int]:
        """The numbers of the streams of which more than the latest version is kept."""
        return self._ask(tables.with_older_versions)

    def version(self, number: int, version: int) -> CatalogVersion | None:
        """One version of a stream; None if it is not kept."""
        return self._ask(lambda db: tables.version(db, number, version))

    def version_at(self, number: int, time: int) -> CatalogVersion | None:
        """The newest kept version of a stream made at ``time`` (ns) or before; None if there is none."""
        return self._ask(lambda db: tables.version_at(db, number, time))

    def snapshots(self) -> dict[str, CatalogSnapshot]:
        """The named snapshots, by name."""
        return self._ask(tables.snapshots)

    def settings(self) -> dict[tuple[str, str], str]:
        """The settings, by scope and key."""
        return self._ask(tables.settings)

    def freed(self) -> list[SegmentsFreed]:
        """The segments that were given back."""
        return self._ask(tables.freed)

    def segments(self) -> dict[int, SegmentSpace]:
        """The space in each segment, by its number."""
        return self._ask(tables.segments)

    def save(self) -> None:
        """Write what was collected, if the disk lets us."""
        with self._lock:
            self._try_to_save()

    def clear(self) -> None:
        """Forget everything: the catalog is older than what may be missing of the segments."""
        with self._lock:
            self._unsaved.clear()
            self._db.close()
            self._changed = True
            self._db = self._empty(self._path)

    def close(self) -> None:
        """Write what was collected, if the disk lets us, and close the file. May be repeated."""
        with self._lock:
            if self._unsaved:
                self._try_to_save()
            self._closed = True
            self._db.close()
            if self._path is not None and self._changed and self.trouble is None:
                self._changed = False
                stamp(self._path, _reads_sound)

    def _connect(self, path: Path | None, archive: UUID, *, readonly: bool) -> sqlite3.Connection:
        if path is None:
            return _in_memory(archive)
        if readonly:
            return _copy(path, archive)
        try:
            return _open(path, archive, stamped=not self._changed) or self._empty(path)
        except sqlite3.Error as error:
            self.trouble = error
            return _in_memory(archive)

    def _empty(self, path: Path | None) -> sqlite3.Connection:
        if path is None:
            return _in_memory(self._archive)
        try:
            return _make(path, self._archive)
        except sqlite3.Error as error:
            self.trouble = error
            return _in_memory(self._archive)

    def _ask(self, query: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        """The answer of a query, with everything applied."""
        with self._lock:
            if self._closed:
                raise ClosedArchive("This archive has been closed.")
            try:
                self._save()
                return query(self._db)
            except sqlite3.Error as error:
                raise self._explained(error) from error

    def _try_to_save(self) -> None:
        try:
            self._save()
        except sqlite3.Error as error:
            self.trouble = error
            self._save_at = self._weight + 1

    def _save(self) -> None:
        if not self._unsaved:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for payload, info in self._unsaved:
                tables.apply_group(self._db, decode(payload), info)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._unsaved.clear()
        self._changed = True
        self._weight, self._save_at, self.trouble = 0.0, 1.0, None

    def _explained(self, error: sqlite3.Error) -> DiskFull | Damaged:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return DiskFull("The catalog cannot be brought up to date.")
        if self._path and name in ("SQLITE_CORRUPT", "SQLITE_NOTADB"):
            self._path.unlink(missing_ok=True)
        return Damaged(
            f"The catalog does not answer: {error}.", advice="Reopen the archive: it is made anew."
        )


def _open(path: Path, archive: UUID, *, stamped: bool) -> sqlite3.Connection | None:
    """The catalog that is there; None if it is of no use."""
    if not path.exists():
        return None
    db = _connection(path)
    try:
        _make_safe(db)
        if tables.belongs_to(db, archive) and (stamped or is_sound(db, _empty)):
            return db
    except _OF_NO_USE:
        # Whatever is wrong with it, what it says can be had from the segments.
        pass
    db.close()
    return None


def _reads_sound(path: Path) -> bool:
    """Whether the file of a catalog that is closed holds what was written: read anew, since a connection
    answers from memory.
    """
    try:
        with closing(_connection(path)) as db:
            return is_sound(db, _empty)
    except _OF_NO_USE:
        return False


def _make(path: Path, archive: UUID) -> sqlite3.Connection:
    for suffix in ("", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    db = _connection(path)
    _make_safe(db)
    tables.create_tables(db, archive)
    return db


def _copy(path: Path, archive: UUID) -> sqlite3.Connection:
    """The catalog that is there, in memory; an empty one if it cannot be read or is of no use."""
    memory = _connection(":memory:")
    try:
        with closing(_connection(f"{path.absolute().as_uri()}?mode=ro")) as source:
            source.backup(memory)
        if tables.belongs_to(memory, archive) and is_sound(memory, _empty):
            return memory
    except _OF_NO_USE:
        # As in _open; and what a writer left that died while it wrote cannot be read without writing.
        pass
    memory.close()
    return _in_memory(archive)


def _in_memory(archive: UUID) -> sqlite3.Connection:
    db = _connection(":memory:")
    tables.create_tables(db, archive)
    return db


def _empty() -> sqlite3.Connection:
    """A catalog as it is made."""
    return _in_memory(UUID(int=0))


def _connection(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, uri=True)
    prepare(db)
    return db


def _make_safe(db: sqlite3.Connection) -> None:
    # A rollback journal, since a write-ahead log could not be read on read-only media; all syncs, since the
    # catalog vouches for groups, and a torn catalog could say anything.
    db.execute("PRAGMA journal_mode = TRUNCATE")
    db.execute("PRAGMA synchronous = FULL")
