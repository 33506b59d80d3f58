"""Handles of one stream on a server: its latest state, one version, and what is sound of either."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, cast

import numpy as np

from otrdb.columns import points
from otrdb.errors import InvalidArgument
from otrdb.lacking import merged
from otrdb.metadata import (
    Described,
    check_annotation_key,
    check_collection,
    check_property_value,
    check_tag_key,
)
from otrdb.model import Merge
from otrdb.ranges import check_resolution, check_version, to_range
from otrdb.remote.reads import Reads
from otrdb.remote.sending import Batch, send
from otrdb.results import Change, Inserted
from otrdb.times import INT64_MAX, is_integer, to_ns
from otrdb.wire import otrdb as wire
from otrdb.wire.metadata import metadata_of
from otrdb.wire.tables import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

    from otrdb.export import Foreign
    from otrdb.interface import StreamLike
    from otrdb.metadata import Metadata
    from otrdb.model import Kind, MergeLike
    from otrdb.remote.link import Link
    from otrdb.results import LeftOut
    from otrdb.times import TimeLike


class Stream(Described, Reads):
    """A stream of an archive on a server, by the interface of `otrdb.Stream`.

    Reads answer from the latest state. Metadata properties ask the server each time; `uuid` and `kind`, which
    never change, do not. Handles of the same stream of the same archive are equal, whatever connection they
    came by.
    """

    __slots__ = ("_kind", "_link", "_uuid")

    def __init__(self, link: Link, uuid: UUID, kind: Kind) -> None:
        self._link = link
        self._uuid = uuid
        self._kind = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"<Stream {self._uuid} ({self._kind.value}) at {self._link.where}>"

    @property
    def _identity(self) -> tuple[UUID, UUID]:
        return self._link.archive, self._uuid

    @property
    def link(self) -> Link:
        """The connection."""
        return self._link

    @property
    def uuid(self) -> UUID:
        """The stream's identity."""
        return self._uuid

    @property
    def kind(self) -> Kind:
        """What the values are: float, int or bool."""
        return self._kind

    @property
    def metadata(self) -> Metadata:
        """Collection, tags, annotations and property version, all of one moment, by one call."""
        params = wire.StreamParams(uuid=self._uuid.bytes)
        return metadata_of(self._link.ask("Describe", params).stream)

    @property
    def version(self) -> int:
        """A version at which every acknowledged point can be read, as `otrdb.Stream.version`."""
        return self._version(at=0)

    def state(self) -> wire.State:
        """The latest."""
        return wire.State()

    def insert(self, times: Foreign, values: Foreign = None, *, merge: MergeLike = "never") -> Inserted:
        """Store points, all or none, as `otrdb.Stream.insert`. When this returns they are acknowledged by
        the server.

        Bad points are refused before anything is sent. `InsertTooBig` if there are more than the server takes
        in one batch: 8 million points. `Unreachable` and `TookTooLong` with ``fate_unknown`` if the
        connection failed before the answer was here: the points are stored, all, or none of them.
        """
        batch = Batch.of_one(self._uuid, *points(self._kind, times, values))
        done = send(self._link, batch, Merge(merge))
        return Inserted(done.version, done.pending, done.durable)

    def delete(self, start: TimeLike, end: TimeLike) -> int:
        """Remove the points of ``[start, end)`` (ns) and return the new version."""
        low, high = to_range(start, end)
        params = wire.RangeParams(uuid=self._uuid.bytes, start=low, end=high)
        return int(self._link.ask("Delete", params).number)

    def flush(self) -> int:
        """Commit the pending points; returns the version that holds them, or the current one."""
        return int(self._link.ask("Flush", wire.StreamParams(uuid=self._uuid.bytes)).number)

    def obliterate(self) -> None:
        """Remove the stream, its metadata and all its versions for ever. Takes a key with admin scope."""
        self._link.ask("Obliterate", wire.StreamParams(uuid=self._uuid.bytes))

    def update(
        self,
        *,
        tags: Mapping[str, str | None] | None = None,
        annotations: Mapping[str, str | None] | None = None,
        collection: str | None = None,
        expected: int = 0,
        remove_tags: Sequence[str] = (),
        remove_annotations: Sequence[str] = (),
    ) -> int:
        """Change metadata, all or nothing, durably, as `otrdb.Stream.update`; returns the new property
        version.
        """
        if not is_integer(expected):
            raise InvalidArgument(f"{expected!r} is no property version.")
        params = wire.UpdateParams(
            uuid=self._uuid.bytes,
            tags=_changes(tags or {}, remove_tags, check_tag_key),
            annotations=_changes(annotations or {}, remove_annotations, check_annotation_key),
            collection=check_collection(collection) if collection else None,
            expected=max(-1, min(int(expected), INT64_MAX)),
        )
        return int(self._link.ask("Update", params).number)

    def at(self, version: int) -> View:
        """That version of the stream, fixed. 0 is the latest; 1 to 10 are empty.

        `VersionNotAvailable` if it does not exist, was pruned, or was a mark that has expired: also later,
        when the view is asked, since the server does not hold it for that.
        """
        return View(self, self._version(at=min(check_version(version), INT64_MAX)))

    def as_of(self, time: TimeLike) -> View:
        """The newest kept version that had been committed at ``time`` (wall clock of the server)."""
        return View(self, self._version(as_of=to_ns(time)))

    def changes(self, from_version: int, to_version: int = 0, resolution: int = 0) -> list[Change]:
        """Ranges of time outside which ``from_version`` and ``to_version`` are the same, as
        `otrdb.Stream.changes`.
        """
        return changes_of(self, from_version, to_version, resolution, leave_out_damage=False)

    def leaving_out_damage(self) -> PartialStream:
        """The same stream, whose answers leave out what is damaged and say so, instead of raising
        `Damaged`.
        """
        return PartialStream(self)

    def _version(self, **which: int) -> int:
        params = wire.VersionParams(uuid=self._uuid.bytes, **which)
        return int(self._link.ask("Version", params).number)


