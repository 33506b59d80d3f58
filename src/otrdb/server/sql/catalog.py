"""The table `streams`: a copy of the metadata in memory, made anew when that has changed.

Every query has a connection of its own to it, so none waits for another.
"""

from __future__ import annotations

import json
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Final
from uuid import uuid4
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb import Archive
    from otrdb.metadata import Metadata

COLUMNS: Final = (
    "uuid TEXT NOT NULL",
    "collection TEXT NOT NULL",
    "name TEXT NOT NULL",
    "unit TEXT NOT NULL",
    "ingress TEXT NOT NULL",
    "distiller TEXT NOT NULL",
    "property_version INTEGER NOT NULL",
    "annotations BLOB",
)
"""Tags that a stream does not have are empty. Annotations are a JSON object, or NULL where there are none: a
BLOB, by which they are told from text in an answer."""

_TAGS: Final = ("name", "unit", "ingress", "distiller")


class Streams:
    """The table as it is after one change and before the next."""

    def __init__(self, metadata: Sequence[Metadata]) -> None:
        self._address = f"file:/otrdb-{uuid4().hex}?vfs=memdb"
        annotations = [_annotations(each) for each in metadata]
        self.longest = max((len(each) for each in annotations if each is not None), default=0)
        """Bytes of the longest annotations of a stream."""
        # The database is there as long as somebody is connected.
        first = self.connect()
        finalize(self, first.close)
        first.execute(f"CREATE TABLE streams ({', '.join(COLUMNS)})")
        with first:
            places = ", ".join("?" * len(COLUMNS))
            rows = map(_row, metadata, annotations)
            first.executemany(f"INSERT INTO streams VALUES ({places})", rows)

    def connect(self) -> sqlite3.Connection:
        """A new connection, for one thread at a time."""
        return sqlite3.connect(self._address, uri=True, check_same_thread=False)


def _annotations(metadata: Metadata) -> bytes | None:
    if not metadata.annotations:
        return None
    return json.dumps(dict(metadata.annotations), ensure_ascii=False).encode()


def _row(metadata: Metadata, annotations: bytes | None) -> tuple[str | int | bytes | None, ...]:
    tags = (metadata.tags.get(tag, "") for tag in _TAGS)
    return str(metadata.uuid), metadata.collection, *tags, metadata.property_version, annotations


class Catalog:
    """The table of an archive, kept until its metadata changes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[Sequence[Metadata], Streams] | None = None

    def streams(self, archive: Archive) -> Streams:
        """The table as it is now. Costs time for every stream there is if anything has changed since."""
        metadata = archive.metadata()
        with self._lock:
            if self._kept is None or self._kept[0] is not metadata:
                self._kept = metadata, Streams(metadata)
            return self._kept[1]
