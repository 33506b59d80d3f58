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

JOURNAL_POINTS = 1 << 18
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
        # A quarter of the journal is the largest record it takes; a point takes 20 bytes of it, or less.
        self._journal_points = min(JOURNAL_POINTS, journal_cap // 128)
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
            self._committer.direct([Batch(state, times, words)], merge)
            with core.lock:
                return Inserted(state.told, int(core.pending.counts[state.number]), True)
        if not count:
            return self._unchanged(state)
        self._pressure.admit()
        times, words = times.copy(), words.copy()  # pending points stay as they were acknowledged
        with core.lock:
            journal = core.writable()
            core.streams.check(state)
            lsn = 0
            late = not checked and core.rules.may_be_thinned(times)
            if not late:
                try:
                    lsn = journal.append(state.numbers, _counts(times), times, words, merge.code)
                    core.pending.add(state, Chunk(lsn, lsn, times, words, merge))
                except BaseException as error:
                    core.interrupted(error)
                    raise
            pending = int(core.pending.counts[state.number])
        if late:
            with core.committing:
                check_not_thinned(core, state, times)
                return self.insert(state, times, words, merge, checked=True)
        durable = journal.acknowledge(lsn)
        # Small inserts look at the limits now and then only: a look costs as much as a tenth of the insert.
        if count > _SMALL or not lsn % _SMALL:
            self._pressure.settle()
        if pending >= state.check_at:
            self._consider(state)
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
        present = [batch for batch in batches if len(batch.times)]
        total = sum(len(batch.times) for batch in present)
        if present and self.worth_commit(present):
            self._core.admit(_LARGEST_POINT * total)
            self._committer.direct(present, merge)
            return InsertedBatch(total, len(present), True)
        known = np.array([batch.state.number for batch in present], np.uint32)
        counts = np.array([len(batch.times) for batch in present], np.uint32)
        times = np.concatenate([np.empty(0, np.int64), *[batch.times for batch in present]])
        words = np.concatenate([np.empty(0, np.int64), *[batch.words for batch in present]])
        durable = self._journal(known, counts, times, words, merge)
        return InsertedBatch(total, len(present), durable)

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
        if len(times) > self._journal_points or len(times) >= COMMIT_POINTS * max(len(known), 1):
            return self.insert_batches(self._split(known, index, times, words), merge)
        self._check(kind, times, words)
        times, words = times.copy(), words.copy()  # pending points stay as they were acknowledged
        durable = self._journal(known[index], None, times, words, merge)
        return InsertedBatch(len(times), int(np.count_nonzero(np.bincount(index))), durable)

    def _split(self, known: Numbers, index: Int64Array, times: Int64Array, words: Int64Array) -> list[Batch]:
        """A wide batch as one batch per stream, each in order of arrival. A stream may be known twice."""
        numbers = known[index]
        order = numbers.argsort(kind="stable")
        present = np.unique(numbers)
        borders = [*numbers[order].searchsorted(present).tolist(), len(order)]
        states = [self._core.streams.existing(number) for number in present.tolist()]
        times, words = times[order], words[order]
        parts = itertools.pairwise(borders)
        return [
            Batch(state, times[low:high], words[low:high])
            for state, (low, high) in zip(states, parts, strict=True)
        ]

    def worth_commit(self, batches: Sequence[Batch]) -> bool:
        """Whether a batch is large enough, for the leaves it touches, to skip the journal."""
        total = sum(len(batch.times) for batch in batches)
        if total > self._journal_points:
            return True
        if total < COMMIT_POINTS:
            return False
        limit = total // POINTS_PER_LEAF
        return sum(self._touched(state, times, limit) for state, times, _ in batches) <= limit

    def _touched(self, state: StreamState, times: Int64Array, limit: int) -> int:
        ascending = bool((times[1:] >= times[:-1]).all())
        era = self._core.segments.era
        root = self._core.roots.committed(state, state.committed.root)
        touched = touched_leaves(state.source, root, times if ascending else np.sort(times), limit)
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
        """One record of many streams: ``counts`` points for each of ``parts``, or one.

        Whoever has ``checked`` that no time is thinned holds ``committing``.
        """
        core = self._core
        if len(times):
            self._pressure.admit()
        numbers = parts if counts is None else np.repeat(parts, counts)
        with core.lock:
            journal = core.writable()
            if not core.streams.alive(numbers):
                raise NoSuchStream("One of the streams was obliterated.")
            if not len(times):
                return True
            late = not checked and core.rules.may_be_thinned(times)
            if not late:
                lsn, crowded = self._journal_now(journal, parts, counts, numbers, times, words, merge)
        if late:
            with core.committing:
                check_none_thinned(core, numbers, times)
                return self._journal(parts, counts, times, words, merge, checked=True)
        durable = journal.acknowledge(lsn)
        self._pressure.settle()
        for state in crowded:
            self._consider(state)
        return durable

    def _journal_now(
        self,
        journal: Journal,
        parts: Numbers,
        counts: Numbers | None,
        numbers: Numbers,
        times: Int64Array,
        words: Int64Array,
        merge: Merge,
    ) -> tuple[int, list[StreamState]]:
        """Append the record; its LSN, and the streams with enough pending points to think of a commit."""
        core = self._core
        try:
            lsn = journal.append(parts, counts, times, words, merge.code)
            settled = core.pending.add_wide(lsn, numbers, times, words, merge)
        except BaseException as error:
            core.interrupted(error)
            raise
        return lsn, self._crowded() if settled else []

    def _crowded(self) -> list[StreamState]:
        """The streams with enough pending points to think of a commit. Asked under the lock."""
        pending = self._core.pending
        states = map(self._core.streams.number, pending.crowded(COMMIT_POINTS))
        return [state for state in states if state and pending.counts[state.number] >= state.check_at]

    def _consider(self, state: StreamState) -> None:
        """Commit the stream if its pending points are worth it."""
        core = self._core
        with core.lock:
            core.pending.absorb(state)
            times = np.concatenate([np.empty(0, np.int64), *[chunk.times for chunk in state.chunks]])
            state.check_at = 2 * max(len(times), COMMIT_POINTS)
        with self._pressure.harmless():
            if self.worth_commit([Batch(state, times, times)]):
                self._committer.pending([state])


def _counts(times: Int64Array) -> UInt32Array | None:
    """How many points the one part of a record has, as the journal takes it."""
    return None if len(times) == 1 else np.array([len(times)], np.uint32)
