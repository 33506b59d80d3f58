"""Upkeep: what the rules of an archive ask for as time goes by. Points that are too old are dropped, and
versions that need not be kept are pruned, also of streams that nobody writes to any more.

The border between what is kept and what goes moves in steps of a sixteenth to an eighth of the retention, so
that the leaf it lies in is written again a few times only, and not at every pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import align_down
from otrdb.results import Expiry
from otrdb.storage.records import Entry, VersionsPruned
from otrdb.tree import bytes_within

from .core import committed_of, now_ns
from .state import StreamState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Engine

_STEPS_SHIFT: Final = 3
"""The border moves by at most 2**-3 of the retention, and at least half of that."""

_STREAMS_AT_ONCE: Final = 64
"""Streams pruned by one group: inserts that commit wait for it."""


class _Old(NamedTuple):
    state: StreamState
    expiry: Expiry


def border(retention: int, now: int) -> int:
    """The time before which points go at ``now``: they get at most an eighth older than ``retention``, ns."""
    step = max((retention >> _STEPS_SHIFT).bit_length() - 1, 0)
    return max(align_down(min(max(now - retention, MIN_TIME), MAX_TIME - 1), step), MIN_TIME)


class Upkeep:
    """One pass over the streams of an archive, at one time."""

    def __init__(self, engine: Engine, now: int | None = None) -> None:
        self._engine = engine
        self._core = engine.core
        self._now = now_ns() if now is None else now

    def expired(self) -> list[Expiry]:
        """What would go. Costs two paths for each stream with a retention, and the nodes over what goes."""
        return [old.expiry for old in self._old()]

    def run(self) -> list[Expiry]:
        """Drop what is too old, a stream at a time, then prune versions; returns what went."""
        gone = []
        for state, expiry in self._old():
            self._engine.delete(state, MIN_TIME, expiry.before)
            gone.append(expiry)
        self._prune()
        return gone

    def _old(self) -> Iterator[_Old]:
        core = self._core
        with core.lock:
            states = [(state, core.rules.retention(state.metadata)) for state in core.streams]
        for state, retention in states:
            if retention is not None and not state.removed:
                before = border(retention, self._now)
                expiry = self._expiry(state, before) if before > MIN_TIME else None
                if expiry is not None:
                    yield _Old(state, expiry)

    def _expiry(self, state: StreamState, before: int) -> Expiry | None:
        latest = self._engine.latest(state)
        points = latest.count(MIN_TIME, before)
        if not points:
            return None
        size = latest.ask(bytes_within, MIN_TIME, before)
        return Expiry(state.metadata.uuid, before, points, size, tuple(self._holders(state, before)))

    def _holders(self, state: StreamState, before: int) -> Iterator[str]:
        """The named snapshots that go on holding points from before."""
        with self._core.lock:
            snapshots = sorted(self._core.streams.snapshots.items())
        for name, versions in snapshots:
            if state.number in versions:
                held = self._engine.at(state, versions[state.number])
                if held.count(MIN_TIME, before):
                    yield name

    def _prune(self) -> None:
        """Streams that are written to are pruned by their commits; here it is the turn of the others too."""
        numbers = self._core.catalog.with_older_versions()
        for first in range(0, len(numbers), _STREAMS_AT_ONCE):
            with self._core.committing:
                self._prune_some(numbers[first : first + _STREAMS_AT_ONCE])

    def _prune_some(self, numbers: list[int]) -> None:
        core, pruned = self._core, list[tuple[StreamState, list[int]]]()
        for state in filter(None, map(core.streams.number, numbers)):
            versions = [committed_of(version) for version in core.catalog.versions(state.number)]
            gone = core.prunable(state, versions, self._now)
            if gone:
                pruned.append((state, gone))
        if pruned:
            entries: list[Entry] = [VersionsPruned(state.number, tuple(gone)) for state, gone in pruned]
            self._engine.committer.entries(entries)
            with core.lock:
                for state, _ in pruned:
                    state.versions = None
