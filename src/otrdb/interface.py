"""The public surface, as protocols. The engine and both baselines are held to it by the type checker.

Words used throughout:

* Times are ns since 1970 UTC. Wherever a time is taken, so are numpy.datetime64 of any unit, aware datetimes,
  pandas
  Timestamps and ISO-8601 text with an offset (`TimeLike`, see `otrdb.times`).
* Ranges are half-open: [start, end). A range must hold MIN_TIME <= start < end <= MAX_TIME, else
  InvalidTimeRange.
* A *version* is an immutable state of one stream. Acknowledged points that are in no version yet are
  *pending*:
  whoever reads the latest sees them, whoever reads a fixed version does not. Asking for `stream.version`
  gives a version that holds all that was acknowledged.
* Every method raises ClosedArchive after the archive was closed, and NoSuchStream after the stream was
  obliterated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias, TypeVar

from otrdb.model import MAX_TIME, MIN_TIME, Kind, KindLike, MergeLike
from otrdb.results import (
    DEFAULT_COLUMNS,
    Change,
    Finding,
    Inserted,
    InsertedBatch,
    Point,
    Points,
    Windows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from uuid import UUID

    from otrdb.joined import Joined
    from otrdb.metadata import Changes, Pattern, Properties
    from otrdb.times import TimeLike, WidthLike

Align: TypeAlias = Literal["outer", "inner", "long"]


Columns: TypeAlias = Any
"""What `otrdb.columns.points` takes: arrays, sequences, scalars, pandas, polars or Arrow objects."""


class ReadsLike(Protocol):
    """What a stream and a fixed version of it can be asked. Answers never change what is stored."""

    @property
    def kind(self) -> Kind:
        """What the values are."""
        ...

    def values(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> Points:
        """The points in [start, end), ascending, equal times in order of arrival."""
        ...

    def aligned_windows(
        self, start: TimeLike, end: TimeLike, pointwidth: int, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of the windows of 2**pointwidth ns, aligned to MIN_TIME (which is the epoch up to
        pointwidth 60).

        `start` and `end` are rounded down to whole windows, so the window that holds `start` counts as a
        whole and the one that holds `end` is left out. Windows without points are left out. InvalidPointWidth
        unless 0 <= pointwidth <= 62.
        """
        ...

    def windows(
        self, start: TimeLike, end: TimeLike, width: WidthLike, *, columns: Sequence[str] = DEFAULT_COLUMNS
    ) -> Windows:
        """Statistics of the windows [start + i * width, start + (i + 1) * width) that fit whole into [start,
        end).

        `width` is ns or text such as "5min". A window without points is reported with count 0 and zeros.
        """
        ...

    def zoom(
        self,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        points: int = 1000,
        *,
        columns: Sequence[str] = DEFAULT_COLUMNS,
    ) -> Windows:
        """At most `points` aligned windows that together cover [start, end): what a plot of that width needs.

        The finest pointwidth that suffices is taken. Without `start` or `end` the stream's first and last
        point bound the range.
        """
        ...

    def nearest(self, time: TimeLike, backward: bool = False) -> Point | None:
        """The first point at or after `time`, or with `backward` the last one before it; None if there is
        none.

        Of points with equal times the first stored one forward, the last stored one backward.
        """
        ...

    def earliest(self) -> Point | None:
        """The first point, or None."""
        ...

    def latest(self) -> Point | None:
        """The last point, or None."""
        ...

    def count(self, start: TimeLike = MIN_TIME, end: TimeLike = MAX_TIME) -> int:
        """The number of points in [start, end)."""
        ...


class ViewLike(ReadsLike, Protocol):
    """One version of a stream, fixed for ever: the same question always has the same answer."""

    @property
    def stream(self) -> StreamLike:
        """The stream this is a version of."""
        ...

    @property
    def version(self) -> int:
        """The version, as a number."""
        ...


class StreamLike(ReadsLike, Protocol):
    """A stream. Reads answer from the latest state, pending points included.

    Two handles of the same stream in the same archive are equal and hash alike. Metadata properties read the
    latest.
    """

    @property
    def uuid(self) -> UUID:
        """The identity of the stream; it never changes."""
        ...

    @property
    def collection(self) -> str:
        """The collection the stream is in."""
        ...

    @property
    def tags(self) -> dict[str, str]:
        """A copy of the tags, which tell the streams of a collection apart."""
        ...

    @property
    def annotations(self) -> dict[str, str]:
        """A copy of the annotations, which are free."""
        ...

    @property
    def property_version(self) -> int:
        """Starts at 1; every successful `update` adds 1."""
        ...

    @property
    def name(self) -> str:
        """The tag "name", or empty."""
        ...

    @property
    def unit(self) -> str:
        """The tag "unit", or empty."""
        ...

    @property
    def version(self) -> int:
        """A version that holds every acknowledged point; a new one is made if points are pending."""
        ...

    def insert(self, times: Columns, values: Columns = None, *, merge: MergeLike = "never") -> Inserted:
        """Stores points, all or none; when this returns they are acknowledged.

        `times` and `values` are two arrays, sequences or scalars; or `times` alone is an Arrow producer, a
        pandas Series with a time index, a frame with columns "time" and "value", or a sequence of pairs. Any
        order of times is accepted. `merge` says what becomes of points whose time is taken (`otrdb.Merge`).
        An empty insert does nothing.

        Raises TimeOutOfRange, NaiveTime, BadValue (NaN, infinite), WrongKind, MismatchedColumns; DiskFull and
        WriteFailed.
        """
        ...

    def delete(self, start: TimeLike, end: TimeLike) -> int:
        """Removes the points in [start, end) and returns the new version, which is made even if there were
        none.

        Pending points are committed first, as a version of their own. Older versions keep the points.
        """
        ...

    def flush(self) -> int:
        """Commits the pending points and returns the version that holds them (the current one if none
        were)."""
        ...

    def obliterate(self) -> None:
        """Removes the stream, its metadata and all versions. Its uuid is never accepted again."""
        ...

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
        """Changes metadata, all or nothing, and returns the new property version.

        Keys given are set (None removes them), others stay. PropertyVersionMismatch unless `expected` is 0 or
        the current property version; AmbiguousStream if another stream has that collection and those tags.
        """
        ...

    def at(self, version: int) -> ViewLike:
        """A fixed version; 0 is the latest, made now if points are pending. 1 to 10 are empty.

        VersionNotAvailable if it does not exist yet or was pruned; InvalidVersions if negative.
        """
        ...

    def as_of(self, time: TimeLike) -> ViewLike:
        """The newest version that had been committed at `time` (wall clock); the empty version 10 before the
        first."""
        ...

    def changes(self, from_version: int, to_version: int = 0, resolution: int = 0) -> list[Change]:
        """Ranges outside which the versions `from_version` and `to_version` (0: latest, with pending) are the
        same.

        Ascending, apart from each other, possibly wider than the truth. With a `resolution` of r, ranges are
        aligned to 2**r ns, which is faster. InvalidVersions if from > to; InvalidPointWidth unless 0 <= r <=
        63.
        """
        ...


