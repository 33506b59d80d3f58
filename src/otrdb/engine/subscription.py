"""The public handle of a subscription."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import TYPE_CHECKING, NamedTuple

from otrdb.closing import Closing
from otrdb.columns import decode
from otrdb.errors import ClosedArchive, FellBehind, ReadOnly

from .stream import Stream, own_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from otrdb.interface import StreamLike
    from otrdb.model import Array, Int64Array, Merge

    from .engine import Engine
    from .subscribers import Notice


class Arrival(NamedTuple):
    """One acknowledged batch, or the end of a stream, as a subscription is told.

    `points` are the times and values of each followed stream in it, as they were inserted and in that order,
    under the policy `merge`: what `Archive.insert` takes. The arrays are read-only. `obliterated` are streams
    that are gone, and of which nothing more will come; then there are no points.

    Example:
        >>> import otrdb, tempfile
        >>> db, copy = otrdb.open(tempfile.mkdtemp()), otrdb.open(tempfile.mkdtemp())
        >>> heat, there = db.create("plant"), copy.create("plant")
        >>> with db.subscribe([heat]) as subscription:
        ...     _ = heat.insert([2, 1], [20.5, 20.7], merge="retain")
        ...     points, merge, _ = subscription.get()
        >>> copy.insert({there: points[heat]}, merge=merge).points
        2
    """

    points: dict[Stream, tuple[Int64Array, Array]]
    merge: Merge
    obliterated: tuple[Stream, ...]


class Subscription(Closing):
    """What `Archive.subscribe` gives: iterating yields an `Arrival` for each batch that is acknowledged,
    until the archive or the subscription is closed. A context manager.

    Safe to use from several threads; each arrival goes to one of them.

    Example:
        >>> import otrdb, tempfile
        >>> with otrdb.open(tempfile.mkdtemp()) as db:
        ...     heat = db.create("plant")
        ...     subscription = db.subscribe([heat])
        ...     _ = heat.insert([1, 2], [20.5, 20.7])
        ...     _ = heat.insert(3, 20.9)
        >>> [arrival.points[heat][1].tolist() for arrival in subscription]
        [[20.5, 20.7], [20.9]]
    """

    def __init__(
        self, engine: Engine, streams: Sequence[StreamLike], wake: Callable[[], None] | None
    ) -> None:
        engine.check_open()
        if engine.core.journal is None:
            raise ReadOnly(
                "Only the process that writes an archive knows what is acknowledged.",
                advice="Subscribe there, or to its server; a reader sees new points whenever it asks.",
            )
        self.streams_by_number: dict[int, Stream] = {}
        """What is followed. Replaced when it changes: what waits was told with what was followed then."""
        self._engine = engine
        self._subscribers = engine.core.subscribers
        self._changed = Condition(self._subscribers.lock)
        self._wake = wake
        self._waiting: deque[tuple[Notice, dict[int, Stream]]] = deque()
        self._held: Notice | None = None
        """The last that was taken: it counts as waiting until the next is asked for."""
        self._ended = False
        self._error: Exception | None = None
        self.add(streams)

    def __repr__(self) -> str:
        return f"<Subscription to {len(self.streams_by_number)} streams>"

    def __iter__(self) -> Iterator[Arrival]:
        while (arrival := self.get()) is not None:
            yield arrival

    @property
    def streams(self) -> list[Stream]:
        """The streams that are followed."""
        return list(self.streams_by_number.values())

    @property
    def ended(self) -> bool:
        """Whether nothing more comes, besides what waits to be taken: it is closed or cut off, or the archive
        is closed.
        """
        return self._ended

    def add(self, streams: Sequence[StreamLike]) -> None:
        """Follow these streams too, from now on: every batch whose insert begins after this returns is told.

        Of points inserted earlier a question asked after this returns knows; so whoever subscribes first and
        then reads has everything, some of it twice. A stream that has been obliterated is told of as such.
        `ClosedArchive` if the subscription has ended, or `FellBehind`.
        """
        own = own_streams(self._engine, streams)
        with self._engine.core.lock:
            self._engine.check_open()
            self._raise_error()
            if self._ended:
                raise ClosedArchive("The subscription is closed.", advice="Subscribe again.")
            wake = self._subscribers.join(self, own)
        if wake:
            self.wake()

    def remove(self, streams: Sequence[StreamLike]) -> None:
        """Follow these streams no longer. What was acknowledged before still comes."""
        self._engine.check_open()
        self._subscribers.drop(self, own_streams(self._engine, streams))

    def get(self, timeout: float | None = None) -> Arrival | None:
        """The next arrival. Waits for it, or only ``timeout`` seconds; None if there was none, or none will
        come any more (`ended`).

        Raises `FellBehind` once the subscription was cut off: what it had not taken is gone.
        """
        core = self._engine.core
        if core.forked:
            core.check_open()
        with self._changed:
            self._let_go()
            self._changed.wait_for(lambda: self._waiting or self._ended, timeout)
            if not self._waiting:
                self._raise_error()
                return None
            notice, streams = self._waiting.popleft()
            self._held = notice
        return _arrival(notice, streams)

    def close(self) -> None:
        """Follow nothing any more, and let go of what waits. May be called again."""
        if not self._engine.core.forked:
            self._subscribers.leave(self)
            with self._changed:
                self.end()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._subscribers.taken(self, held)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    # --- what the archive does, under the lock of the subscribers unless it says otherwise

    @property
    def oldest(self) -> Notice | None:
        """What has been kept for it longest."""
        return self._held or (self._waiting[0][0] if self._waiting else None)

    def put(self, notice: Notice, streams: dict[int, Stream]) -> bool:
        """Let ``notice`` wait; returns whether it is the first, so that somebody must be woken."""
        self._waiting.append((notice, streams))
        self._changed.notify()
        return len(self._waiting) == 1

    def given_up(self) -> list[Notice]:
        """Let go of everything that is kept for it; returns what that was."""
        kept = [notice for notice, _ in self._waiting]
        held, self._held = self._held, None
        self._waiting.clear()
        return kept if held is None else [held, *kept]

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._changed.notify_all()

    def cut_off(self) -> None:
        """It was too slow."""
        self._error = FellBehind("The subscription was cut off: more arrived than there is memory for.")
        self.end()

    def wake(self) -> None:
        """Call who asked to be called, without any lock. No insert may fail for what goes wrong there."""
        if self._wake is not None:
            try:
                self._wake()
            except Exception as error:  # noqa: BLE001  (told to whoever asks for the next arrival)
                self._subscribers.leave(self)
                with self._changed:
                    self._error = error
                    self.end()


def _arrival(notice: Notice, streams: dict[int, Stream]) -> Arrival:
    if not notice.borders:
        return Arrival({}, notice.merge, tuple(streams[number] for number in notice.numbers))
    points = {}
    for number, times, words in notice.parts():
        stream = streams.get(number)
        if stream is not None:
            values = decode(stream.kind, words)
            values.flags.writeable = False
            points[stream] = times, values
    return Arrival(points, notice.merge, ())
