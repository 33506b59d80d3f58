"""The public handles of one stream: `Stream` (the latest state) and `View` (one version, fixed)."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, cast

from otrdb.columns import points
from otrdb.errors import InvalidArgument, InvalidVersions
from otrdb.metadata import Described
from otrdb.model import Kind, Merge, MergeLike
from otrdb.ranges import check_resolution, check_version, to_range
from otrdb.results import Change, Inserted
from otrdb.times import TimeLike, to_ns

from .reads import Frozen, Reads
from .salvage import Partial, strict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from otrdb.export import Foreign
    from otrdb.metadata import Metadata

    from .engine import Engine
    from .state import StreamState


_MERGES: dict[str, Merge] = {policy: policy for policy in Merge}


class Stream(Described, Reads):
    """A stream of an archive: a sequence of (time, value) and its metadata.

    Reads answer from the latest state, pending points included. Handles of the same stream are equal and hash
    alike; they may be used from several threads. Everything but `uuid` and `kind` raises `NoSuchStream` once
    the stream was obliterated.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> heat = db.create("plant/line1", tags={"name": "heat", "unit": "C"})
        >>> _ = heat.insert(["2026-11-01T12:00:00Z", "2026-11-01T12:00:01Z"], [20.5, 20.7])
        >>> heat.count(), heat.latest().value, heat.unit
        (2, 20.7, 'C')
    """

    __slots__ = ("engine", "state")

    def __init__(self, engine: Engine, state: StreamState) -> None:
        self.engine = engine
        self.state = state

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.state is other.state

    def __hash__(self) -> int:
        return hash(self.state.metadata.uuid)

    def __repr__(self) -> str:
        metadata = self.state.metadata
        return f"<Stream {metadata.collection}/{metadata.name} ({self.kind.value}) {metadata.uuid}>"

    @property
    def uuid(self) -> UUID:
        """The stream's identity."""
        return self.state.metadata.uuid

    @property
    def kind(self) -> Kind:
        """What the values are: float, int or bool."""
        return self.state.kind

    @property
    def metadata(self) -> Metadata:
        """Collection, tags, annotations and property version, all of one moment. Its mappings must not be
        changed.
        """
        self.engine.check(self.state)
        return self.state.metadata

    @property
    def version(self) -> int:
        """A version at which every acknowledged point can be read.

        If points are pending this makes a *mark*, a number bound to the state of now: nothing is written, and
        the mark can be asked for 10 minutes, or less where very many fill a tenth of the memory. Otherwise it
        is the version of the last commit.
        """
        return self.engine.mark(self.state)

    def _frozen(self) -> Frozen:
        return strict(self.engine, self.engine.latest(self.state))

    def insert(self, times: Foreign, values: Foreign = None, *, merge: MergeLike = "never") -> Inserted:
        """Store points, all or none; when this returns they are acknowledged and visible.

        ``times`` and ``values`` are two arrays, sequences or scalars, or ``times`` alone is an Arrow
        producer, a pandas Series with a time index, a frame with the columns "time" and "value", `Points`, a
        tuple of two columns or a list of pairs. Times may come in any order and may repeat; ``merge`` says
        what becomes of points whose time is taken ("never", "equal", "retain", "replace": see `otrdb.Merge`).
        The arrays may be used again afterwards. An empty insert does nothing.

        Durable as the archive's ``durability`` promises; the answer says whether it is already. A batch of
        16,384 points or more for few leaves is committed at once, as a new version. Costs about 10 us and one
        record in the journal.

        Raises `TimeOutOfRange`, `NaiveTime`, `BadValue` (NaN, infinite), `WrongKind`, `MismatchedColumns`,
        `Thinned` (where points were thinned none are taken), `DiskFull`, `WriteFailed`; nothing of the batch
        is stored then.

        Example:
            >>> import otrdb, tempfile
            >>> door = otrdb.open(tempfile.mkdtemp()).create("plant", kind="bool")
            >>> _ = door.insert([(3, True), (1, False)])
            >>> _ = door.insert(3, False, merge="replace")
            >>> list(door.values())
            [Point(time=1, value=False), Point(time=3, value=False)]
        """
        columns = points(self.state.kind, times, values)
        return self.engine.writer.insert(self.state, *columns, _MERGES.get(merge) or Merge(merge))

    def delete(self, start: TimeLike, end: TimeLike) -> int:
        """Remove the points of ``[start, end)`` (ns) and return the new version, made and durable even if
        there were none.

        Pending points are committed first, as a version of their own. Older versions keep the points until
        they are pruned. Rewrites the leaves at the edges and the nodes above the range. `Thinned` if an edge
        divides a window of which only statistics are left. `Damaged` if a leaf there cannot be read; one that
        lies in the range as a whole need not be, and pending points that could not be committed because of
        it go or are committed in the same version.

        Example:
            >>> import otrdb, tempfile
            >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
            >>> _ = heat.insert([1, 2, 3], [0.5, 1.0, 1.5])
            >>> before = heat.version
            >>> after = heat.delete(2, 3)
            >>> heat.at(before).count(), heat.at(after).count()
            (3, 2)
        """
        low, high = to_range(start, end)
        return self.engine.delete(self.state, low, high)

    def flush(self) -> int:
        """Commit the pending points; returns the version that holds them, or the current one if there were
        none. They are durable then, in any mode.
        """
        return self.engine.flush_stream(self.state)

    def obliterate(self) -> None:
        """Remove the stream, its metadata and all its versions for ever. Its uuid is never accepted again."""
        self.engine.obliterate(self.state)

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
        """Change metadata, all or nothing, durably; returns the new property version.

        Keys of ``tags`` and ``annotations`` are set, with None removed, others stay; ``remove_tags`` and
        ``remove_annotations`` name keys to remove. ``collection`` moves the stream. ``expected`` must be the
        current property version, or 0 for any: `PropertyVersionMismatch` otherwise. `AmbiguousStream` if
        another stream has that collection and those tags.

        Example:
            >>> import otrdb, tempfile
            >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant", annotations={"cabinet": "A 3"})
            >>> heat.update(tags={"name": "heat"}, annotations={"cabinet": None}, expected=1)
            2
            >>> heat.name, heat.annotations
            ('heat', {})
        """
        return self.engine.update(
            self.state,
            lambda metadata: metadata.updated(
                tags=tags,
                annotations=annotations,
                collection=collection,
                expected=expected,
                remove_tags=remove_tags,
                remove_annotations=remove_annotations,
            ),
        )

    def now(self) -> View:
        """The latest state, fixed, pending points included: `View.pending` says how many. No version is made.

        For several questions of one state, however many points arrive meanwhile. Costs a few us; if so many
        points are pending that they must be committed to be read, this does it, as a question would.

        Example:
            >>> import otrdb, tempfile
            >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
            >>> _ = heat.insert([1, 2], [20.5, 20.7])
            >>> now = heat.now()
            >>> _ = heat.insert(3, 20.9)
            >>> now.version, now.pending, now.count()
            (10, 2, 2)
        """
        return View(self, self.engine.latest(self.state))

    def at(self, version: int) -> View:
        """That version of the stream, fixed. 0 is the latest (see `version`); 1 to 10 are empty.

        `VersionNotAvailable` if it does not exist, was pruned, or was a mark that has expired.
        """
        number = check_version(version) or self.version
        return View(self, self.engine.at(self.state, number))

    def as_of(self, time: TimeLike) -> View:
        """The newest kept version that had been committed at ``time`` (wall clock)."""
        return View(self, self.engine.as_of(self.state, to_ns(time)))

    def changes(self, from_version: int, to_version: int = 0, resolution: int = 0) -> list[Change]:
        """Ranges of time outside which ``from_version`` and ``to_version`` are the same; 0 stands for the
        latest, pending points included.

        Ascending, apart, and possibly wider than the truth: a changed leaf reports its whole interval.
        ``resolution`` r stops at nodes of ``2**r`` ns and rounds outwards to that, for r from 0 to 63. Reads
        only what differs. `InvalidVersions` if the older one is not given first, `VersionNotAvailable` if one
        is not there.
        """
        return changes_between(self, from_version, to_version, resolution, partial(strict, self.engine))

    def leaving_out_damage(self) -> PartialStream:
        """The same stream, whose answers leave out what is damaged and say so, instead of raising `Damaged`.

        Only reading changes: `Partial` says how. Costs nothing where nothing is damaged.
        """
        return PartialStream(self)


