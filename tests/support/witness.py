"""What must be in an archive, by what its writers said before they were killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otrdb.errors import NoSuchStream, VersionNotAvailable
from tests.support import model
from tests.support.operations import (
    STREAMS,
    Ask,
    Create,
    Delete,
    Flush,
    Insert,
    Keep,
    Obliterate,
    Operation,
    Update,
    kind_of,
    uuid_of,
)

if TYPE_CHECKING:
    from uuid import UUID

    from otrdb import Archive


class Witness:
    """The state after the acknowledged operations, and after the doubtful one where it happened.

    An operation is doubtful if it was begun and not acknowledged: it happened as a whole or not at all.
    """

    def __init__(self) -> None:
        self.states = [model.empty(kind_of(stream)) for stream in range(STREAMS)]
        self._waiting: list[list[tuple[Any, Any]]] = [[] for _ in range(STREAMS)]
        self.notes: dict[int, str] = {}
        self.made: set[UUID] = set()
        self.gone: set[UUID] = set()
        self.kept: dict[str, list[int]] = {}
        """Named snapshots: points of each stream."""
        self.newest = [10] * STREAMS
        """The largest version anybody was told."""
        self.told: dict[tuple[int, int], int] = {}
        """Points of every version somebody was told: by stream and version."""
        self.committed: set[tuple[int, int]] = set()
        """Those of them that were committed, and not only marked."""

    def acknowledged(self, operation: Operation, answer: Any) -> None:
        match operation:
            case Insert():
                self._insert(operation)
            case Delete(stream, start, end):
                self.states[stream] = model.erased(self.state(stream), start, end)
            case Update(stream, note):
                self.notes[stream] = note
            case Create(uuid):
                self.made.add(uuid)
            case Obliterate(uuid):
                self.made.remove(uuid)
                self.gone.add(uuid)
            case Keep(name):
                self.kept[name] = self.counts()
            case _:
                pass
        if answer is not None and isinstance(operation, Ask | Delete | Flush):
            assert operation.stream is not None
            self._told(operation.stream, *answer, committed=not isinstance(operation, Ask))

    def state(self, stream: int) -> model.State:
        """What the stream holds. Plain inserts are merged when they are asked for."""
        waiting = self._waiting[stream]
        if waiting:
            times, values = (np.concatenate(column) for column in zip(*waiting, strict=True))
            self.states[stream] = model.merged(self.states[stream], times, values, "never")
            waiting.clear()
        return self.states[stream]

    def counts(self) -> list[int]:
        return [len(self.state(stream).times) for stream in range(STREAMS)]

    def _insert(self, operation: Insert) -> None:
        for stream, (times, values) in operation.parts.items():
            if operation.merge == "never":
                self._waiting[stream].append((times, values))
            else:
                self.states[stream] = model.merged(self.state(stream), times, values, operation.merge)

    def _told(self, stream: int, version: int, count: int, *, committed: bool) -> None:
        assert count == len(self.state(stream).times), "a version does not hold what was acknowledged"
        assert version >= self.newest[stream], "a version went back"
        assert self.told.get((stream, version), count) == count, "a version was given to two states"
        self.newest[stream] = version
        self.told[stream, version] = count
        if committed:
            self.committed.add((stream, version))

    def verify(self, archive: Archive, doubtful: Operation | None, *, versions: bool = True) -> None:
        """The archive holds what it must. A doubtful operation that happened is acknowledged."""
        writer = archive.info()["writable"]
        self._decide(archive, doubtful)
        for stream in range(STREAMS):
            self._verify_points(archive, stream)
            if versions:
                self._verify_versions(archive, stream, lasting=writer)
            note = archive.stream(uuid_of(stream)).annotations.get("note")
            assert note == self.notes.get(stream), f"annotation of stream {stream}"
        assert {stream.uuid for stream in archive.streams("made/")} == self.made
        assert archive.snapshots() == sorted(self.kept)
        for name in list(self.kept)[-2:]:
            self._verify_snapshot(archive, name)

    def _decide(self, archive: Archive, doubtful: Operation | None) -> None:
        """Acknowledge a doubtful operation if it is seen to have happened, in whole."""
        match doubtful:
            case Insert() | Delete():
                self._decide_points(archive, doubtful)
            case Update(stream, note):
                if archive.stream(uuid_of(stream)).annotations.get("note") == note:
                    self.acknowledged(doubtful, None)
            case Create() | Obliterate():
                if _exists(archive, doubtful.uuid) == isinstance(doubtful, Create):
                    self.acknowledged(doubtful, None)
            case Keep(name):
                if name in archive.snapshots():
                    self.acknowledged(doubtful, None)
            case _:
                pass

    def _decide_points(self, archive: Archive, doubtful: Insert | Delete) -> None:
        touched = list(doubtful.parts) if isinstance(doubtful, Insert) else [doubtful.stream]
        without = [self.state(stream) for stream in touched]
        self.acknowledged(doubtful, None)
        whole = [self.state(stream) for stream in touched]
        found = [points(archive, stream) for stream in touched]
        if all(map(same, found, whole)):
            return
        assert all(map(same, found, without)), f"{doubtful} is there in part"
        for stream, state in zip(touched, without, strict=True):
            self.states[stream] = state

    def _verify_points(self, archive: Archive, stream: int) -> None:
        expected, found = self.state(stream), points(archive, stream)
        assert len(found.times) == len(expected.times), f"points of stream {stream}"
        assert same(found, expected), f"points of stream {stream}"
        assert archive.stream(uuid_of(stream)).count() == len(expected.times)

    def _verify_versions(self, archive: Archive, stream: int, *, lasting: bool) -> None:
        handle = archive.stream(uuid_of(stream))
        version = handle.version
        assert version >= self.newest[stream], "a version went back"
        assert handle.at(version).count() == len(self.state(stream).times)
        if lasting:  # a reader's marks are its own
            self._told(stream, version, handle.at(version).count(), committed=False)
        for (owner, number), count in self.told.items():
            if owner == stream:
                try:
                    assert handle.at(number).count() == count, "a version changed"
                except VersionNotAvailable:
                    assert (owner, number) not in self.committed, "a committed version is gone"

    def _verify_snapshot(self, archive: Archive, name: str) -> None:
        with archive.open_snapshot(name) as snapshot:
            handles = [archive.stream(uuid_of(stream)) for stream in range(STREAMS)]
            assert [snapshot.view(handle).count() for handle in handles] == self.kept[name]


def points(archive: Archive, stream: int) -> model.State:
    return model.State(*archive.stream(uuid_of(stream)).values().to_numpy())


def same(one: model.State, other: model.State) -> bool:
    return np.array_equal(one.times, other.times) and np.array_equal(one.values, other.values)


def _exists(archive: Archive, uuid: UUID) -> bool:
    try:
        archive.stream(uuid)
    except NoSuchStream:
        return False
    return True
