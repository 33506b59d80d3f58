"""Entries: what a group record says has changed. All entries of all groups are the archive's history.

An entry on disk is a type, a length and its fields one after the other. `ENTRIES` declares them and is
compared with `docs/format.md` by a test.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from otrdb.errors import Damaged, UnsupportedFormat
from otrdb.storage.fields import (
    ADDRESS,
    ADDRESSES,
    I64,
    KIND,
    MAP,
    TEXT,
    U32,
    U64,
    UUID_FIELD,
    VERSION_MAP,
    VERSIONS,
    Field,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from otrdb.model import Kind
    from otrdb.storage.blocks import Address


@dataclass(frozen=True, slots=True)
class StreamCreated:
    """A stream came to be: version 10, empty, property version 1. Its number is never used again."""

    number: int
    uuid: UUID
    kind: Kind
    collection: str
    tags: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PropertiesSet:
    """Collection, tags and annotations of a stream were replaced."""

    number: int
    property_version: int
    collection: str
    tags: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Committed:
    """A new version of a stream.

    `root` is its tree (`NOWHERE`: no points), `applied_lsn` the LSN through which the journal is in it,
    `count` its points, `time` when it was made (ns), `obsolete` the blocks it no longer shares with the
    version before.
    """

    number: int
    version: int
    root: Address
    applied_lsn: int
    count: int
    time: int
    obsolete: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Obliterated:
    """A stream and all its versions are gone; its uuid is never used again."""

    number: int
    uuid: UUID


@dataclass(frozen=True, slots=True)
class SnapshotNamed:
    """A name was given to a version of each of some streams."""

    name: str
    versions: Mapping[int, int]
    time: int


@dataclass(frozen=True, slots=True)
class SnapshotDropped:
    """A named snapshot is no longer kept."""

    name: str


@dataclass(frozen=True, slots=True)
class VersionsPruned:
    """Some versions of a stream are no longer kept."""

    number: int
    versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SettingSet:
    """A setting of a collection prefix, a stream or the archive was given a value."""

    scope: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class StreamKept:
    """A stream as it is: its creation and its properties, said again, since the segment that said it goes."""

    number: int
    uuid: UUID
    kind: Kind
    property_version: int
    collection: str
    tags: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VersionKept:
    """A version that was made earlier, as it is: its tree may have been moved to `root`.

    `obsolete` are blocks the latest version no longer uses.
    """

    number: int
    version: int
    root: Address
    applied_lsn: int
    count: int
    time: int
    obsolete: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentsFreed:
    """Segments `first` to `last` hold nothing any more that is not said elsewhere: they may be missing.

    In them were the groups with sequences `first_group` to `last_group`. `streams` and `lsn` are the largest
    stream number and the largest applied LSN there had been.
    """

    first: int
    last: int
    first_group: int
    last_group: int
    streams: int
    lsn: int


Entry: TypeAlias = (
    StreamCreated
    | PropertiesSet
    | Committed
    | Obliterated
    | SnapshotNamed
    | SnapshotDropped
    | VersionsPruned
    | SettingSet
    | StreamKept
    | VersionKept
    | SegmentsFreed
)

_Fields: TypeAlias = tuple[tuple[str, Field], ...]

_PROPERTIES: Final[_Fields] = (("collection", TEXT), ("tags", MAP), ("annotations", MAP))
_VERSION: Final[_Fields] = (
    ("number", U32),
    ("version", U64),
    ("root", ADDRESS),
    ("applied_lsn", U64),
    ("count", U64),
    ("time", I64),
    ("obsolete", ADDRESSES),
)

ENTRIES: Final[dict[int, tuple[type[Entry], _Fields]]] = {
    1: (StreamCreated, (("number", U32), ("uuid", UUID_FIELD), ("kind", KIND), *_PROPERTIES)),
    2: (PropertiesSet, (("number", U32), ("property_version", U64), *_PROPERTIES)),
    3: (Committed, _VERSION),
    4: (Obliterated, (("number", U32), ("uuid", UUID_FIELD))),
    5: (SnapshotNamed, (("name", TEXT), ("versions", VERSION_MAP), ("time", I64))),
    6: (SnapshotDropped, (("name", TEXT),)),
    7: (VersionsPruned, (("number", U32), ("versions", VERSIONS))),
    8: (SettingSet, (("scope", TEXT), ("key", TEXT), ("value", TEXT))),
    9: (
        StreamKept,
        (("number", U32), ("uuid", UUID_FIELD), ("kind", KIND), ("property_version", U64), *_PROPERTIES),
    ),
    10: (VersionKept, _VERSION),
    11: (
        SegmentsFreed,
        (
            ("first", U32),
            ("last", U32),
            ("first_group", U64),
            ("last_group", U64),
            ("streams", U32),
            ("lsn", U64),
        ),
    ),
}

_HEADER: Final = struct.Struct("<BI")
_TYPES: Final = {entry: code for code, (entry, _) in ENTRIES.items()}


def encode(entries: Iterable[Entry]) -> bytes:
    """The payload of a group record.

    Example:
        >>> decode(encode([SnapshotDropped("before the move")]))
        [SnapshotDropped(name='before the move')]
    """
    return b"".join(_encode(entry) for entry in entries)


def decode(payload: bytes) -> list[Entry]:
    """The entries of a payload, in order.

    Raises:
        UnsupportedFormat: an entry's type is not known to this release.
        Damaged: the payload is not a sequence of entries.
    """
    entries = []
    at = 0
    try:
        while at < len(payload):
            code, length = _HEADER.unpack_from(payload, at)
            start, at = at + _HEADER.size, at + _HEADER.size + length
            entries.append(_decode(code, payload[start:at]))
    except UnsupportedFormat:
        raise
    except (struct.error, ValueError, LookupError) as error:
        raise Damaged("The entries of a group record make no sense.") from error
    return entries


def _encode(entry: Entry) -> bytes:
    code = _TYPES[type(entry)]
    body = b"".join([field.put(getattr(entry, name)) for name, field in ENTRIES[code][1]])
    return _HEADER.pack(code, len(body)) + body


def _decode(code: int, body: bytes) -> Entry:
    if code not in ENTRIES:
        raise UnsupportedFormat(
            f"A group record has entries of type {code}, which this release does not know."
        )
    entry, fields = ENTRIES[code]
    values = {}
    at = 0
    for name, field in fields:
        values[name], at = field.take(body, at)
    if at != len(body):
        raise ValueError("an entry is longer than its fields")
    return entry(**values)
