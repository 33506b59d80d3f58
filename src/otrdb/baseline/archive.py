"""The public face of both baseline archives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4

import numpy as np

from otrdb.baseline.core import Core, Part
from otrdb.baseline.streams import Snapshot, Stream, to_part
from otrdb.closing import Closing
from otrdb.columns import check_times, points, stream_numbers
from otrdb.errors import InvalidArgument, MismatchedColumns, WrongKind
from otrdb.metadata import Metadata, Pattern, Properties
from otrdb.model import MAX_TIME, MIN_TIME, Int64Array, Kind, Merge
from otrdb.results import Finding, InsertedBatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otrdb.interface import Align, Columns, StreamLike
    from otrdb.joined import Joined
    from otrdb.model import KindLike, MergeLike
    from otrdb.times import TimeLike

Key = TypeVar("Key", bound="StreamLike")


class Archive(Closing):
    """`otrdb.interface.ArchiveLike`: an archive kept by a `Core`."""

    def __init__(self, core: Core[Any]) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<Archive {self._core.path} ({self._core.make} baseline)>"

    def create(
        self,
        collection: str,
        *,
        kind: KindLike = "float",
        tags: Properties | None = None,
        annotations: Properties | None = None,
        uuid: UUID | None = None,
    ) -> Stream:
        """A new, empty stream."""
        metadata = Metadata.new(uuid or uuid4(), Kind(kind), collection, tags, annotations)
        self._core.create(metadata)
        return Stream(self._core, metadata.uuid)

    def stream(self, uuid_or_collection: UUID | str, *, name: str | None = None, **tags: str) -> Stream:
        """The one stream with that uuid, or in that collection with these tags."""
        self._core.check_open()
        wanted = tags if name is None else {**tags, "name": name}
        return Stream(self._core, self._core.catalog.registry.one(uuid_or_collection, wanted).uuid)

    def streams(
        self,
        prefix: str = "",
        *,
        collection: str | None = None,
        tags: Pattern | None = None,
        annotations: Pattern | None = None,
    ) -> list[Stream]:
        """All streams that match, by collection, name and uuid."""
        self._core.check_open()
        found = self._core.catalog.registry.find(prefix, collection, tags, annotations)
        return [Stream(self._core, metadata.uuid) for metadata in found]

    def collections(self, prefix: str = "") -> list[str]:
        """The collections that hold a stream and start with `prefix`."""
        self._core.check_open()
        return self._core.catalog.registry.collections(prefix)

    def info(self) -> dict[str, Any]:
        """What this archive is."""
        return {
            "implementation": f"{self._core.make} baseline",
            "path": str(self._core.path),
            "streams": len(self.streams()),
            "collections": len(self.collections()),
        }

    def insert(self, batch: Mapping[Key, Columns], *, merge: MergeLike = "never") -> InsertedBatch:
        """Stores points in many streams as one atomic batch."""
        return self._insert([to_part(self._core, stream.uuid, data) for stream, data in batch.items()], merge)

    def insert_columns(
        self,
        stream_index: Columns,
        times: Columns,
        values: Columns,
        streams: Sequence[Key],
        *,
        merge: MergeLike = "never",
    ) -> InsertedBatch:
        """Stores point i in `streams[stream_index[i]]`, all points as one atomic batch."""
        uuids = [stream.uuid for stream in streams]
        times, words = points(self._common_kind(uuids), times, values)
        check_times(times)
        index = _checked_index(stream_index, len(times), len(uuids))
        order = np.argsort(index, kind="stable")
        shares = np.split(order, np.searchsorted(index[order], np.arange(1, len(uuids))))
        parts = [Part(uuid, times[share], words[share]) for uuid, share in zip(uuids, shares, strict=False)]
        return self._insert(parts, merge)

    def values(
        self,
        streams: Sequence[Key],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
    ) -> Joined:
        """The points of several streams in [start, end), joined on time, read at one moment."""
        states = self._core.states({stream.uuid for stream in streams})
        return Snapshot(self._core, states).values(streams, start, end, align=align)

    def snapshot(self, name: str | None = None) -> Snapshot:
        """The state of all streams now, kept if it is given a name."""
        if name is None:
            return Snapshot(self._core, self._core.states(self._core.uuids()))
        self._core.keep_snapshot(name)
        return self.open_snapshot(name)

    def open_snapshot(self, name: str) -> Snapshot:
        """A snapshot that was kept under that name."""
        with self._core.lock:
            present = set(self._core.uuids())
            versions = self._core.catalog.snapshot(name)
            states = {
                uuid: self._core.series(uuid).at(version)
                for uuid, version in versions.items()
                if uuid in present
            }
        return Snapshot(self._core, states, name)

    def snapshots(self) -> list[str]:
        """The names of the snapshots kept."""
        self._core.check_open()
        return sorted(self._core.catalog.snapshots)

    def drop_snapshot(self, name: str) -> None:
        """Forgets a named snapshot."""
        with self._core.lock:
            self._core.check_open()
            self._core.catalog.drop_snapshot(name)

    def flush(self) -> None:
        """Commits the pending points of all streams."""
        self._core.commit(self._core.uuids())

    def stats(self) -> dict[str, Any]:
        """Counters: streams, points pending, bytes on disk."""
        return self._core.stats()

    def check(self) -> Iterator[Finding]:
        """Reads everything and reports what is damaged."""
        return self._core.check()

    def close(self) -> None:
        """Makes all acknowledged points durable and lets go of the files."""
        self._core.close()

    def _insert(self, parts: list[Part], merge: MergeLike) -> InsertedBatch:
        self._core.insert(parts, Merge(merge))
        filled = [len(part.times) for part in parts if len(part.times)]
        return InsertedBatch(sum(filled), len(filled), self._core.durable)

    def _common_kind(self, uuids: Sequence[UUID]) -> Kind:
        if len(set(uuids)) != len(uuids):
            raise InvalidArgument("A stream is named twice.", advice="Name each stream once.")
        kinds = {self._core.metadata(uuid).kind for uuid in uuids} or {Kind.FLOAT}
        if len(kinds) > 1:
            raise WrongKind(
                "The streams are of several kinds.", advice="Insert one kind at a time, or a mapping."
            )
        return kinds.pop()


def _checked_index(stream_index: Columns, length: int, streams: int) -> Int64Array:
    index = stream_numbers(stream_index, streams)
    if len(index) != length:
        raise MismatchedColumns(f"There are {length} points and {len(index)} stream indexes.")
    return index
