"""An archive on a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from otrdb.closing import Closing
from otrdb.columns import points, stream_numbers, words
from otrdb.errors import InvalidArgument, WrongKind
from otrdb.metadata import Metadata, Pattern
from otrdb.model import MAX_TIME, MIN_TIME, Kind, KindLike, Merge, MergeLike
from otrdb.ranges import check_pointwidth, to_instant
from otrdb.remote.receiving import findings_of
from otrdb.remote.sending import Batch, send
from otrdb.remote.snapshot import Holds, Snapshot, found, joined, streams_of
from otrdb.remote.stream import Stream, own_stream, own_streams
from otrdb.remote.text import pattern, text
from otrdb.results import Compacted, Expiry, InsertedBatch, Rule
from otrdb.times import TimeLike, WidthLike, to_ns_array, to_width
from otrdb.wire import otrdb as wire
from otrdb.wire.metadata import metadata_of, metadata_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb.export import Foreign
    from otrdb.interface import Align, Key, StreamLike
    from otrdb.joined import Joined
    from otrdb.remote.link import Link
    from otrdb.results import Finding


class Archive(Closing):
    """An archive on a server, by the interface of `otrdb.Archive`: `otrdb.connect` gives it.

    Every method is one call, or a few, and takes their time. What the archive has to say is raised as the
    same errors; what the connection has, as `Unreachable`, `TookTooLong`, `AccessDenied` and `Overloaded`.
    Rules, expiring, compacting, checking and obliterating take a key with admin scope. Backups are made at
    the server.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self._holds = Holds(link)

    def __repr__(self) -> str:
        return f"<Archive {self.link.archive} at {self.link.where}>"

    def create(
        self,
        collection: str,
        *,
        kind: KindLike = "float",
        tags: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        uuid: UUID | None = None,
    ) -> Stream:
        """A new, empty stream, durable when this returns, as `otrdb.Archive.create`."""
        wanted = Metadata.new(uuid or uuid4(), Kind(kind), collection, tags, annotations)
        return self._stream(self.link.ask("Create", wire.CreateParams(stream=metadata_told(wanted))))

    def stream(self, uuid_or_collection: UUID | str, *, name: str | None = None, **tags: str) -> Stream:
        """The one stream with that uuid, or in exactly that collection with these ``tags`` among its own, as
        `otrdb.Archive.stream`.
        """
        wanted = {**tags, **({} if name is None else {"name": name})}
        params = wire.FindOneParams(tags=pattern(wanted))
        if isinstance(uuid_or_collection, UUID):
            params.uuid = uuid_or_collection.bytes
        else:
            params.text = text(uuid_or_collection)
        return self._stream(self.link.ask("FindOne", params))

    def streams(
        self,
        prefix: str = "",
        *,
        collection: str | None = None,
        tags: Pattern | None = None,
        annotations: Pattern | None = None,
    ) -> list[Stream]:
        """The streams that match, sorted by collection, name and uuid, as `otrdb.Archive.streams`."""
        params = wire.FindParams(
            prefix=text(prefix),
            collection=None if collection is None else text(collection),
            tags=pattern(tags or {}),
            annotations=pattern(annotations or {}),
        )
        return streams_of(self.link, params)

    def metadata(self, prefix: str = "", *, collection: str | None = None) -> Sequence[Metadata]:
        """What is known of the streams whose collection starts with ``prefix`` (and is ``collection``, if
        given), by collection, name and uuid; for all of them some calls less than to ask the `streams`.
        """
        wanted = None if collection is None else text(collection)
        return tuple(found(self.link, wire.FindParams(prefix=text(prefix), collection=wanted)))

    def collections(self, prefix: str = "") -> list[str]:
        """The collections that hold a stream and start with ``prefix``, in order of their UTF-8 bytes."""
        answers = self.link.each("Collections", wire.CollectionsParams(prefix=text(prefix)))
        return [name for answer in answers for name in answer.names]

    def insert(self, batch: Mapping[Key, Foreign], *, merge: MergeLike = "never") -> InsertedBatch:
        """Store points in many streams as one atomic ``batch``: all or none, as `otrdb.Archive.insert`.
        Errors of the connection are those of `Stream.insert`.
        """
        if not isinstance(batch, Mapping):
            raise InvalidArgument("That is no batch.", advice="Give {stream: (times, values), ...}.")
        streams = [own_stream(self.link, stream) for stream in batch]
        columns = [points(stream.kind, given) for stream, given in zip(streams, batch.values(), strict=True)]
        return self._sent(Batch.of_many([stream.uuid for stream in streams], columns), merge)

    def insert_columns(
        self,
        stream_index: Foreign,
        times: Foreign,
        values: Foreign,
        streams: Sequence[Key],
        *,
        merge: MergeLike = "never",
    ) -> InsertedBatch:
        """Store a wide batch atomically: point i belongs to ``streams[stream_index[i]]``, as
        `otrdb.Archive.insert_columns`. 20 bytes a point and 18 a stream are sent.
        """
        own = own_streams(self.link, streams)
        kinds = {stream.kind for stream in own} or {Kind.FLOAT}
        if len(kinds) > 1:
            raise WrongKind("The streams of a wide batch are of one kind.")
        index = stream_numbers(stream_index, len(own))
        columns = to_ns_array(times), words(kinds.pop(), values)
        return self._sent(Batch.of_wide([stream.uuid for stream in own], index, *columns), merge)

    def _sent(self, batch: Batch, merge: MergeLike) -> InsertedBatch:
        done = send(self.link, batch, Merge(merge))
        return InsertedBatch(done.points, done.streams, done.durable)

    def values(
        self,
        streams: Sequence[Key],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
        leave_out_damage: bool = False,
    ) -> Joined:
        """The points of several streams in ``[start, end)`` (ns), joined on time, all read at one moment, as
        `otrdb.Archive.values`.
        """
        self.link.check_open()
        state = wire.State()
        return joined(self.link, state, streams, start, end, align, leave_out_damage=leave_out_damage)

    def snapshot(self, name: str | None = None) -> Snapshot:
        """The state of all streams now, pending points included; with a ``name`` it is kept.

        Without a name the server holds it for this program: see `Snapshot`. A connection may hold 32.
        """
        if name is not None:
            self.link.ask("KeepSnapshot", wire.NameParams(name=text(name)))
            return self._named(name)
        hold = self._holds.hold()
        return Snapshot(self.link, wire.State(held=hold.number), None, hold)

    def open_snapshot(self, name: str) -> Snapshot:
        """A snapshot that was kept under ``name``; `NoSuchSnapshot` if there is none."""
        self.link.ask("FindSnapshot", wire.NameParams(name=text(name)))
        return self._named(name)

    def snapshots(self) -> list[str]:
        """The names of the snapshots kept, in order."""
        return list(self.link.ask("Snapshots", wire.EmptyParams()).names)

    def drop_snapshot(self, name: str) -> None:
        """Forget the snapshot kept under ``name``, durably."""
        self.link.ask("DropSnapshot", wire.NameParams(name=text(name)))

    def set_retention(
        self, age: WidthLike | None, *, prefix: str = "", stream: StreamLike | None = None
    ) -> None:
        """Say how old points may become, as `otrdb.Archive.set_retention`."""
        self._set_rule("retention", _age(age), prefix, stream)

    def set_thinning(
        self,
        age: WidthLike | None,
        *,
        pointwidth: int = 36,
        prefix: str = "",
        stream: StreamLike | None = None,
    ) -> None:
        """Say when points give way to statistics, as `otrdb.Archive.set_thinning`."""
        self._set_rule("thin", _age(age), prefix, stream, check_pointwidth(pointwidth))

    def set_history(self, history: str | None, *, prefix: str = "", stream: StreamLike | None = None) -> None:
        """Say which versions are kept, as `otrdb.Archive.set_history`."""
        self._set_rule("history", None if history is None else text(history), prefix, stream)

    def rules(self) -> list[Rule]:
        """The rules that have been set."""
        return [
            Rule(
                rule.key,
                rule.value,
                rule.prefix if rule.HasField("prefix") else None,
                rule.stream if rule.HasField("stream") else None,
            )
            for rule in self.link.ask("Rules", wire.EmptyParams()).rules
        ]

    def expire(self, *, dry_run: bool = False, now: TimeLike | None = None) -> list[Expiry]:
        """Apply the rules, or with ``dry_run`` say what would go, as `otrdb.Archive.expire`. ``now`` is the
        server's time of day unless given.
        """
        params = wire.ExpireParams(dry_run=bool(dry_run), now=None if now is None else to_instant(now))
        return [
            Expiry(
                UUID(bytes=expiry.stream),
                expiry.before,
                expiry.points,
                expiry.size,
                tuple(expiry.snapshots),
                expiry.pointwidth if expiry.HasField("pointwidth") else None,
            )
            for expiry in self.link.ask("Expire", params).expiries
        ]

    def compact(self, *, newest: bool = True, gently: bool = False) -> Compacted:
        """Give back to the server's disk what no kept version needs, as `otrdb.Archive.compact`."""
        params = wire.CompactParams(newest=bool(newest), gently=bool(gently))
        done = self.link.ask("Compact", params)
        findings = list(findings_of(done.findings))
        return Compacted(done.segments, done.size, done.moved, done.waiting, findings)

    def flush(self) -> None:
        """Commit the pending points of all streams."""
        self.link.ask("FlushAll", wire.EmptyParams())

    def info(self) -> dict[str, Any]:
        """What the archive is, as `otrdb.Archive.info`."""
        told: dict[str, Any] = json.loads(self.link.ask("Info", wire.EmptyParams()).json)
        return told

    def stats(self) -> dict[str, Any]:
        """The archive's counters, as `otrdb.Archive.stats`."""
        told: dict[str, Any] = json.loads(self.link.ask("Stats", wire.EmptyParams()).json)
        return told

    def check(self, *, deep: bool = True) -> Iterator[Finding]:
        """Have the server verify the archive, yielding what is wrong as it is found, as
        `otrdb.Archive.check`.
        """
        self.link.check_open()
        answers = self.link.each("Check", wire.CheckParams(deep=bool(deep)))
        return (finding for answer in answers for finding in findings_of(answer.findings))

    def close(self) -> None:
        """Close the connection; the server lets go of the snapshots it held for it. May be called again."""
        self._holds.close()
        self.link.close()

    def _stream(self, answer: wire.StreamResponse) -> Stream:
        metadata = metadata_of(answer.stream)
        return Stream(self.link, metadata.uuid, metadata.kind)

    def _named(self, name: str) -> Snapshot:
        return Snapshot(self.link, wire.State(snapshot=name), name, None)

    def _set_rule(
        self, key: str, value: str | None, prefix: str, stream: StreamLike | None, pointwidth: int = 0
    ) -> None:
        uuid = b"" if stream is None else own_stream(self.link, stream).uuid.bytes
        params = wire.SetRuleParams(
            key=key, value=value, prefix=text(prefix), uuid=uuid, pointwidth=pointwidth
        )
        self.link.ask("SetRule", params)


def _age(age: WidthLike | None) -> str | None:
    """An age as the server takes it."""
    if age is None or age == "forever":
        return None if age is None else "forever"
    return f"{to_width(age)}ns"
