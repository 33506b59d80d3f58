"""Snapshots: all streams as they were at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from otrdb.closing import Closing
from otrdb.errors import ClosedArchive
from otrdb.joined import Joined, Part, join
from otrdb.model import MAX_TIME, MIN_TIME, Kind

from .check import check_states
from .reads import Frozen, Reads
from .salvage import Partial, strict
from .state import StreamState
from .stream import Stream, own_streams

if TYPE_CHECKING:
    from otrdb.interface import Align, StreamLike
    from otrdb.results import Finding
    from otrdb.times import TimeLike

    from .engine import Engine

Resolve = Callable[[StreamState], Frozen]
Holds = Callable[[StreamState], bool]


class Snapshot(Closing):
    """A consistent state of all streams; a context manager. Free, without a name, until streams change.

    Example:
        >>> import otrdb, tempfile
        >>> db = otrdb.open(tempfile.mkdtemp())
        >>> heat = db.create("plant")
        >>> _ = heat.insert(1, 20.5)
        >>> with db.snapshot() as snapshot:
        ...     _ = heat.insert(2, 20.7)
        ...     snapshot.view(heat).count(), heat.count()
        (1, 2)
    """

    def __init__(self, engine: Engine, name: str | None, resolve: Resolve, holds: Holds) -> None:
        self.engine = engine
        self._resolve: Resolve | None = resolve
        self._holds = holds
        self.name = name

    def __repr__(self) -> str:
        return f"<Snapshot {self.name or 'of a moment'}>"

    def streams(self) -> list[Stream]:
        """The streams that existed then and still do, by collection, name and uuid."""
        core = self.engine.core
        with core.lock:
            core.check_open()
            found = [(state.metadata, state) for state in core.streams if self._holds(state)]
        found.sort(key=lambda each: (each[0].collection, each[0].tags.get("name", ""), each[0].uuid))
        return [Stream(self.engine, state) for _, state in found]

    def view(self, stream: StreamLike) -> SnapshotView:
        """That ``stream`` as it was then: it takes all questions a stream does. `NoSuchStream` if it was not
        there.
        """
        (own,) = own_streams(self.engine, [stream])
        self.frozen(own.state)
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
        """The points of several ``streams`` in ``[start, end)`` (ns) of that moment, joined on time.

        ``align`` is "outer", "inner" or "long", ``leave_out_damage`` whether damage shortens the answer, both
        as for `Archive.values`.
        """
        own = own_streams(self.engine, streams)
        views: list[Reads] = [self.view(stream) for stream in own]
        if leave_out_damage:
            views = [Partial(self.engine, view) for view in views]
        parts = [Part(stream.uuid, view.values(start, end)) for stream, view in zip(own, views, strict=True)]
        return join(parts, align)

    def check(self, *, deep: bool = True) -> Iterator[Finding]:
        """Verify the state of all streams, yielding what is wrong; ``deep`` as for `Archive.check`."""
        states = [stream.state for stream in self.streams()]
        return check_states(self.engine, states, self.frozen, deep=deep)

    def frozen(self, state: StreamState) -> Frozen:
        """The state of a stream."""
        if self._resolve is None:
            raise ClosedArchive("This snapshot has been closed.", advice="Take another one.")
        return self._resolve(state)

    def close(self) -> None:
        """Let go of the state. A named snapshot stays in the archive."""
        self._resolve = None


class SnapshotView(Reads):
    """One stream in a snapshot."""

    __slots__ = ("_snapshot", "_stream")

    def __init__(self, snapshot: Snapshot, stream: Stream) -> None:
        self._snapshot = snapshot
        self._stream = stream

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self._stream.kind

    def leaving_out_damage(self) -> Partial:
        """The same, whose answers leave out what is damaged and say so: see `Partial`."""
        return Partial(self._snapshot.engine, self)

    def _frozen(self) -> Frozen:
        return strict(self._snapshot.engine, self._snapshot.frozen(self._stream.state))
