"""The state that a question is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from otrdb.server.asking import stream_of

if TYPE_CHECKING:
    from otrdb import Partial, Snapshot, View
    from otrdb.engine.snapshot import SnapshotView
    from otrdb.server.rpc import Door
    from otrdb.wire.otrdb import State

    Asked: TypeAlias = View | SnapshotView | Partial


def snapshot_of(door: Door, state: State) -> Snapshot | None:
    """The snapshot that is meant, held or by its name; None if it is another state."""
    if state.held:
        return door.held.snapshot(state.held)
    return door.archive.open_snapshot(state.snapshot) if state.HasField("snapshot") else None


def state_of(door: Door, identity: bytes, state: State) -> Asked:
    """What to ask, which does not change: a version of a stream, it in a snapshot, or as it is now."""
    stream = stream_of(door.archive, identity)
    snapshot = snapshot_of(door, state)
    if snapshot is not None:
        return sound(snapshot.view(stream), state)
    return sound(stream.at(state.version) if state.version else stream.now(), state)


def sound(whole: View | SnapshotView, state: State) -> Asked:
    """The same, or only what is sound of it, if so wanted."""
    return whole.leaving_out_damage() if state.leave_out_damage else whole
