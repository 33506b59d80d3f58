"""Upkeep: what the rules of an archive ask for as time goes by. Points that are too old are dropped or
thinned, and versions that need not be kept are pruned, also of streams that nobody writes to any more.

The border between what is kept and what goes moves in steps of a sixteenth to an eighth of the age, so that
the leaf it lies in is written again a few times only, and not at every pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.errors import Damaged, NoSuchStream, Thinned
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import align_down
from otrdb.results import Expiry
from otrdb.storage.records import Entry, VersionsPruned
from otrdb.tree import Thinning, bytes_within, thinnable

from .core import committed_of, now_ns
from .findings import damage_found
from .state import StreamState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .engine import Engine
    from .reads import Frozen

_STEPS_SHIFT: Final = 3
"""The border moves by at most 2**-3 of the age, and at least half of that."""

_STREAMS_AT_ONCE: Final = 64
"""Streams pruned by one group: inserts that commit wait for it."""


class _Task(NamedTuple):
    expiry: Expiry
    do: Callable[[], object]


def border(age: int, now: int) -> int:
    """The time before which points go at ``now``: they get at most an eighth older than ``age``, ns."""
    step = max((age >> _STEPS_SHIFT).bit_length() - 1, 0)
    return max(align_down(min(max(now - age, MIN_TIME), MAX_TIME - 1), step), MIN_TIME)


class Upkeep:
    """One pass over the streams of an archive, at one time."""

    def __init__(self, engine: Engine, now: int | None = None) -> None:
        self._engine = engine
        self._core = engine.core
        self._now = now_ns() if now is None else now

    def expired(self) -> list[Expiry]:
        """What would go. Costs two paths for each stream with a retention, and the nodes over what goes or
        may be thinned.
        """
        found: list[Expiry] = []
        damaged = self._each(lambda task: found.append(task.expiry))
        if damaged:
            raise damaged[0]
        return found

    def run(self) -> list[Expiry]:
        """Drop or thin what is too old, a stream at a time, then prune versions; returns what went."""
        gone: list[Expiry] = []

        def do(task: _Task) -> None:
            task.do()
            gone.append(task.expiry)

        damaged = self._each(do)
        self._prune()
        if damaged:
            raise damaged[0]
        return gone

    def _each(self, act: Callable[[_Task], None]) -> list[Damaged]:
        """Act on the tasks of all streams; returns the damage met in some, which stops no other."""
        core, damaged = self._core, list[Damaged]()
        self._engine.refresh()
        with core.lock:
            rules = core.rules
            found = [
                (each, rules.retention(each.metadata), rules.thinning(each.metadata)) for each in core.streams
            ]
        for state, retention, thinning in found:
            try:
                # All of a stream is looked at before any of it goes, as a dry run does.
                for task in list(self._tasks_of(state, retention, thinning)):
                    act(task)
            except Damaged as damage:
                core.note(damage_found(damage))
                damaged.append(damage)
            except NoSuchStream:
                if not state.removed:
                    raise
        return damaged

    def _tasks_of(
        self, state: StreamState, retention: int | None, thinning: tuple[int, int] | None
    ) -> Iterator[_Task]:
        kept_from = MIN_TIME if retention is None else self._whole(state, border(retention, self._now))
        if kept_from > MIN_TIME:
            yield from self._retention(state, kept_from)
        if thinning is not None:
            age, pointwidth = thinning
            before = border(age, self._now)
            if before > kept_from:
                yield from self._thinning(state, Thinning(kept_from, before, pointwidth))

    def _whole(self, state: StreamState, before: int) -> int:
        """The time, or where it divides a window of what was thinned, that window's start."""
        try:
            if before > MIN_TIME:
                self._engine.latest(state).count(MIN_TIME, before)
        except Thinned as divided:
            return divided.start
        return before

    def _retention(self, state: StreamState, before: int) -> Iterator[_Task]:
        latest = self._engine.latest(state)
        points = latest.count(MIN_TIME, before)
        if points:
            size = latest.ask(bytes_within, MIN_TIME, before)
            holders = self._holders(state, lambda held: _has_before(held, before))
            expiry = Expiry(state.metadata.uuid, before, points, size, holders)
            yield _Task(expiry, lambda: self._engine.delete(state, MIN_TIME, before))

    def _thinning(self, state: StreamState, thinning: Thinning) -> Iterator[_Task]:
        found = self._engine.latest(state).ask(thinnable, thinning)
        if found.points:
            holders = self._holders(state, lambda held: held.ask(thinnable, thinning).points > 0)
            expiry = Expiry(
                state.metadata.uuid, thinning.before, found.points, found.bytes, holders, thinning.pointwidth
            )
            yield _Task(expiry, lambda: self._engine.thin(state, thinning, found.children))

    def _holders(self, state: StreamState, holds: Callable[[Frozen], bool]) -> tuple[str, ...]:
        """The named snapshots that go on holding points that go."""
        with self._core.lock:
            snapshots = sorted(self._core.streams.snapshots.items())
        return tuple(
            name
            for name, versions in snapshots
            if state.number in versions and holds(self._engine.at(state, versions[state.number]))
        )

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


def _has_before(held: Frozen, time: int) -> bool:
    try:
        return held.count(MIN_TIME, time) > 0
    except Thinned:
        return True  # a window of what was thinned there reaches beyond
