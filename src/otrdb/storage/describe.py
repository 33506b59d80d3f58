"""Headers, group records and journal records, taken apart for people, sound or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from otrdb.model import Kind
from otrdb.sections import Section, finite, taken_apart
from otrdb.storage.blocks import Address
from otrdb.storage.groups import GROUP_RECORD
from otrdb.storage.journal_records import (
    CARRIED,
    HEADER_BYTES,
    POINTS,
    RECORD_HEADER,
    JournalRecord,
    Sealed,
    unpack_points,
)
from otrdb.storage.records import ENTRIES, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otrdb.storage.records import Entry

_FIELDS = dict(ENTRIES.values())


def describe_group(head: bytes, offset: int) -> Iterator[Section]:
    """A group record whose head begins at ``offset`` of its segment: its fields, then each entry."""
    yield taken_apart("group", GROUP_RECORD, head, offset=offset)
    entries = decode(head[GROUP_RECORD.size :])
    records = [{"entry": type(entry).__name__, **_entry(entry)} for entry in entries]
    yield Section("entries", offset + GROUP_RECORD.size, records, times=frozenset({"time"}), many=True)


def describe_record(data: memoryview, at: int, offset: int) -> Iterator[Section]:
    """The journal record at ``data[at]``, which is at ``offset`` of its file: header, parts and points.

    Whether values are floats or integers the journal does not say: both are given.
    """
    header = taken_apart("record", RECORD_HEADER, bytes(data[at : at + HEADER_BYTES]), offset=offset)
    yield header
    fields = header.records[0]
    if fields["type"] not in (POINTS, CARRIED):
        return
    names = ("type", "policy", "flags", "lsn", "durable")
    record = unpack_points(data, Sealed(at, at + fields["length"], *(fields[name] for name in names)))
    if record is not None:
        yield from _payload(record, offset + HEADER_BYTES)


def _payload(record: JournalRecord, offset: int) -> Iterator[Section]:
    columns = (record.numbers, record.counts, record.lsns)
    parts = zip(*(column.tolist() for column in columns), strict=True)
    yield Section(
        "parts",
        offset,
        [dict(zip(("stream", "points", "lsn"), part, strict=True)) for part in parts],
        many=True,
    )
    streams = np.repeat(record.numbers, record.counts).tolist()
    floats = finite(record.words.view(np.float64).tolist())
    rows = zip(streams, record.times.tolist(), record.words.tolist(), floats, strict=True)
    names = ("stream", "time", "integer", "float")
    points = [dict(zip(names, row, strict=True)) for row in rows]
    yield Section("points", offset, points, times=frozenset({"time"}), many=True)


def _entry(entry: Entry) -> dict[str, Any]:
    return {name: _plain(getattr(entry, name)) for name, _ in _FIELDS[type(entry)]}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A field's value as JSON knows it; an address as it is typed."""
    match value:
        case Address():
            return address_text(value) if any(value) else None
        case UUID() | Kind():
            return str(value) if isinstance(value, UUID) else value.value
        case tuple():
            return [_plain(each) for each in value]
        case dict():
            return _pairs(value)
    return value


def _pairs(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in mapping.items()}


def address_text(address: tuple[int, int, int, int]) -> str:
    """An address as ``otrdb dump block`` takes it."""
    return f"{address[0]}:{address[1]}"
