"""Saying again, at the end of the archive, what a segment says that goes: as it is by now.

All entries are facts of which the last one counts. So what is still true of those in the segment is said
anew, and what is said elsewhere is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.model import FIRST_VERSION
from otrdb.storage.records import (
    Committed,
    Entry,
    Obliterated,
    PropertiesSet,
    SegmentsFreed,
    SettingSet,
    SnapshotDropped,
    SnapshotNamed,
    StreamCreated,
    StreamKept,
    VersionKept,
    VersionsPruned,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .core import Core
    from .state import StreamState


class Restating:
    """What is to be said again of the entries of a segment, each stream's properties once.

    The trees in the segments ``leaving`` have been moved. With ``oldest`` there is no older segment: what has
    ended need not be said to have.
    """

    def __init__(self, core: Core, leaving: frozenset[int], *, oldest: bool) -> None:
        self._core = core
        self._leaving = leaving
        self._oldest = oldest
        self._streams: set[int] = set()

    def of(self, entry: Entry) -> Iterator[Entry]:
        """What is to be said in the place of ``entry``. Called while nobody can change it."""
        core = self._core
        match entry:
            case StreamCreated() | StreamKept() | PropertiesSet():
                yield from self._stream(entry)
            case Committed() | VersionKept():
                # Versions whose trees have been moved were said again thereby.
                if entry.root.segment not in self._leaving:
                    yield from self._version(entry.number, entry.version)
            case Obliterated():
                yield entry
            case SnapshotNamed() | SnapshotDropped():
                yield from self._snapshot(entry.name)
            case VersionsPruned():
                if core.streams.number(entry.number) is not None and not self._oldest:
                    yield entry
            case SettingSet():
                value = core.rules.value(entry.scope, entry.key)
                if value or not self._oldest:
                    yield SettingSet(entry.scope, entry.key, value)
            case SegmentsFreed():
                yield from core.segments.freed

    def _stream(self, entry: StreamCreated | StreamKept | PropertiesSet) -> Iterator[Entry]:
        state = self._core.streams.number(entry.number)
        if state is None:
            return
        if state.number not in self._streams:
            self._streams.add(state.number)
            yield stream_kept(state)
        if isinstance(entry, StreamCreated):
            yield from self._version(state.number, FIRST_VERSION)

    def _version(self, number: int, version: int) -> Iterator[Entry]:
        kept = self._core.catalog.version(number, version)
        if kept is not None and self._core.streams.number(number) is not None:
            yield VersionKept(number, version, kept.root, kept.applied_lsn, kept.count, kept.time)

    def _snapshot(self, name: str) -> Iterator[Entry]:
        versions = self._core.streams.snapshots.get(name)
        if versions is not None:
            yield SnapshotNamed(name, versions, self._core.catalog.snapshots()[name].time)
        elif not self._oldest:
            yield SnapshotDropped(name)


def stream_kept(state: StreamState) -> StreamKept:
    """A stream with its properties."""
    metadata = state.metadata
    return StreamKept(
        state.number,
        metadata.uuid,
        metadata.kind,
        metadata.property_version,
        metadata.collection,
        dict(metadata.tags),
        dict(metadata.annotations),
    )