class View(Reads):
    """One state of a stream, fixed: the same question always has the same answer.

    Example:
        >>> import otrdb, tempfile
        >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
        >>> _ = heat.insert(1, 20.5)
        >>> view = heat.at(heat.flush())
        >>> _ = heat.insert(2, 20.7)
        >>> view.count(), heat.count()
        (1, 2)
    """

    __slots__ = ("_frozen_state", "stream")

    def __init__(self, stream: Stream, frozen: Frozen) -> None:
        self.stream = stream
        self._frozen_state = frozen

    def __repr__(self) -> str:
        return f"<View of version {self.version} of {self.stream!r}>"

    @property
    def version(self) -> int:
        """The version's number; of a state without one of its own, that of the newest before it."""
        return self._frozen_state.version

    @property
    def pending(self) -> int:
        """How many of its points had not been committed."""
        return self._frozen_state.prefix.pending

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self.stream.kind

    def leaving_out_damage(self) -> Partial:
        """The same version, whose answers leave out what is damaged and say so: see `Partial`."""
        return Partial(self.stream.engine, self)

    def _frozen(self) -> Frozen:
        self.stream.engine.check_open()
        return strict(self.stream.engine, self._frozen_state)


class PartialStream(Partial):
    """What is sound of a stream in its latest state, as `Partial`, and what changed in it.

    Example:
        >>> import otrdb, tempfile
        >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
        >>> _ = heat.insert([1, 2], [20.5, 20.7])
        >>> sound = heat.leaving_out_damage()
        >>> sound.latest().value, len(sound.changes(10)), sound.left_out
        (20.7, 1, ())
    """

    __slots__ = ("stream",)

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.engine, stream)
        self.stream = stream

    def changes(self, from_version: int, to_version: int = 0, resolution: int = 0) -> list[Change]:
        """As `Stream.changes`. Nothing is left out: where damage keeps two versions from being compared, the
        answer is all that may have changed.
        """
        return changes_between(self.stream, from_version, to_version, resolution, self._salvaged)


def changes_between(
    stream: Stream,
    from_version: int,
    to_version: int,
    resolution: int,
    prepared: Callable[[Frozen], Frozen],
) -> list[Change]:
    """What `Stream.changes` answers, from the newer state ``prepared`` to be asked."""
    check_resolution(resolution)
    engine, state = stream.engine, stream.state
    older, newer = max(check_version(from_version), 1), check_version(to_version) or stream.version
    if older > newer:
        raise InvalidVersions(f"There are no changes from version {from_version} to {to_version}.")
    if older == newer:
        return []
    frozen = prepared(engine.at(state, newer))
    engine.at(state, older)
    return [Change(*found) for found in frozen.changes(engine.stamp(state, older), resolution)]


def own_streams(engine: Engine, streams: object) -> Sequence[Stream]:
    """The same streams, if all are handles of this archive."""
    if not isinstance(streams, Collection) or isinstance(streams, str):
        raise InvalidArgument("That is no list of streams.", advice="Put a single stream in brackets.")
    own = cast("Sequence[Stream]", streams)
    if set(map(type, own)) - {Stream} or {stream.engine for stream in own} - {engine}:
        raise InvalidArgument("That is no stream of this archive.", advice="Get it from this archive.")
    return own
