"""What must be in an archive, by what was acknowledged before the power was cut or the process killed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from otrdb.errors import NoSuchStream, RecycledUuid, Thinned, VersionNotAvailable
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.results import ALL_COLUMNS
from otrdb.testing import model
from otrdb.testing.operations import (
    STREAMS,
    THIN_POINTWIDTH,
    Ask,
    Create,
    Delete,
    Drop,
    Flush,
    Insert,
    Keep,
    Obliterate,
    Operation,
    Prune,
    Reopen,
    Settle,
    Thin,
    Update,
    kind_of,
    uuid_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from otrdb import Archive
    from otrdb.interface import ReadsLike


class Witness:
    """Knows what was acknowledged, and verifies that an archive holds it.

    An operation is *doubtful* if it was begun and not acknowledged: it happened as a whole or not at all. An
    insert is *unsettled* if it was acknowledged and yet a power cut may take it, since the archive was opened
    with another durability than "sync". Of unsettled inserts those survive that came before some moment.

    Args:
        streams: those of `create_all` that are used and looked at.
        lasting: whether all that is acknowledged must be there: with "sync", or if only the process dies.
    """

    def __init__(self, streams: Iterable[int] = range(STREAMS), *, lasting: bool = True) -> None:
        self.streams = tuple(streams)
        self._lasting = lasting
        self._states = {stream: model.empty(kind_of(stream)) for stream in self.streams}
        self._waiting: dict[int, list[tuple[Any, Any]]] = {stream: [] for stream in self.streams}
        self._unsettled: list[Insert] = []
        self._notes: dict[int, str] = {}
        self._made: set[UUID] = set()
        self._gone: set[UUID] = set()
        self._kept: dict[str, list[int]] = {}
        """Named snapshots: points of each stream."""
        self._newest = dict.fromkeys(self.streams, 10)
        """The largest version anybody was told."""
        self._told: dict[tuple[int, int], int] = {}
        """Points of every version somebody was told: by stream and version."""
        self._committed: set[tuple[int, int]] = set()
        """Those of them that were committed, and not only marked."""
        self._pruned = False
        """Whether versions that were committed may be gone."""
        self._thinned = MIN_TIME
        """Points before this may have been thinned."""
        self._bits: dict[tuple[int, int], int] = {}
        """Digests of versions that `look` saw."""

    def copy(self) -> Witness:
        """One that goes its own way from here."""
        other = Witness((), lasting=self._lasting)
        for name, value in vars(self).items():
            setattr(other, name, value.copy() if hasattr(value, "copy") else value)
        other._waiting = {stream: waiting.copy() for stream, waiting in self._waiting.items()}
        return other

    # --- what happens

    def acknowledged(self, operation: Operation, answer: Any = None) -> None:
        """An ``operation`` returned ``answer``, as `perform` gives it."""
        match operation:
            case Insert():
                self._inserted(operation, durable=self._lasting or bool(answer))
            case Delete(stream, start, end):
                self._settle({stream})
                self._states[stream] = model.erased(self.state(stream), start, end)
            case Flush(stream):
                self._settle(set(self.streams) if stream is None else {stream})
            case Settle() | Reopen():
                self._settle(set(self.streams))
            case Keep(name):
                self._settle(set(self.streams))
                self._kept[name] = self.counts()
            case _:
                self._metadata(operation)
        if answer is not None and isinstance(operation, Ask | Delete | Flush):
            assert operation.stream is not None
            self._tell(operation.stream, *answer, committed=not isinstance(operation, Ask))

    def _metadata(self, operation: Operation) -> None:
        match operation:
            case Update(stream, note):
                self._notes[stream] = note
            case Create(uuid):
                self._made.add(uuid)
            case Obliterate(uuid):
                self._made.remove(uuid)
                self._gone.add(uuid)
            case Drop(name):
                del self._kept[name]
            case Prune():
                self._pruned = True
            case Thin(before):
                self._thinned = max(self._thinned, before)
            case _:
                pass

    def _inserted(self, operation: Insert, *, durable: bool) -> None:
        if durable:
            # A commit of its own: inserts into other streams may be lost though they came before.
            self._settle(set(operation.parts))
            self._store(operation)
        else:
            self._unsettled.append(operation)

    def _settle(self, streams: set[int]) -> None:
        """All that was inserted into these streams so far is durable, and what came before that."""
        places = [place for place, insert in enumerate(self._unsettled) if streams & insert.parts.keys()]
        settled = places[-1] + 1 if places else 0
        for insert in self._unsettled[:settled]:
            self._store(insert)
        del self._unsettled[:settled]

    def _store(self, insert: Insert) -> None:
        for stream, (times, values) in insert.parts.items():
            if insert.merge == "never":
                self._waiting[stream].append((times, values))
            else:
                self._states[stream] = model.merged(self._settled(stream), times, values, insert.merge)

    def _settled(self, stream: int) -> model.State:
        """What must be in the stream. Plain inserts are merged when they are asked for."""
        waiting = self._waiting[stream]
        if waiting:
            times, values = (np.concatenate(column) for column in zip(*waiting, strict=True))
            self._states[stream] = model.merged(self._states[stream], times, values, "never")
            waiting.clear()
        return self._states[stream]

    def state(self, stream: int) -> model.State:
        """What the stream holds, unsettled points included."""
        return _with(self._settled(stream), stream, self._unsettled)

    def counts(self) -> list[int]:
        """Points of each stream."""
        return [len(self.state(stream).times) for stream in self.streams]

    def _tell(self, stream: int, version: int, count: int, *, committed: bool) -> None:
        assert count == len(self.state(stream).times), "a version does not hold what was acknowledged"
        assert version >= self._newest[stream], "a version went back"
        assert self._told.get((stream, version), count) == count, "a version was given to two states"
        self._newest[stream] = version
        self._told[stream, version] = count
        if committed:
            self._committed.add((stream, version))

    def look(self, archive: Archive) -> None:
        """Remember every bit of all versions that there are now, made by whatever."""
        for stream in self.streams:
            handle = archive.stream(uuid_of(stream))
            committed = handle.state.committed.version
            self._committed.add((stream, committed))
            told = [version for owner, version in self._told if owner == stream]
            for version in {committed, *told} - {version for owner, version in self._bits if owner == stream}:
                with suppress(VersionNotAvailable):
                    self._bits[stream, version] = digest(handle.at(version))

    # --- what must be

    def verify(self, archive: Archive, doubtful: Operation | None = None, *, versions: bool = True) -> None:
        """The archive holds what it must; `AssertionError` if not.

        A ``doubtful`` operation that happened is taken as acknowledged, and unsettled inserts are taken as
        they are found. Without ``versions`` the archive is asked for no version, and so writes nothing.
        """
        writer = archive.info()["writable"]
        self._decide(archive, doubtful)
        for stream in self.streams:
            assert archive.stream(uuid_of(stream)).count() == len(self.state(stream).times)
            if versions:
                self._verify_versions(archive, stream, writer=writer)
            note = archive.stream(uuid_of(stream)).annotations.get("note")
            assert note == self._notes.get(stream), f"annotation of stream {stream}"
        self._verify_gone(archive, asked=writer and versions)
        assert archive.snapshots() == sorted(self._kept)
        for name in list(self._kept)[-2:]:
            self._verify_snapshot(archive, name)
        self.verify_bits(archive)

    def verify_bits(self, archive: Archive) -> None:
        """Every version that `look` saw is what it was, or gone if it was never committed."""
        for (stream, version), bits in self._bits.items():
            self._verify_bits(archive, stream, version, bits)

    def _decide(self, archive: Archive, doubtful: Operation | None) -> None:
        """Find out which of the states there may be has come."""
        if isinstance(doubtful, Thin):
            self.acknowledged(doubtful)  # at least in part: it may not have come to all streams
        found = {stream: self._found(archive, stream) for stream in self.streams}
        states = next((each for each in self._futures(doubtful) if self._same(found, each)), None)
        if states is None:
            raise AssertionError(self._explained(found, doubtful))
        self._states = states
        self._unsettled.clear()
        if doubtful is not None and not isinstance(doubtful, Insert | Delete | Thin):
            self._decide_metadata(archive, doubtful)

    def _found(self, archive: Archive, stream: int) -> model.State:
        """All points of a stream; where they may have been thinned what is to be seen in either case."""
        if self._thinned == MIN_TIME:
            return points(archive, stream)
        reads, names = archive.stream(uuid_of(stream)), ("count", "min", "max", "first", "last")
        windows = reads.aligned_windows(MIN_TIME, self._thinned, THIN_POINTWIDTH, columns=names)
        rows = np.array([windows[name].astype(np.float64) for name in names])
        kept = reads.values(self._thinned)
        return model.State(
            np.concatenate([np.repeat(windows.time, len(names)), kept.times]),
            np.concatenate([rows.T.reshape(-1), kept.values.astype(np.float64)]),
        )

    def _same(self, found: dict[int, model.State], states: dict[int, model.State]) -> bool:
        return all(_equal(state, self._shown(states[stream])) for stream, state in found.items())

    def _shown(self, state: model.State) -> model.State:
        if self._thinned == MIN_TIME:
            return state
        return model.condensed(state, self._thinned, THIN_POINTWIDTH)

    def _futures(self, doubtful: Operation | None) -> Iterator[dict[int, model.State]]:
        """What may be there: some of the unsettled inserts, with or without the doubtful operation."""
        before = {stream: self._settled(stream) for stream in self.streams}
        for number in range(len(self._unsettled), -1, -1):
            survivors = self._unsettled[:number]
            states = {stream: _with(state, stream, survivors) for stream, state in before.items()}
            if isinstance(doubtful, Insert):
                yield {stream: _with(state, stream, [doubtful]) for stream, state in states.items()}
            elif isinstance(doubtful, Delete):
                stream, start, end = doubtful
                yield {**states, stream: model.erased(states[stream], start, end)}
            yield states

    def _explained(self, found: dict[int, model.State], doubtful: Operation | None) -> str:
        futures = list(self._futures(doubtful))
        for stream, state in found.items():
            shown = [self._shown(states[stream]) for states in futures]
            if not any(_equal(state, each) for each in shown):
                counts = sorted({len(each.times) for each in shown})
                return f"stream {stream} has {len(state.times)} points, not {counts}, or others"
        return "what is in the streams does not fit together: an operation is there in part"

    def _decide_metadata(self, archive: Archive, doubtful: Operation) -> None:
        """Acknowledge a doubtful operation if it is seen to have happened."""
        match doubtful:
            case Prune():
                happened = True  # at least in part
            case Update(stream, note):
                happened = archive.stream(uuid_of(stream)).annotations.get("note") == note
            case Create() | Obliterate():
                happened = _exists(archive, doubtful.uuid) == isinstance(doubtful, Create)
            case Keep(name) | Drop(name):
                happened = (name in archive.snapshots()) == isinstance(doubtful, Keep)
            case _:
                happened = False
        if happened:
            self.acknowledged(doubtful)

    def _verify_gone(self, archive: Archive, *, asked: bool) -> None:
        assert {stream.uuid for stream in archive.streams("made/")} == self._made
        for uuid in self._gone if asked else ():
            assert _refuses(archive, uuid), "an obliterated stream may be made again"

    def _verify_versions(self, archive: Archive, stream: int, *, writer: bool) -> None:
        handle = archive.stream(uuid_of(stream))
        version = handle.version
        # A mark may be lost with the points it was made for; its number must never stand for others.
        told = [number for owner, number in self._committed if owner == stream]
        assert version >= (self._newest[stream] if self._lasting else max(told, default=10)), (
            "a version went back"
        )
        assert handle.at(version).count() == len(self.state(stream).times)
        if writer:  # a reader's marks are its own
            self._newest[stream] = version
            self._tell(stream, version, handle.at(version).count(), committed=False)
        for (owner, number), count in self._told.items():
            if owner == stream:
                try:
                    assert handle.at(number).count() == count, "a version changed"
                except VersionNotAvailable:
                    self._verify_may_be_gone(owner, number)

    def _verify_bits(self, archive: Archive, stream: int, version: int, bits: int) -> None:
        try:
            view = archive.stream(uuid_of(stream)).at(version)
        except VersionNotAvailable:
            self._verify_may_be_gone(stream, version)
        else:
            assert digest(view) == bits, f"version {version} of stream {stream} changed"

    def _verify_may_be_gone(self, stream: int, version: int) -> None:
        assert self._pruned or (stream, version) not in self._committed, "a committed version is gone"

    def _verify_snapshot(self, archive: Archive, name: str) -> None:
        with archive.open_snapshot(name) as snapshot:
            handles = [archive.stream(uuid_of(stream)) for stream in self.streams]
            assert [snapshot.view(handle).count() for handle in handles] == self._kept[name]


def points(archive: Archive, stream: int) -> model.State:
    """All points of a stream."""
    return model.State(*archive.stream(uuid_of(stream)).values().to_numpy())


def digest(reads: ReadsLike) -> int:
    """A number made of all points, or the finest windows that are left, and of their statistics in some."""
    windows = reads.zoom(points=50, columns=ALL_COLUMNS)
    try:
        columns = [*reads.values().to_numpy(), *windows.to_numpy().values()]
    except Thinned as thinned:
        finest = reads.aligned_windows(MIN_TIME, MAX_TIME, thinned.pointwidth, columns=ALL_COLUMNS)
        columns = [*finest.to_numpy().values(), *windows.to_numpy().values()]
    bits = 0
    for column in columns:
        bits = crc32(repr(list(column)).encode() if column.dtype == object else column.tobytes(), bits)
    return bits


def _with(state: model.State, stream: int, inserts: Iterable[Insert]) -> model.State:
    for insert in inserts:
        if stream in insert.parts:
            state = model.merged(state, *insert.parts[stream], insert.merge)
    return state


def _equal(one: model.State, other: model.State) -> bool:
    return np.array_equal(one.times, other.times) and one.values.tobytes() == other.values.tobytes()


def _exists(archive: Archive, uuid: UUID) -> bool:
    try:
        archive.stream(uuid)
    except NoSuchStream:
        return False
    return True


def _refuses(archive: Archive, uuid: UUID) -> bool:
    try:
        archive.create("again", uuid=uuid)
    except RecycledUuid:
        return True
    return False
