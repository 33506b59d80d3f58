"""Inserts: check, journal, pending; or, for a large batch, a commit of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from otrdb import kernels
from otrdb.errors import BadValue, NoSuchStream, TimeOutOfRange
from otrdb.model import Int64Array, Kind, Merge
from otrdb.results import Inserted, InsertedBatch
from otrdb.times import format_ns
from otrdb.tree import touched_leaves

from .commit import Batch, Committer
from .pending import POINT_BYTES, worth_chunks
from .roots import ascending
from .state import COMMIT_POINTS, Chunk
from .thinned import check_none_thinned, check_not_thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.storage.journal import Journal
    from otrdb.storage.journal_records import UInt32Array

    from .core import Core
    from .pending import Numbers
    from .pressure import Pressure
    from .state import StreamState

POINTS_PER_LEAF = 64
"""A commit should bring at least this many points to each leaf it writes again."""

STREAM_POINTS = 2_048
"""A batch is a commit of its own only if it brings so many points to each of its streams on average, or fits
nowhere else: with fewer it is what a stream costs that takes the time, and points that wait for more are
cheaper, though they are written twice.
"""

JOURNAL_POINTS = 1 << 20
"""A batch of more points never goes through the journal."""

_LARGEST_POINT = 16
"""Bytes a point takes in a commit of many, if it cannot be compressed."""

_SMALL = 64
"""Points of a small insert, and how many small inserts pass between looks at the limits."""


class Writer:
    """The way in. Arrays that come in may be the caller's."""

    def __init__(self, core: Core, committer: Committer, pressure: Pressure, journal_cap: int) -> None:
        self._core = core
        self._committer = committer
        self._pressure = pressure
        # A quarter of the journal is the largest record it takes, and a point takes 24 bytes of that at most.
        # What does not fit in the memory for pending points would be committed at once anyway.
        self._journal_points = min(JOURNAL_POINTS, journal_cap // 128, core.budget.pending // POINT_BYTES)
        self._worth_a_thought = min(COMMIT_POINTS, self._journal_points + 1)

    def insert(
        self,
        state: StreamState,
        times: Int64Array,
        words: Int64Array,
        merge: Merge,
        *,
        checked: bool = False,
    ) -> Inserted:
        """Points of one stream, acknowledged when this returns.

        Whoever has ``checked`` that nothing is thinned at their times holds ``committing``.
        """
        core, count = self._core, len(times)
        self._check(state.kind, times, words)
        if count >= self._worth_a_thought and self.worth_commit([Batch(state, times, words)]):
            core.admit(_LARGEST_POINT * count)
            self._direct([Batch(state, times, words)], merge)
            with core.lock:
                return Inserted(state.told, int(core.pending.counts[state.number]), True)
        if not count:
            return self._unchanged(state)
        self._pressure.admit()
        times, words = times.copy(), words.copy()  # pending points stay as they were acknowledged
        with core.lock:
            journal = core.writable()
            core.streams.check(state)
            lsn, followed = 0, False
            late = not checked and core.rules.may_be_thinned(times)
            if not late:
                try:
                    lsn = journal.append(state.numbers, _counts(times), times, words, merge.code)
                    core.pending.add(state, Chunk(lsn, lsn, times, words, merge))
                except BaseException as error:
                    core.interrupted(error)
                    raise
                if core.subscribers.followed:
                    followed = core.subscribers.note(lsn, state.numbers, times, words, merge)
            pending = int(core.pending.counts[state.number])
        if late:
            with core.committing:
                check_not_thinned(core, state, times)
                return self.insert(state, times, words, merge, checked=True)
        durable = journal.acknowledge(lsn)
        if followed:
            core.subscribers.acknowledged(lsn)
        # Small inserts look at the limits now and then only: a look costs as much as a tenth of the insert.
        if count > _SMALL or not lsn % _SMALL:
            self._pressure.settle()
        if pending >= state.check_at:
            self._consider([state])
        return Inserted(state.told, pending, durable)

    def _unchanged(self, state: StreamState) -> Inserted:
        """What an insert of no points does: it needs no room, and makes none."""
        core = self._core
        with core.lock:
            core.writable()
            core.streams.check(state)
            return Inserted(state.told, int(core.pending.counts[state.number]), True)

    def insert_batches(self, batches: Sequence[Batch], merge: Merge) -> InsertedBatch:
        """Points of several streams as one atomic batch."""
        for state, times, words in batches:
            self._check(state.kind, times, words)
        return self._insert_checked([batch for batch in batches if len(batch.times)], merge)

    def _insert_checked(self, batches: Sequence[Batch], merge: Merge) -> InsertedBatch:
        total = sum(len(batch.times) for batch in batches)
        if batches and self.worth_commit(batches):
            self._core.admit(_LARGEST_POINT * total)
            self._direct(batches, merge)
            return InsertedBatch(total, len(batches), True)
        known = np.array([batch.state.number for batch in batches], np.uint32)
        counts = np.array([len(batch.times) for batch in batches], np.uint32)
        times = np.concatenate([np.empty(0, np.int64), *[batch.times for batch in batches]])
        words = np.concatenate([np.empty(0, np.int64), *[batch.words for batch in batches]])
        durable = self._journal(known, counts, times, words, merge)
        return InsertedBatch(total, len(batches), durable)

    def insert_wide(
        self,
        known: Numbers,
        kind: Kind,
        index: Int64Array,
        times: Int64Array,
        words: Int64Array,
        merge: Merge,
    ) -> InsertedBatch:
        """Points of many streams of one kind: point i belongs to stream number ``known[index[i]]``."""
        self._check(kind, times, words)
        if len(times) > self._journal_points or worth_chunks(max(len(known), 1), len(times)):
            return self._insert_checked(self._split(known, index, times, words), merge)
        times, words = times.copy(), words.copy()  # pending points stay as they were acknowledged
        durable = self._journal(known[index], None, times, words, merge)
        return InsertedBatch(len(times), int(np.count_nonzero(np.bincount(index))), durable)

    def _split(self, known: Numbers, index: Int64Array, times: Int64Array, words: Int64Array) -> list[Batch]:
        """A wide batch as one batch per stream, each in order of arrival. A stream may be known twice."""
        numbers = known[index]
        if bool((numbers[1:] < numbers[:-1]).any()):
            # Numbers of 16 bits are sorted in one pass.
            short = numbers.astype(np.uint16) if int(known.max()) < 1 << 16 else numbers
            order = short.argsort(kind="stable")
            numbers, times, words = numbers[order], times[order], words[order]
        borders = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        states = map(self._core.streams.existing, numbers[borders[:-1]].tolist())
        return [
            Batch(state, times[low:high], words[low:high])
            for state, (low, high) in zip(states, itertools.pairwise(borders), strict=True)
        ]

    def _direct(self, batches: Sequence[Batch], merge: Merge) -> None:
        self._committer.direct(batches, merge)
        if self._core.subscribers.followed:
            self._core.subscribers.committed(batches, merge)

    def worth_commit(self, batches: Sequence[Batch]) -> bool:
        """Whether a batch is large enough, for its streams and the leaves it touches, to skip the journal."""
        total = sum(len(batch.times) for batch in batches)
        if total > self._journal_points:
            return True
        if total < max(COMMIT_POINTS, STREAM_POINTS * len(batches)):
            return False
        limit = total // POINTS_PER_LEAF
        return sum(self._touched(state, times, limit) for state, times, _ in batches) <= limit

    def _touched(self, state: StreamState, times: Int64Array, limit: int) -> int:
        era = self._core.segments.era
        root = self._core.roots.committed(state, state.committed.root)
        touched = touched_leaves(state.source, root, ascending(times), limit)
        del era  # until here blocks were read while others may compact
        return touched

    def _check(self, kind: Kind, times: Int64Array, words: Int64Array) -> None:
        low, high = self._core.accept
        _, bad_time, bad_value = kernels.check_points(times, words, kind is Kind.FLOAT, low, high)
        if bad_time >= 0:
            time = int(times[bad_time])
            raise TimeOutOfRange(
                f"Point {bad_time} has time {time} ({format_ns(time)}), which is not accepted."
            )
        if bad_value >= 0:
            raise BadValue(f"Value {bad_value} is not finite.")

    def _journal(
        self,
        parts: Numbers,
        counts: Numbers | None,
        times: Int64Array,
        words: Int64Array,
        merge: Merge,
        *,
        checked: bool = False,
    ) -> bool:
        """One record of many streams: ``counts`` points for each of ``parts``, or one. The arrays are kept.

        Whoever has ``checked`` that no time is thinned holds ``committing``.
        """
        core = self._core
        if len(times):
            self._pressure.admit()
        with core.lock:
            journal = core.writable()
            if not core.streams.alive(parts):
                raise NoSuchStream("One of the streams was obliterated.")
            if not len(times):
                return True
            late = not checked and core.rules.may_be_thinned(times)
            if not late:
                lsn, crowded = self._journal_now(journal, parts, counts, times, words, merge)
                subscribers = core.subscribers
                followed = bool(subscribers.followed) and subscribers.note(
                    lsn, _each(parts, counts), times, words, merge
                )
        if late:
            with core.committing:
                check_none_thinned(core, _each(parts, counts), times)
                return self._journal(parts, counts, times, words, merge, checked=True)
        durable = journal.acknowledge(lsn)
        if followed:
            core.subscribers.acknowledged(lsn)
        self._pressure.settle()
        self._consider(crowded)
        return durable

    def _journal_now(
        self,
        journal: Journal,
        parts: Numbers,
        counts: Numbers | None,
        times: Int64Array,
        words: Int64Array,
        merge: Merge,
    ) -> tuple[int, list[StreamState]]:
        """Append the record; its LSN, and the streams with enough pending points to think of a commit."""
        core = self._core
        try:
            lsn = journal.append(parts, counts, times, words, merge.code)
            if counts is not None and worth_chunks(len(parts), len(times)):
                states = map(core.streams.existing, parts.tolist())
                settled = core.pending.add_parts(states, lsn, counts, times, words, merge)
            else:
                settled = core.pending.add_wide(lsn, _each(parts, counts), times, words, merge)
        except BaseException as error:
            core.interrupted(error)
            raise
        return lsn, self._crowded() if settled else []

    def _crowded(self) -> list[StreamState]:
        """The streams with enough pending points to think of a commit. Asked under the lock."""
        pending = self._core.pending
        states = map(self._core.streams.number, pending.crowded(COMMIT_POINTS))
        return [state for state in states if state and pending.counts[state.number] >= state.check_at]

    def _consider(self, states: Sequence[StreamState]) -> None:
        """Commit those of the streams whose pending points are worth it."""
        worth = []
        for state in states:
            with self._pressure.harmless():
                if self._is_worth(state):
                    worth.append(state)
        if worth:
            with self._pressure.harmless():
                self._pressure.commit(worth)

    def _is_worth(self, state: StreamState) -> bool:
        core = self._core
        with core.lock:
            core.pending.absorb(state)
            times = np.concatenate([np.empty(0, np.int64), *[chunk.times for chunk in state.chunks]])
            state.check_at = 2 * max(len(times), COMMIT_POINTS)
        return self.worth_commit([Batch(state, times, times)])


def _each(parts: Numbers, counts: Numbers | None) -> Numbers:
    """The stream number of each point of a record."""
    return parts if counts is None else np.repeat(parts, counts)


def _counts(times: Int64Array) -> UInt32Array | None:
    """How many points the one part of a record has, as the journal takes it."""
    return None if len(times) == 1 else np.array([len(times)], np.uint32)