class View(Reads):
    """One version of a stream on a server, fixed, by the interface of `otrdb.View`."""

    __slots__ = ("_version", "stream")

    def __init__(self, stream: Stream, version: int) -> None:
        self.stream = stream
        self._version = version

    def __repr__(self) -> str:
        return f"<View of version {self._version} of {self.stream!r}>"

    @property
    def version(self) -> int:
        """The version's number."""
        return self._version

    @property
    def link(self) -> Link:
        """The connection."""
        return self.stream.link

    @property
    def uuid(self) -> UUID:
        """The stream's identity."""
        return self.stream.uuid

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self.stream.kind

    def state(self) -> wire.State:
        """That version."""
        return wire.State(version=self._version)

    def leaving_out_damage(self) -> Partial:
        """The same version, whose answers leave out what is damaged and say so."""
        return Partial(self)


class Partial(Reads):
    """What is sound of what it was made of, by the interface of `otrdb.Partial`."""

    __slots__ = ("_asked", "_told")

    def __init__(self, asked: Reads) -> None:
        self._asked = asked
        self._told: dict[LeftOut, None] = {}

    def __repr__(self) -> str:
        return f"<What is sound of {self._asked!r}>"

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the answers so far lack, by time: also those that are a number or a point."""
        return merged(list(self._told))

    @property
    def link(self) -> Link:
        """The connection."""
        return self._asked.link

    @property
    def uuid(self) -> UUID:
        """The stream's identity."""
        return self._asked.uuid

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self._asked.kind

    def state(self) -> wire.State:
        """The sound part of the same state."""
        state = self._asked.state()
        state.leave_out_damage = True
        return state

    def lacks(self, left_out: tuple[LeftOut, ...]) -> None:
        """An answer lacks this."""
        self._told.update(dict.fromkeys(left_out))


class PartialStream(Partial):
    """What is sound of a stream in its latest state, and what changed in it."""

    __slots__ = ("stream",)

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self.stream = stream

    def changes(self, from_version: int, to_version: int = 0, resolution: int = 0) -> list[Change]:
        """As `Stream.changes`; what cannot be compared for damage may have changed."""
        return changes_of(self.stream, from_version, to_version, resolution, leave_out_damage=True)


def changes_of(
    stream: Stream, from_version: int, to_version: int, resolution: int, *, leave_out_damage: bool
) -> list[Change]:
    """What changed between two versions."""
    params = wire.ChangesParams(
        uuid=stream.uuid.bytes,
        resolution=check_resolution(resolution),
        from_version=min(check_version(from_version), INT64_MAX),
        to_version=min(check_version(to_version), INT64_MAX),
        leave_out_damage=leave_out_damage,
    )
    answers = list(stream.link.each("Changes", params))
    starts = np.concatenate([numbers(answer.starts) for answer in answers]).tolist()
    ends = np.concatenate([numbers(answer.ends) for answer in answers]).tolist()
    return list(map(Change, starts, ends))


def own_streams(link: Link, streams: object) -> Sequence[Stream]:
    """The same streams, if all are handles of the archive behind this connection."""
    if not isinstance(streams, Collection) or isinstance(streams, str):
        raise InvalidArgument("That is no list of streams.", advice="Put a single stream in brackets.")
    own = cast("Sequence[Stream]", streams)
    if set(map(type, own)) - {Stream} or {stream.link.archive for stream in own} - {link.archive}:
        raise InvalidArgument("That is no stream of this archive.", advice="Get it from this archive.")
    return own


def own_stream(link: Link, stream: StreamLike) -> Stream:
    """The same stream, if it is a handle of the archive behind this connection."""
    return own_streams(link, [stream])[0]


def _changes(
    changes: Mapping[str, str | None], removed: Iterable[str], check_key: Callable[[str], str]
) -> list[wire.Property]:
    """What to set and what to remove; keys are removed first, so what is set as well stays."""
    gone = {key: None for key in removed if key not in changes}
    return [wire.Property(key=str(key)) for key in gone] + [
        wire.Property(key=key) if value is None else _set(check_key(key), value)
        for key, value in changes.items()
    ]


def _set(key: str, value: str) -> wire.Property:
    return wire.Property(key=key, value=check_property_value(value))
