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
    SettingSet,
    SnapshotDropped,
    SnapshotNamed,
    StreamCreated,
    VersionsPruned,
)

from .core import committed_of
from .findings import stream_lost
from .state import StreamState
from .versions import Committed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .core import Core


def load(core: Core, entries: Iterable[Entry]) -> None:
    """Apply entries, in their order, to the streams in memory: on opening, and while following a writer."""
    for entry in entries:
        match entry:
            case StreamCreated():
                _created(core, entry)
            case PropertiesSet():
                _properties(core, entry)
            case CommittedEntry():
                _committed(core, entry)
            case Obliterated():
                _obliterated(core, entry)
            case VersionsPruned():
                _pruned(core, entry)
            case SnapshotNamed():
                core.streams.snapshots[entry.name] = dict(entry.versions)
            case SnapshotDropped():
                core.streams.snapshots.pop(entry.name, None)
            case SettingSet():
                core.rules.put(entry.scope, entry.key, entry.value)


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


def _created(core: Core, entry: StreamCreated) -> None:
    _add(
        core,
        entry.number,
        Metadata(entry.uuid, entry.kind, entry.collection, dict(entry.tags), dict(entry.annotations)),
    )


def _stream(core: Core, number: int) -> StreamState | None:
    """The stream of that number; None if the group that created it is lost, which must stop no other."""
    state = core.streams.number(number)
    if state is None:
        core.streams.next_number = max(core.streams.next_number, number + 1)
        core.note(stream_lost(number))
    return state


def _properties(core: Core, entry: PropertiesSet) -> None:
    state = _stream(core, entry.number)
    if state is None:
        return
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


def _committed(core: Core, entry: CommittedEntry) -> None:
    state = _stream(core, entry.number)
    if state is None:
        return
    root = None if entry.root == NOWHERE else entry.root
    core.roots.drop(state)
    core.pending.absorb(state)
    core.moments.pin(state)
    core.pending.applied(state, entry.applied_lsn)
    core.streams.applied[state.number] = entry.applied_lsn
    state.committed = Committed(entry.version, root, entry.applied_lsn, entry.time)
    if state.versions is not None:
        state.versions.append(state.committed)
    state.last_version = max(state.last_version, entry.version)
    state.told = max(state.told, entry.version)


def _obliterated(core: Core, entry: Obliterated) -> None:
    state = core.streams.number(entry.number)
    if state is not None:
        core.pending.drop(state)
        core.streams.remove(state)


def _pruned(core: Core, entry: VersionsPruned) -> None:
    state = core.streams.number(entry.number)
    if state is not None and state.versions is not None:
        state.versions.discard(frozenset(entry.versions))
