"""Moments: one LSN at which all streams are held, at no cost until they change."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING
from weakref import WeakSet

from .state import Prefix, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from .versions import Committed


class Moment:
    """The state of all streams as of ``lsn``. What is committed afterwards leaves its old state here."""

    __slots__ = ("__weakref__", "_pinned", "lsn", "streams")

    def __init__(self, lsn: int, streams: int) -> None:
        self.lsn = lsn
        self.streams = streams
        """Streams with a smaller number existed."""
        self._pinned: dict[int, Prefix] = {}

    def prefix(self, state: StreamState) -> Prefix:
        """The state of a stream, all its wide batches absorbed, at this moment."""
        pinned = self._pinned.get(state.number)
        return pinned if pinned is not None else _prefix_at(state, self.lsn)

    def pin(self, state: StreamState, applied: int | None) -> None:
        """Keep the state of a stream that is about to change, unless it holds what is ``applied``."""
        if self.follows(state):
            committed, chunks, length = _prefix_at(state, self.lsn)
            if applied is None or length < applied:
                self._pinned[state.number] = Prefix(committed, chunks[:length], length)

    def repoint(self, state: StreamState, moved: Callable[[Committed], Committed]) -> None:
        """The trees of the stream have been moved."""
        pinned = self._pinned.get(state.number)
        if pinned is not None:
            self._pinned[state.number] = pinned._replace(committed=moved(pinned.committed))

    def pinned(self, state: StreamState) -> Committed | None:
        """The committed state that is kept of a stream, if one had to be."""
        pinned = self._pinned.get(state.number)
        return None if pinned is None else pinned.committed

    def follows(self, state: StreamState) -> bool:
        """Whether the stream existed and has not changed since, so that nothing of it had to be kept."""
        return state.number < self.streams and state.number not in self._pinned


def _prefix_at(state: StreamState, lsn: int) -> Prefix:
    length = bisect_right(state.chunks, lsn, key=lambda chunk: chunk.lsn)
    state.fixed = max(state.fixed, length)
    return Prefix(state.committed, state.chunks, length)


class Moments:
    """The moments somebody holds. Used under the archive's lock."""

    def __init__(self) -> None:
        self._held: WeakSet[Moment] = WeakSet()

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, lsn: int, streams: int) -> Moment:
        """Hold the state as of ``lsn``, for as long as the moment is referred to."""
        moment = Moment(lsn, streams)
        self._held.add(moment)
        return moment

    def lsns(self) -> list[int]:
        """The LSNs of the moments held."""
        return sorted({moment.lsn for moment in self._held})

    def pin(self, state: StreamState, applied: int | None = None) -> None:
        """``state`` is about to get another committed root or another list of chunks.

        If the root holds just what the first ``applied`` chunks were, whoever holds those goes along.
        """
        for moment in self._held:
            moment.pin(state, applied)

    def pinned(self, state: StreamState) -> list[Committed]:
        """The committed states of a stream that only moments hold."""
        return [pinned for moment in self._held if (pinned := moment.pinned(state)) is not None]

    def repoint(self, state: StreamState, moved: Callable[[Committed], Committed]) -> None:
        """The trees of the stream have been moved."""
        for moment in self._held:
            moment.repoint(state, moved)

    def lengths(self, state: StreamState) -> list[int]:
        """How many of the pending chunks of ``state`` are part of a moment: each number once, without 0."""
        held = {moment.prefix(state).length for moment in self._held if moment.follows(state)}
        return sorted(held - {0})
