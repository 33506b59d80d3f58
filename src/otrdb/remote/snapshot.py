"""Snapshots of an archive on a server, and what keeps the server holding those without a name."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from uuid import uuid4
from weakref import WeakSet

from otrdb.closing import Closing
from otrdb.errors import ClosedArchive, OtrError
from otrdb.joined import Joined, Part, join
from otrdb.model import MAX_TIME, MIN_TIME, Kind
from otrdb.ranges import to_range
from otrdb.remote.reads import Reads
from otrdb.remote.receiving import points_of
from otrdb.remote.stream import Partial, Stream, own_stream, own_streams
from otrdb.wire import otrdb as wire
from otrdb.wire.metadata import metadata_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from otrdb.interface import Align, StreamLike
    from otrdb.metadata import Metadata
    from otrdb.remote.link import Link
    from otrdb.times import TimeLike

_RENEWALS: Final = 4.0
"""How often a snapshot is renewed in the time the server would hold it without."""

_LONGEST_RELEASE: Final = 5.0
"""Seconds that closing waits for a server."""


class Snapshot(Closing):
    """A consistent state of all streams of an archive on a server, by the interface of `otrdb.Snapshot`.

    Without a name the server holds it, for as long as this object is not closed and the server hears of this
    program at least once a minute. After that, or when the server was started anew, questions raise
    `VersionNotAvailable`.
    """

    def __init__(self, link: Link, state: wire.State, name: str | None, hold: Hold | None) -> None:
        self.link = link
        self.name = name
        self._state: wire.State | None = state
        self._hold = hold

    def __repr__(self) -> str:
        return f"<Snapshot {self.name or 'of a moment'} at {self.link.where}>"

    @property
    def state(self) -> wire.State:
        """The state that is asked."""
        if self._state is None:
            raise ClosedArchive("This snapshot has been closed.", advice="Take another one.")
        return self._state

    def streams(self) -> list[Stream]:
        """The streams that existed then and still do, by collection, name and uuid."""
        return streams_of(self.link, wire.FindParams(state=self.state))

    def view(self, stream: StreamLike) -> SnapshotView:
        """That ``stream`` as it was then; `NoSuchStream` if it was not there."""
        own = own_stream(self.link, stream)
        self.link.ask("Describe", wire.StreamParams(uuid=own.uuid.bytes, state=self.state))
        return SnapshotView(self, own)

    def values(
        self,
        streams: Sequence[StreamLike],
        start: TimeLike = MIN_TIME,
        end: TimeLike = MAX_TIME,
        *,
        align: Align = "outer",
        leave_out_damage: bool = False,
    ) -> Joined:
        """The points of several ``streams`` in ``[start, end)`` (ns) of that moment, joined on time."""
        return joined(self.link, self.state, streams, start, end, align, leave_out_damage=leave_out_damage)

    def close(self) -> None:
        """Let go of the state. A named snapshot stays in the archive."""
        self._state = None
        if self._hold is not None:
            self._hold.release()
            self._hold = None


class SnapshotView(Reads):
    """One stream in a snapshot."""

    __slots__ = ("_snapshot", "_stream")

    def __init__(self, snapshot: Snapshot, stream: Stream) -> None:
        self._snapshot = snapshot
        self._stream = stream

    @property
    def link(self) -> Link:
        """The connection."""
        return self._snapshot.link

    @property
    def uuid(self) -> UUID:
        """The stream's identity."""
        return self._stream.uuid

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self._stream.kind

    def state(self) -> wire.State:
        """That of the snapshot."""
        state = wire.State()
        state.CopyFrom(self._snapshot.state)
        return state

    def leaving_out_damage(self) -> Partial:
        """The same, whose answers leave out what is damaged and say so."""
        return Partial(self)


class Hold:
    """A snapshot that the server holds."""

    __slots__ = ("__weakref__", "_holds", "number")

    def __init__(self, holds: Holds, number: int) -> None:
        self._holds = holds
        self.number = number

    def release(self) -> None:
        """Let the server let go of it."""
        self._holds.release(self)


class Holds:
    """The snapshots a server holds for this connection, renewed by a thread as long as there are any."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._client = uuid4().bytes
        self._held: WeakSet[Hold] = WeakSet()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self) -> Hold:
        """Have the server hold the state of now."""
        answer = self._link.ask("Hold", wire.HoldParams(client=self._client))
        hold = Hold(self, answer.held)
        with self._lock:
            self._held.add(hold)
            if self._thread is None:
                pause = answer.seconds / _RENEWALS
                self._thread = threading.Thread(
                    target=self._renew, args=(pause,), name="otrdb-snapshots", daemon=True
                )
                self._thread.start()
        return hold

    def release(self, hold: Hold) -> None:
        """Have the server let go. If it cannot be told, it does so by itself after a while."""
        with self._lock:
            self._held.discard(hold)
        self._release([hold.number])

    def close(self) -> None:
        """Have the server let go of all."""
        self._stop.set()
        with self._lock:
            held = [hold.number for hold in self._held]
        if held:
            self._release(held)

    def _release(self, held: list[int]) -> None:
        with suppress(OtrError):
            self._link.ask("Release", wire.HeldParams(held=held), _LONGEST_RELEASE)

    def _renew(self, pause: float) -> None:
        while not self._stop.wait(pause):
            with self._lock:
                held = [hold.number for hold in self._held]
                if not held:
                    self._thread = None
                    return
            # What cannot be renewed now may be the next time; if not, the next question says that it is gone.
            with suppress(OtrError):
                self._link.ask("Renew", wire.HeldParams(held=held), pause)


def joined(
    link: Link,
    state: wire.State,
    streams: Sequence[StreamLike],
    start: TimeLike,
    end: TimeLike,
    align: Align,
    *,
    leave_out_damage: bool,
) -> Joined:
    """The points of several streams in one state, joined here."""
    own = own_streams(link, streams)
    low, high = to_range(start, end)
    params = wire.ValuesParams(state=state, uuid=[stream.uuid.bytes for stream in own], start=low, end=high)
    params.state.leave_out_damage = leave_out_damage
    parts = points_of([stream.kind for stream in own], link.each("Values", params) if own else ())
    return join([Part(stream.uuid, points) for stream, points in zip(own, parts, strict=True)], align)


def found(link: Link, params: wire.FindParams) -> list[Metadata]:
    """What is known of the streams that the server finds."""
    return [metadata_of(told) for answer in link.each("Find", params) for told in answer.streams]


def streams_of(link: Link, params: wire.FindParams) -> list[Stream]:
    """The streams that the server finds."""
    return [Stream(link, metadata.uuid, metadata.kind) for metadata in found(link, params)]
