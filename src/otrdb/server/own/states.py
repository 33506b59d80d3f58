"""The state that a question is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from otrdb.interface import ReadsLike
from otrdb.server.asking import stream_of

if TYPE_CHECKING:
    from otrdb import Partial, Snapshot
    from otrdb.server.rpc import Door
    from otrdb.wire.otrdb import State


class Whole(ReadsLike, Protocol):
    """A state that can be asked to leave out damage: a version, or a stream in a snapshot."""

    def leaving_out_damage(self) -> Partial:
        """What is sound of it."""
        ...


def snapshot_of(door: Door, state: State) -> Snapshot | None:
    """The snapshot that is meant, held or by its name; None if it is another state."""
    if state.held:
        return door.held.snapshot(state.held)
    return door.archive.open_snapshot(state.snapshot) if state.HasField("snapshot") else None


def state_of(door: Door, identity: bytes, state: State) -> ReadsLike:
    """What to ask, which does not change: a version of a stream, it in a snapshot, or as it is now."""
    stream = stream_of(door.archive, identity)
    snapshot = snapshot_of(door, state)
    if snapshot is not None:
        return sound(snapshot.view(stream), state)
    return sound(stream.at(state.version) if state.version else stream.now(), state)


def sound(whole: Whole, state: State) -> ReadsLike:
    """The same, or only what is sound of it, if so wanted."""
    return whole.leaving_out_damage() if state.leave_out_damage else whole
