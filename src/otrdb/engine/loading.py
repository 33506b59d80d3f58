"""Loading: from the entries of the archive's history to the streams as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.metadata import Metadata
from otrdb.storage.blocks import NOWHERE
from otrdb.storage.records import (
    Committed as CommittedEntry,
)
from otrdb.storage.records import (
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

from .core import committed_of
from .findings import stream_lost
from .repoint import repoint
from .state import StreamState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .core import Core


class Loader:
    """Applies entries, in their order, to the streams in memory: on opening, and while following a writer.

    What is said of a stream nobody has heard of yet waits: where a segment was given back, what it said of
    its streams is said again later.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: dict[int, list[Entry]] = {}

    def take(self, entries: Iterable[Entry]) -> None:
        """The next entries."""
        for entry in entries:
            self._take(entry)

    def finish(self) -> None:
        """There is no more: the creation of what is still waiting is lost, which must stop no other."""
        core = self._core
        for number in self._waiting:
            core.streams.next_number = max(core.streams.next_number, number + 1)
            core.note(stream_lost(number))
        self._waiting.clear()

    def _take(self, entry: Entry) -> None:
        core = self._core
        match entry:
            case StreamCreated() | StreamKept():
                self._stream(entry)
            case PropertiesSet() | CommittedEntry() | VersionKept() | VersionsPruned():
                state = core.streams.number(entry.number)
                if state is None:
                    self._waiting.setdefault(entry.number, []).append(entry)
                else:
                    _change(core, state, entry)
            case Obliterated():
                self._waiting.pop(entry.number, None)
                _obliterated(core, entry)
            case SnapshotNamed():
                core.streams.snapshots[entry.name] = dict(entry.versions)
            case SnapshotDropped():
                core.streams.snapshots.pop(entry.name, None)
            case SettingSet():
                core.rules.put(entry.scope, entry.key, entry.value)
            case SegmentsFreed():
                core.segments.freed.add(entry)
                core.streams.next_number = max(core.streams.next_number, entry.streams + 1)

    def _stream(self, entry: StreamCreated | StreamKept) -> None:
        core, state = self._core, self._core.streams.number(entry.number)
        if state is not None:
            core.streams.change(state, _metadata(entry))
            return
        _add(core, entry.number, _metadata(entry))
        waiting = self._waiting.pop(entry.number, [])
        # What was set before is older than what this entry says.
        self.take(each for each in waiting if not isinstance(each, PropertiesSet))


def load_catalog(core: Core) -> None:
    """The streams as the catalog knows them. Costs O(streams)."""
    for stream in core.catalog.streams():
        metadata = Metadata(
            stream.uuid,
            stream.kind,
            stream.collection,
            stream.tags,
            stream.annotations,
            stream.property_version,
        )
        state = _add(core, stream.number, metadata)
        state.committed = committed_of(stream.latest)
        core.streams.applied[state.number] = state.committed.applied
        state.last_version = state.told = state.committed.version
        state.versions = None
    for uuid in core.catalog.tombstones():
        core.streams.bury(uuid)
    core.streams.snapshots.update({name: kept.versions for name, kept in core.catalog.snapshots().items()})
    core.rules.load(core.catalog.settings())
    core.streams.next_number = core.catalog.last_number + 1


def _add(core: Core, number: int, metadata: Metadata) -> StreamState:
    state = StreamState(number, metadata, core.sources[metadata.kind])
    core.pending.reserve(number)
    core.streams.add(state)
    return state


def _metadata(entry: StreamCreated | StreamKept) -> Metadata:
    property_version = entry.property_version if isinstance(entry, StreamKept) else 1
    properties = (entry.collection, dict(entry.tags), dict(entry.annotations), property_version)
    return Metadata(entry.uuid, entry.kind, *properties)


def _change(
    core: Core, state: StreamState, entry: PropertiesSet | CommittedEntry | VersionKept | VersionsPruned
) -> None:
    match entry:
        case PropertiesSet():
            _properties(core, state, entry)
        case CommittedEntry():
            _committed(core, state, entry)
        case VersionKept():
            _kept(core, state, entry)
        case VersionsPruned():
            if state.versions is not None:
                state.versions.discard(frozenset(entry.versions))


def _properties(core: Core, state: StreamState, entry: PropertiesSet) -> None:
    old = state.metadata
    metadata = Metadata(
        old.uuid,
        old.kind,
        entry.collection,
        dict(entry.tags),
        dict(entry.annotations),
        entry.property_version,
    )
    core.streams.change(state, metadata)


def _committed(core: Core, state: StreamState, entry: CommittedEntry | VersionKept) -> None:
    core.roots.drop(state)
    core.pending.absorb(state)
    core.moments.pin(state)
    core.pending.applied(state, entry.applied_lsn)
    core.streams.applied[state.number] = entry.applied_lsn
    state.committed = committed_of(entry)
    if state.versions is not None:
        state.versions.append(state.committed)
    state.last_version = max(state.last_version, entry.version)
    state.told = max(state.told, entry.version)


def _kept(core: Core, state: StreamState, entry: VersionKept) -> None:
    """A version that is known has other blocks now; one that is not was made in a segment that is gone."""
    if entry.version > state.committed.version:
        _committed(core, state, entry)
        return
    if state.versions is not None:
        state.versions.put(committed_of(entry))
    if entry.root != NOWHERE:
        repoint(core, state, {entry.version: entry.root})


def _obliterated(core: Core, entry: Obliterated) -> None:
    state = core.streams.number(entry.number)
    if state is not None:
        core.pending.drop(state)
        core.streams.remove(state)
    else:
        core.streams.bury(entry.uuid)
        core.streams.next_number = max(core.streams.next_number, entry.number + 1)
