"""The public face of an open archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

import numpy as np

from otrdb.closing import Closing
from otrdb.columns import points, stream_numbers, words
from otrdb.errors import InvalidArgument, MismatchedColumns
from otrdb.metadata import Metadata, Pattern
from otrdb.model import MAX_TIME, MIN_TIME, Kind, KindLike, Merge, MergeLike
from otrdb.ranges import to_instant
from otrdb.times import TimeLike, WidthLike, to_ns_array

from . import compaction
from .backup import backup_to
from .check import check, silent
from .commit import Batch
from .history import History
from .info import info, stats
from .rules import HISTORY, RETENTION, THINNING, retention_value, scope_of, thinning_value
from .snapshot import Snapshot
from .stream import Stream, own_streams
from .subscription import Subscription
from .upkeep import Upkeep

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from otrdb.export import Foreign
    from otrdb.interface import Align, Key, StreamLike
    from otrdb.joined import Joined
    from otrdb.results import BackedUp, CheckProgress, Compacted, Expiry, Finding, InsertedBatch, Rule
    from otrdb.storage.journal_records import UInt32Array

    from .backup import Progress
    from .engine import Engine
    from .state import StreamState


class _Wide(NamedTuple):
    """The streams of a wide batch: their numbers, uint32, and kind; and how many were obliterated so far."""

    numbers: UInt32Array
    kind: Kind
    removals: int


class Archive(Closing):
    """An archive of streams: a directory, opened by `otrdb.open`. A context manager.

    Safe to use from several threads; not across `fork`. One process may write a directory, any number may
    read it. Every method raises `ClosedArchive` after `close`, and those that change something `ReadOnly` in
    an archive that is open for reading.

    Example:
        >>> import otrdb, tempfile
        >>> with otrdb.open(tempfile.mkdtemp()) as db:
        ...     heat = db.create("plant/line1", tags={"name": "heat"})
        ...     pulses = db.create("plant/line1", kind="int", tags={"name": "pulses"})
        ...     _ = db.insert({heat: ([1, 2], [20.5, 20.7]), pulses: (2, 7)})
        ...     joined = db.values([heat, pulses], align="inner")
        >>> joined.times, joined.columns
        (array([2]), (array([20.7]), array([7])))
    """

    def __init__(self, engine: Engine, close: Callable[[], None]) -> None:
        self._engine = engine
        self._close = close
        self._known: tuple[Sequence[StreamLike], _Wide] = ((), _Wide(np.empty(0, np.uint32), Kind.FLOAT, 0))

    def __repr__(self) -> str:
        return f"<Archive of {len(self._engine.core.streams)} streams>"

    def create(
        self,
        collection: str,
        *,
        kind: KindLike = "float",
        tags: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        uuid: UUID | None = None,
    ) -> Stream:
        """A new, empty stream, durable when this returns: version 10, property version 1.

        ``kind``, what its values are, never changes. ``tags`` tell the streams of a ``collection`` apart;
        ``annotations`` are free text. ``uuid`` is the stream's identity, made if none is given. Costs one
        sync.

        Raises `InvalidCollection`, `InvalidTagKey`, `InvalidTagValue`; `RecycledUuid` if the uuid was
        obliterated; `StreamExists` if it is taken; `AmbiguousStream` if another stream has that collection
        and exactly those tags.
        """
        metadata = Metadata.new(uuid or uuid4(), Kind(kind), collection, tags, annotations)
        return Stream(self._engine, self._engine.create(metadata))

    def stream(self, uuid_or_collection: UUID | str, *, name: str | None = None, **tags: str) -> Stream:
        """The one stream with that uuid, or in exactly that collection with these ``tags`` among its own.

        ``name`` is the tag "name". ``uuid_or_collection`` may be the text of a uuid. Raises `NoSuchStream` if
        there is none, `AmbiguousStream` if there are several.

        Example:
            >>> import otrdb, tempfile
            >>> db = otrdb.open(tempfile.mkdtemp())
            >>> heat = db.create("plant/line1", tags={"name": "heat", "unit": "C"})
            >>> db.stream("plant/line1", name="heat") == db.stream(heat.uuid) == heat
            True
        """
        engine = self._engine
        engine.refresh()
        wanted = {**tags, **({} if name is None else {"name": name})}
        with engine.core.lock:
            found = engine.core.streams.names.one(uuid_or_collection, wanted)
            return Stream(engine, engine.core.streams.uuid(found.uuid))

    def streams(
        self,
        prefix: str = "",
        *,
        collection: str | None = None,
        tags: Pattern | None = None,
        annotations: Pattern | None = None,
    ) -> list[Stream]:
        """The streams whose collection starts with ``prefix`` (and is ``collection``, if given) and whose
        ``tags`` and ``annotations`` include these.

        A value of None means that the key is there. Sorted by collection, name and uuid; empty if nothing
        matches.
        """
        engine = self._engine
        engine.refresh()
        with engine.core.lock:
            found = engine.core.streams.names.find(prefix, collection, tags, annotations)
            return [Stream(engine, engine.core.streams.uuid(metadata.uuid)) for metadata in found]

    def metadata(self, prefix: str = "", *, collection: str | None = None) -> Sequence[Metadata]:
        """What is known of the streams whose collection starts with ``prefix`` (and is ``collection``, if
        given), all at one moment; by collection, name and uuid.

        Cheaper than asking the `streams` one by one. The mappings in it must not be changed. Asked for all
        streams, it is the very same tuple as long as nothing changes.

        Example:
            >>> import otrdb, tempfile
            >>> db = otrdb.open(tempfile.mkdtemp())
            >>> _ = db.create("plant/line1", tags={"name": "heat", "unit": "C"})
            >>> [(each.path, each.unit, each.property_version) for each in db.metadata("plant/")]
            [('plant/line1/heat', 'C', 1)]
            >>> db.metadata() is db.metadata()
            True
        """
        engine = self._engine
        engine.refresh()
        names = engine.core.streams.names
        with engine.core.lock:
            return names.find(prefix, collection) if prefix or collection is not None else names.in_order()

    def collections(self, prefix: str = "") -> list[str]:
        """The collections that hold a stream and start with ``prefix``, in order of their UTF-8 bytes."""
        self._engine.refresh()
        with self._engine.core.lock:
            return self._engine.core.streams.names.collections(prefix)

    def insert(self, batch: Mapping[Key, Foreign], *, merge: MergeLike = "never") -> InsertedBatch:
        """Store points in many streams as one atomic ``batch``: all or none, visible and durable at once.

        Each value of the mapping is whatever `Stream.insert` takes as one object: a pair (times, values) or
        (time, value), a series, a frame. ``merge``, durability and errors are those of `Stream.insert`.
        """
        if not isinstance(batch, Mapping):
            raise InvalidArgument("That is no batch.", advice="Give {stream: (times, values), ...}.")
        batches = [self._batch(stream, given) for stream, given in batch.items()]
        return self._engine.writer.insert_batches(batches, Merge(merge))

    def _batch(self, stream: StreamLike, given: Foreign) -> Batch:
        state = self._state(stream)
        return Batch(state, *points(state.kind, given))

    def _state(self, stream: StreamLike) -> StreamState:
        return own_streams(self._engine, [stream])[0].state

    def insert_columns(
        self,
        stream_index: Foreign,
        times: Foreign,
        values: Foreign,
        streams: Sequence[Key],
        *,
        merge: MergeLike = "never",
    ) -> InsertedBatch:
        """Store a wide batch atomically: point i belongs to ``streams[stream_index[i]]``.

        ``stream_index``, ``times`` and ``values`` are columns of one length, in any order; equal times keep
        theirs. All ``streams`` are of one kind. ``merge``, durability and errors are those of
        `Stream.insert`.

        The cost is that of the batch, not of its streams: about 0.1 us a point and one journal record. With
        2,048 points or more for each stream, or too many to wait, it is committed at once, as a new version
        of each. Pass the same tuple of streams again and again: a list is looked through every time.
        """
        numbers, kind, _ = self._wide(streams)
        index = stream_numbers(stream_index, len(numbers))
        columns = to_ns_array(times), words(kind, values)
        if not len(index) == len(columns[0]) == len(columns[1]):
            lengths = f"{len(index)} stream numbers, {len(columns[0])} times and {len(columns[1])} values"
            raise MismatchedColumns(f"There are {lengths}.")
        return self._engine.writer.insert_wide(numbers, kind, index, *columns, Merge(merge))

    def _wide(self, streams: Sequence[StreamLike]) -> _Wide:
        """The numbers and the kind of the streams of a wide batch.

        A tuple cannot change, so what the last one gave is remembered, until a stream is obliterated.
        """
        known = self._engine.core.streams
        last, remembered = self._known  # once: other threads replace it
        if streams is last and remembered.removals == known.removals:
            return remembered
        removals = known.removals
        numbers = np.array([stream.state.number for stream in own_streams(self._engine, streams)], np.uint32)
        wide = _Wide(numbers, known.common_kind(numbers), removals)
        if type(streams) is tuple:
            self._known = (streams, wide)
        return wide

    def values(
        self,
        streams: Sequence[Key],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
        leave_out_damage: bool = False,
    ) -> Joined:
        """The points of several streams in ``[start, end)`` (ns), joined on time, all read at one moment.

        ``align``: "outer" gives a row for every time any of them has, "inner" for the times all of them have
        (both `Wide`), "long" a row per point (`Long`, streams of one kind only: `WrongKind`). Where times
        repeat, the k-th point of one stream at some time shares a row with the k-th of the others.

        ``leave_out_damage``: points that cannot be read are left out, and ``left_out`` of the answer says
        which; else `Damaged` is raised.
        """
        with self.snapshot() as snapshot:
            return snapshot.values(streams, start, end, align=align, leave_out_damage=leave_out_damage)

    def snapshot(self, name: str | None = None) -> Snapshot:
        """The state of all streams now, pending points included; with a ``name`` it is kept.

        Without a name nothing is written, and the state lasts until the snapshot is closed. With a name
        everything pending is committed, in one group, and the versions are kept until `drop_snapshot`.
        `InvalidArgument` if there is a snapshot of that name.
        """
        engine = self._engine
        if name is not None:
            engine.name_snapshot(name)
            return self.open_snapshot(name)
        moment = engine.moment()
        return Snapshot(
            engine,
            None,
            lambda state: engine.at_moment(state, moment),
            lambda state: state.number < moment.streams,
        )

    def open_snapshot(self, name: str) -> Snapshot:
        """A snapshot that was kept under ``name``; `NoSuchSnapshot` if there is none."""
        engine = self._engine
        engine.refresh()
        versions = engine.core.streams.snapshot(name)
        return Snapshot(
            engine,
            name,
            lambda state: engine.at_snapshot(state, versions),
            lambda state: state.number in versions,
        )

    def snapshots(self) -> list[str]:
        """The names of the snapshots kept, in order."""
        self._engine.refresh()
        return sorted(self._engine.core.streams.snapshots)

    def drop_snapshot(self, name: str) -> None:
        """Forget the snapshot kept under ``name``, durably; the versions it held may be pruned."""
        self._engine.drop_snapshot(name)

    def subscribe(
        self, streams: Sequence[StreamLike], *, wake: Callable[[], None] | None = None
    ) -> Subscription:
        """Be told of the points of ``streams`` as they are acknowledged: each batch once, as it was inserted.

        Batches of one stream come in the order in which they were acknowledged, those of inserts that run
        at the same time in the order of arrival; when an insert has returned, its batch waits in all
        subscriptions. What failed is never told. ``merge`` is told with the points and not applied to them;
        deletions are not told, obliterations are. See `Subscription`: streams can be added and removed.

        Inserts never wait for who subscribes. What waits takes a sixteenth of the archive's ``memory`` at
        most, 16 bytes a point, once for all subscriptions; when it is full, the subscription that has waited
        longest is cut off (`FellBehind`). A larger batch therefore cuts off all its followers.

        ``wake`` is called, by the thread that inserts, when something has come to an empty subscription or it
        has ended. It must return at once: it is there to tell a thread or an event loop to ask
        ``get(timeout=0)`` until that gives None.

        Nothing is stored: after a restart of the program it is asked again, and `Stream.changes` says what
        came meanwhile. Raises `ReadOnly` in an archive that is open for reading, where others insert.

        Example:
            >>> import otrdb, tempfile
            >>> db = otrdb.open(tempfile.mkdtemp())
            >>> heat = db.create("plant/line1")
            >>> with db.subscribe([heat]) as subscription:
            ...     _ = heat.insert([1, 2], [20.5, 20.7])
            ...     arrival = subscription.get(timeout=1)
            >>> times, values = arrival.points[heat]
            >>> times.tolist(), values.tolist()
            ([1, 2], [20.5, 20.7])
        """
        return Subscription(self._engine, streams, wake)

    def set_retention(
        self, age: WidthLike | None, *, prefix: str = "", stream: StreamLike | None = None
    ) -> None:
        """Say how old points may become: ``age`` in ns or as text ("90d"), "forever", or None for no rule.

        The rule is for one ``stream``, or for all whose collection starts with ``prefix``, those to come too;
        the empty prefix is the whole archive. A stream's own rule goes before that of the longest prefix.
        Durable when this returns. Nothing is dropped by it: `expire` does that.

        Example:
            >>> import otrdb, tempfile
            >>> db = otrdb.open(tempfile.mkdtemp())
            >>> heat = db.create("plant/line1")
            >>> _ = heat.insert(["2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"], [20.5, 20.7])
            >>> db.set_retention("365d", prefix="plant/")
            >>> [(expiry.points, heat.count()) for expiry in db.expire(dry_run=True)]
            [(1, 2)]
            >>> _ = db.expire()
            >>> heat.count()
            1
        """
        self._set_rule(RETENTION, "" if age is None else retention_value(age), prefix, stream)

    def set_thinning(
        self,
        age: WidthLike | None,
        *,
        pointwidth: int = 36,
        prefix: str = "",
        stream: StreamLike | None = None,
    ) -> None:
        """Say that points older than ``age`` give way to the statistics of windows of ``2**pointwidth`` ns:
        69 s unless told otherwise.

        ``age`` in ns or as text ("30d"), "forever" for as they came, or None for no rule; ``prefix`` and
        ``stream`` as for `set_retention`. Durable when this returns. Nothing is thinned by it: `expire` does
        that, and leaves alone what has fewer than 16 points to a window, since that would free nothing.

        Of thinned times any window that is as wide, or wider, and aligned is answered as before. What would
        need their points is refused (`Thinned`): values, nearest, finer or divided windows, inserts, and
        deletes that divide a window. `InvalidPointWidth` unless ``pointwidth`` is one of 16, 20, ... 52.

        Example:
            >>> import otrdb, tempfile
            >>> db = otrdb.open(tempfile.mkdtemp())
            >>> heat = db.create("plant/line1")
            >>> second = 10**9
            >>> _ = heat.insert([n * second for n in range(100_000)], [20.5] * 100_000)
            >>> db.set_thinning("30d", prefix="plant/")
            >>> [(expiry.points, expiry.pointwidth) for expiry in db.expire(now="1970-03-01T00:00:00Z")]
            [(100000, 36)]
            >>> heat.count(), len(heat.zoom(points=100))
            (100000, 91)
        """
        value = "" if age is None else thinning_value(age, pointwidth)
        self._set_rule(THINNING, value, prefix, stream)

    def set_history(self, history: str | None, *, prefix: str = "", stream: StreamLike | None = None) -> None:
        """Say which versions are kept: a ``history`` of "1h,1d,7d" keeps all for an hour, then one per hour
        until they are a day old, then one per day until they are 7 days old; "all" keeps all; None is no
        rule.

        Without any rule it is "1h,1d,7d". ``prefix`` and ``stream`` as for `set_retention`. Durable when this
        returns. Versions are pruned by the commits of their stream and by `expire`; the latest and those of
        named snapshots never.
        """
        value = "" if history is None else History.parse(history).text
        self._set_rule(HISTORY, value, prefix, stream)

    def _set_rule(self, key: str, value: str, prefix: str, stream: StreamLike | None) -> None:
        uuid = None if stream is None else self._state(stream).metadata.uuid
        self._engine.set_rule(scope_of(prefix, uuid), key, value)

    def rules(self) -> list[Rule]:
        """The rules that have been set, by `set_retention`, `set_thinning` and `set_history`."""
        engine = self._engine
        engine.refresh()
        with engine.core.lock:
            return list(engine.core.rules)

    def expire(self, *, dry_run: bool = False, now: TimeLike | None = None) -> list[Expiry]:
        """Drop the points that are older than their retention, thin those that are due, and let go of
        versions that need not be kept.

        Returns what went, or with ``dry_run`` what would go. A stream's points go in one new version, thinned
        ones in several if they are many, when they are between their age old and an eighth more, so that few
        leaves are written twice. Only whole blocks are thinned: 4.9 h or more, with windows of 69 s. The
        points remain in older versions and in named snapshots as long as these are kept. ``now`` is the time
        of day unless given. Collecting does this once an hour.

        Each stream is a commit of its own, so inserts wait for one stream at most. `Damaged`, once that is
        done for the others, if what a stream holds could not be read.
        """
        upkeep = Upkeep(self._engine, None if now is None else to_instant(now))
        return upkeep.expired() if dry_run else upkeep.run()

    def compact(
        self, *, newest: bool = True, gently: bool = False, progress: Progress | None = None
    ) -> Compacted:
        """Give back to the disk what no kept version needs: what was replaced, deleted, expired, pruned or
        obliterated.

        A segment of which at least 30 % is needed by nobody is emptied, by copying the rest, and deleted.
        What is copied takes a quarter of the room on the disk at most at a time, or is one segment.
        ``newest`` takes in the one that is written to. Inserts, commits and queries go on meanwhile: nobody
        waits for more than some 20 ms; ``gently`` leaves them four fifths of the time. May be broken off at
        any moment, and goes on with the next call. ``progress`` is called with the bytes done and to do.

        Files that a reader in another process, or a backup, may still need are deleted later: by the next
        call, or when the archive is opened. Versions, marks and snapshots stay as they are; as long as a view
        of a version is held, the disk keeps what it was made of. Collecting does this once an hour. Cost: the
        nodes of all versions are read, and what is moved is written again.

        Raises:
            ReadOnly: the archive is open for reading.
            DiskFull: there is no room for what has to be moved.

        Example:
            >>> import otrdb, tempfile
            >>> db = otrdb.open(tempfile.mkdtemp())
            >>> heat = db.create("plant")
            >>> _ = heat.insert(range(100_000), [0.5] * 100_000)
            >>> heat.obliterate()
            >>> db.compact().segments
            1
        """
        pause = compaction.gently if gently else compaction.briefly
        return self._engine.compactor.run(progress or _untold, newest=newest, pause=pause)

    def flush(self) -> None:
        """Commit the pending points of all streams, so that they are durable in any mode.

        Points are visible without it, and durable as ``durability`` says. Small commits wear out memory
        cards.
        """
        self._engine.flush()

    def info(self) -> dict[str, Any]:
        """What this archive is: its uuid, format, whether it can be written, and how many streams,
        collections and snapshots it holds.
        """
        self._engine.refresh()
        return info(self._engine.core)

    def stats(self) -> dict[str, Any]:
        """Counters: points pending, memory in use, blocks read since it was opened, bytes in segments, and
        of these ``dead_bytes``, in blocks that the latest version of a stream used once and uses no more.
        Obliterated streams and copies made for older versions alone are not counted among them.
        """
        self._engine.refresh()
        return stats(self._engine.core)

    def check(
        self, *, deep: bool = True, progress: Callable[[CheckProgress], None] = silent
    ) -> Iterator[Finding]:
        """Verify the archive while it is used, yielding what is wrong as it is found; a healthy archive gives
        nothing.

        ``deep`` reads every block of every version from the disk, makes every summary again from its points
        and proves every byte of the segments: the whole archive is read twice. Without it only the structure
        is looked at: nodes, the heads of all blocks, group records, journal. ``progress`` is told how far it
        has come. Damage found does not end it. Nothing is changed, and nobody has to wait.

        Example:
            >>> import otrdb, tempfile
            >>> with otrdb.open(tempfile.mkdtemp()) as db:
            ...     list(db.check())
            []
        """
        self._engine.check_open()
        return check(self._engine, deep=deep, report=progress)

    def backup(self, target: str | os.PathLike[str], *, progress: Progress | None = None) -> BackedUp:
        """Copy the archive, as it is at this moment, to the directory ``target``, on any file system.

        All streams are there as of one LSN, pending points included; nothing is committed, and inserts and
        commits go on meanwhile. An archive that is open for reading can be backed up too, beside its writer.

        ``target`` is made if there is none. If it holds an earlier backup of this archive, only what came
        since is copied: sealed segments once, of the last one the new part, and anew the pending points (16
        bytes each) and the manifest. What was copied is read back and proved by the checksums of its groups.
        When this returns the backup is durable; before, at any moment, the one before it still is.

        A backup opens with ``mode="r"``, is verified by `check` then, and becomes an archive again with
        `otrdb.restore`. ``progress`` is called with the bytes copied and the bytes to copy. Damage of the
        archive does not end it: it is in the answer, as far as it was met.

        Raises:
            InvalidArgument: ``target`` is inside the archive.
            NotABackup: it holds something else, or the backup of another archive or history.
            Damaged: it holds a backup that is damaged, or did not take what was written.
            DiskFull, WriteFailed: of its disk.
            ArchiveLocked: somebody else is backing up to it.
            Outdated: this archive only reads, it took long, and the writer deleted what was to be copied.

        Example:
            >>> import otrdb, tempfile
            >>> db, target = otrdb.open(tempfile.mkdtemp()), tempfile.mkdtemp()
            >>> _ = db.create("plant").insert([1, 2], [20.5, 20.7])
            >>> _ = db.backup(target)
            >>> with otrdb.open(target, mode="r") as copy:
            ...     copy.stream("plant").count()
            2
        """
        return backup_to(self._engine, target, progress or _untold)

    def close(self) -> None:
        """Make all acknowledged points durable and let go of the files. May be called again."""
        self._close()


def _untold(copied: int, total: int) -> None:
    """Nobody watches."""
