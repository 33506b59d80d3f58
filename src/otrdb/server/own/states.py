"""The state that a question is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from otrdb.server.asking import stream_of

if TYPE_CHECKING:
    from otrdb import Partial, PartialStream, Snapshot, Stream, View
    from otrdb.engine.snapshot import SnapshotView
    from otrdb.server.rpc import Door
    from otrdb.wire.otrdb import State

    Whole: TypeAlias = Stream | View | SnapshotView
    Asked: TypeAlias = Whole | Partial | PartialStream


def snapshot_of(door: Door, state: State) -> Snapshot | None:
    """The snapshot that is meant, held or by its name; None if it is another state."""
    if state.held:
        return door.held.snapshot(state.held)
    return door.archive.open_snapshot(state.snapshot) if state.HasField("snapshot") else None


def state_of(door: Door, identity: bytes, state: State) -> Asked:
    """What to ask: the stream, a version of it, or it in a snapshot; only what is sound, if so wanted."""
    stream = stream_of(door.archive, identity)
    snapshot = snapshot_of(door, state)
    whole: Whole
    if snapshot is not None:
        whole = snapshot.view(stream)
    else:
        whole = stream.at(state.version) if state.version else stream
    return asked(whole, state)


def asked(whole: Whole, state: State) -> Asked:
    """The state, or what is sound of it, if that is wanted."""
    return whole.leaving_out_damage() if state.leave_out_damage else whole
