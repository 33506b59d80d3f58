"""Handles of the baselines: streams, fixed versions and snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otrdb.baseline.core import Core, Part, Series
from otrdb.baseline.reads import Reads
from otrdb.closing import Closing
from otrdb.columns import check_times, points
from otrdb.errors import ClosedArchive, InvalidVersions, NoSuchStream
from otrdb.joined import Part as JoinedPart
from otrdb.joined import join
from otrdb.metadata import Described
from otrdb.model import MAX_TIME, MIN_TIME, Merge
from otrdb.ranges import align_down, align_up, check_resolution, check_version, to_range
from otrdb.results import Change, Inserted
from otrdb.times import to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from otrdb.baseline.states import State
    from otrdb.interface import Align, Columns, StreamLike
    from otrdb.joined import Joined
    from otrdb.metadata import Changes, Metadata
    from otrdb.model import Kind, MergeLike
    from otrdb.times import TimeLike


class Stream(Described, Reads):
    """`otrdb.interface.StreamLike`: a stream of a baseline archive."""

    __slots__ = ("_core", "uuid")

    def __init__(self, core: Core[Any], uuid: UUID) -> None:
        self._core = core
        self.uuid = uuid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self._core, self.uuid) == (other._core, other.uuid)

    def __hash__(self) -> int:
        return hash(self.uuid)

    def __repr__(self) -> str:
        metadata = self.metadata
        return f"<Stream {metadata.collection}/{metadata.name}: {metadata.kind.value}, {self.uuid}>"

    @property
    def kind(self) -> Kind:
        """What the values are."""
        return self.metadata.kind

    @property
    def metadata(self) -> Metadata:
        """Collection, tags, annotations and property version, all of one moment."""
        return self._core.metadata(self.uuid)

    @property
    def version(self) -> int:
        """A version that holds every acknowledged point."""
        return self.flush()

    def insert(self, times: Columns, values: Columns = None, *, merge: MergeLike = "never") -> Inserted:
        """Stores points, all or none."""
        part = to_part(self._core, self.uuid, times, values)
        with self._core.lock:
            self._core.insert([part], Merge(merge))
            series = self._core.series(self.uuid)
            return Inserted(series.version, series.pending, self._core.durable)

    def delete(self, start: TimeLike, end: TimeLike) -> int:
        """Removes the points in [start, end) and returns the new version."""
        return self._core.delete(self.uuid, *to_range(start, end))

    def flush(self) -> int:
        """Commits the pending points and returns the version that holds them."""
        series: Series = self._core.mark(self.uuid)
        return series.version

    def obliterate(self) -> None:
        """Removes the stream for ever."""
        self._core.obliterate(self.uuid)

    def update(
        self,
        *,
        tags: Changes | None = None,
        annotations: Changes | None = None,
        collection: str | None = None,
        expected: int = 0,
        remove_tags: Sequence[str] = (),
        remove_annotations: Sequence[str] = (),
    ) -> int:
        """Changes metadata, all or nothing, and returns the new property version."""
        return self._core.update(
            self.uuid,
            lambda metadata: metadata.updated(
                tags=tags,
                annotations=annotations,
                collection=collection,
                expected=expected,
                remove_tags=remove_tags,
                remove_annotations=remove_annotations,
            ),
        )

    def at(self, version: int) -> View:
        """A fixed version; 0 is the latest."""
        with self._core.lock:
            series = self._core.series(self.uuid) if check_version(version) else self._core.mark(self.uuid)
            return View(self, series.at(version or series.version))

    def as_of(self, time: TimeLike) -> View:
        """The newest version that had been committed at `time`."""
        instant = to_ns(time)
        with self._core.lock:
            return self.at(self._core.mark(self.uuid).as_of(instant))

    def changes(self, from_version: int, to_version: int = 0, resolution: int = 0) -> list[Change]:
        """Ranges outside which two versions are the same."""
        shift = check_resolution(resolution)
        old, new = check_version(from_version), check_version(to_version)
        with self._core.lock:
            series = self._core.series(self.uuid)
            if old > (new or series.version):
                raise InvalidVersions(f"Version {old} is newer than {new or series.version}.")
            state = series.at(new) if new else series.latest()
            ranges = [] if new and old == new else series.changed(series.at(old), state)
        return widen(ranges, shift)

    def _state(self) -> State:
        with self._core.lock:
            series: Series = self._core.series(self.uuid)
            return series.latest()


class View(Reads):
    """`otrdb.interface.ViewLike`: a stream as it was at one moment."""

    __slots__ = ("_fixed", "stream")

    def __init__(self, stream: Stream, state: State) -> None:
        self.stream = stream
        self._fixed = state

    def __repr__(self) -> str:
        return f"<View of version {self.version} of {self.stream!r}>"

    @property
    def version(self) -> int:
        """The version, as a number."""
        return self._fixed.version

    @property
    def kind(self) -> Kind:
        """What the values are."""
        return self.stream.kind

    def _state(self) -> State:
        self.stream._core.metadata(self.stream.uuid)
        return self._fixed


class Snapshot(Closing):
    """`otrdb.interface.SnapshotLike`: many streams as they were at one moment."""

    def __init__(self, core: Core[Any], states: dict[UUID, State], name: str | None = None) -> None:
        self._core = core
        self._held: dict[UUID, State] | None = states
        self.name = name

    def streams(self) -> list[Stream]:
        """The streams that existed then and still do."""
        registry = self._core.catalog.registry
        return [
            Stream(self._core, metadata.uuid) for metadata in registry.find() if metadata.uuid in self._states
        ]

    def view(self, stream: StreamLike) -> View:
        """That stream as it was then."""
        if stream.uuid not in self._states:
            raise NoSuchStream(f"There was no stream {stream.uuid}.")
        return View(Stream(self._core, stream.uuid), self._states[stream.uuid])

    def values(
        self,
        streams: Sequence[StreamLike],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
    ) -> Joined:
        """The points of several streams in [start, end), joined on time."""
        parts = [JoinedPart(stream.uuid, self.view(stream).values(start, end)) for stream in streams]
        return join(parts, align)

    def close(self) -> None:
        """Lets go of the state."""
        self._held = None

    @property
    def _states(self) -> dict[UUID, State]:
        if self._held is None:
            raise ClosedArchive(
                "This snapshot is closed.", advice="Take another one, or open it by its name."
            )
        return self._held


def to_part(core: Core[Any], uuid: UUID, times: Columns, values: Columns = None) -> Part:
    """What an insert was given, as columns that may be stored in that stream."""
    columns = points(core.metadata(uuid).kind, times, values)
    check_times(columns[0])
    return Part(uuid, *columns)


def widen(ranges: Sequence[tuple[int, int]], resolution: int) -> list[Change]:
    """Ascending ranges, widened to multiples of 2**resolution ns from MIN_TIME; touching ones are joined."""
    wide: list[Change] = []
    for start, end in ranges:
        first = align_down(start, resolution)
        last = min(align_up(end, resolution), MAX_TIME)
        if wide and first <= wide[-1].end:
            wide[-1] = Change(wide[-1].start, max(last, wide[-1].end))
        else:
            wide.append(Change(first, last))
    return wide