class SnapshotLike(Protocol):
    """A consistent state of all streams at one moment. A context manager; close it when done."""

    @property
    def name(self) -> str | None:
        """The name it is kept under, or None."""
        ...

    def streams(self) -> Sequence[StreamLike]:
        """The streams that existed then and still do."""
        ...

    def view(self, stream: StreamLike) -> ReadsLike:
        """That stream as it was then."""
        ...

    def values(
        self,
        streams: Sequence[StreamLike],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
    ) -> Joined:
        """As `ArchiveLike.values`, of that moment."""
        ...

    def close(self) -> None:
        """Lets go of the state. A named snapshot stays in the archive."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


Key = TypeVar("Key", bound=StreamLike)


class ArchiveLike(Protocol):
    """An archive of streams. A context manager; safe to use from several threads."""

    def create(
        self,
        collection: str,
        *,
        kind: KindLike = "float",
        tags: Properties | None = None,
        annotations: Properties | None = None,
        uuid: UUID | None = None,
    ) -> StreamLike:
        """A new, empty stream: version 10, property version 1.

        Raises InvalidCollection, InvalidTagKey, InvalidTagValue; RecycledUuid if the uuid was obliterated;
        StreamExists if it is taken; AmbiguousStream if another stream has that collection and exactly those
        tags.
        """
        ...

    def stream(self, uuid_or_collection: UUID | str, *, name: str | None = None, **tags: str) -> StreamLike:
        """The one stream with that uuid, or in exactly that collection with these tags among its own.

        NoSuchStream if there is none, AmbiguousStream if there are several.
        """
        ...

    def streams(
        self,
        prefix: str = "",
        *,
        collection: str | None = None,
        tags: Pattern | None = None,
        annotations: Pattern | None = None,
    ) -> Sequence[StreamLike]:
        """All streams whose collection starts with `prefix` (and is `collection`, if given) and whose
        properties match, by collection, name and uuid."""
        ...

    def collections(self, prefix: str = "") -> list[str]:
        """The collections that hold a stream and start with `prefix`, in order of their UTF-8 bytes."""
        ...

    def info(self) -> dict[str, Any]:
        """What this archive is: path, format, version of the software, numbers of streams and collections."""
        ...

    def insert(self, batch: Mapping[Key, Columns], *, merge: MergeLike = "never") -> InsertedBatch:
        """Stores points in many streams as one atomic batch, which becomes visible and durable at once.

        Each value is whatever `StreamLike.insert` takes: a pair (times, values), or one object.
        """
        ...

    def insert_columns(
        self,
        stream_index: Columns,
        times: Columns,
        values: Columns,
        streams: Sequence[Key],
        *,
        merge: MergeLike = "never",
    ) -> InsertedBatch:
        """The same for wide batches: point i belongs to `streams[stream_index[i]]`. All streams are of one
        kind."""
        ...

    def values(
        self,
        streams: Sequence[Key],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
    ) -> Joined:
        """The points of several streams in [start, end), joined on time, all read at one moment.

        "outer" gives a row for every time any of them has, "inner" for the times all of them have; the k-th
        point of one stream at some time shares a row with the k-th of the others. "long" gives a row per
        point.
        """
        ...

    def snapshot(self, name: str | None = None) -> SnapshotLike:
        """The state of all streams now. With a name it is kept in the archive until it is dropped."""
        ...

    def open_snapshot(self, name: str) -> SnapshotLike:
        """A snapshot that was kept under that name."""
        ...

    def snapshots(self) -> list[str]:
        """The names of the snapshots kept."""
        ...

    def drop_snapshot(self, name: str) -> None:
        """Forgets a named snapshot."""
        ...

    def flush(self) -> None:
        """Commits the pending points of all streams."""
        ...

    def stats(self) -> dict[str, Any]:
        """Counters: points pending, bytes on disk, and what else the implementation counts."""
        ...

    def check(self) -> Iterator[Finding]:
        """Reads everything and reports what is wrong with it; a healthy archive gives nothing."""
        ...

    def close(self) -> None:
        """Makes all acknowledged points durable and lets go of the files. May be called again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
