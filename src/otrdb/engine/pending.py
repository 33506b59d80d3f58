"""Pending points: acknowledged, in the journal, not yet in a tree.

Batches of one stream go straight to its chunks, and so do those of several with many points for each. Other
wide batches (one record, many streams) stay columns over all streams and cost the same whatever the number of
streams; a stream takes its share over when it is asked for (`Pending.absorb`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from otrdb.model import BoolArray, Int64Array, Merge

from .state import Chunk, StreamState

if TYPE_CHECKING:
    from collections.abc import Iterable

Numbers = npt.NDArray[np.uint32]

_RUN_POINT_BYTES = 29
"""What a point takes in a run: stream, LSN, time, value, merge policy."""

POINT_BYTES = 16
"""What a point takes in a chunk."""

_CHUNK_BYTES = 400
"""What a chunk takes besides its points."""

_MERGE_AT = 16
"""Runs of about one size are merged when there are this many of them."""

_WAITING_POINTS = 1 << 14
"""Wide batches wait until there are 16 of them, or so many points."""

_CHUNKS = 64
"""Chunks of a stream are merged when there are so many."""

_MERGES = tuple(Merge)


def worth_chunks(streams: int, points: int) -> bool:
    """Whether a wide batch takes less memory as a chunk for each of its streams than as a run.

    Example:
        >>> worth_chunks(2_000, 2_000), worth_chunks(2_000, 500_000)
        (False, True)
    """
    return points * (_RUN_POINT_BYTES - POINT_BYTES) >= streams * _CHUNK_BYTES


class Run:
    """Points of many streams, sorted by (stream, arrival)."""

    __slots__ = ("lsns", "merges", "newest", "numbers", "times", "words")

    def __init__(
        self,
        numbers: Numbers,
        lsns: Int64Array,
        times: Int64Array,
        words: Int64Array,
        merges: npt.NDArray[np.uint8],
    ) -> None:
        if bool((numbers[1:] < numbers[:-1]).any()):
            order = numbers.argsort(kind="stable")
            numbers, lsns, times = numbers[order], lsns[order], times[order]
            words, merges = words[order], merges[order]
        self.numbers = numbers
        self.lsns = lsns
        self.times = times
        self.words = words
        self.merges = merges
        self.newest = int(lsns.max(initial=0))
        """The newest LSN in it."""

    def chunks(self, number: int, after: int) -> list[Chunk]:
        """The share of stream ``number`` newer than LSN ``after``, a chunk per record."""
        low, high = self.numbers.searchsorted((number, number + 1))
        low += int(self.lsns[low:high].searchsorted(after, side="right"))
        if low == high:
            return []
        lsns = self.lsns[low:high]
        borders = [0, *(np.flatnonzero(np.diff(lsns)) + 1).tolist(), high - low]
        return [
            Chunk(
                int(lsns[first]),
                int(lsns[first]),
                # Copies, which do not keep the points of all other streams alive.
                self.times[low + first : low + last].copy(),
                self.words[low + first : low + last].copy(),
                _MERGES[self.merges[low + first]],
            )
            for first, last in itertools.pairwise(borders)
        ]


class _Wide(NamedTuple):
    """A batch over many streams as it came: point i belongs to stream ``numbers[i]``."""

    lsn: int
    numbers: Numbers
    times: Int64Array
    words: Int64Array
    merge: Merge


class Pending:
    """The pending points of all streams. Not thread-safe: used under the archive's lock."""

    def __init__(self) -> None:
        self._counts = np.zeros(64, np.int64)
        self._waiting: list[_Wide] = []
        """The newest wide batches, neither sorted nor counted yet: `settle` does that for several at once."""
        self.points = 0
        self.chunks = 0
        """Chunks of all streams together."""
        self._in_chunks = 0
        """Points in these chunks."""
        self._in_runs = 0
        """Points in runs and waiting batches, still wanted or not."""
        self._released = np.zeros(64, np.int64)
        """By stream number: wide batches up to this LSN are absorbed, committed or gone."""
        self._runs: list[list[Run]] = []
        """Tiers of runs; a tier's runs are about 16 times as long as those of the one before."""
        self._newest_wide = 0
        self.following = False
        """Whether commits are made elsewhere: then points stay by record, since any LSN may become applied.
        """
        self.barriers: list[int] = []
        """LSNs at which somebody holds a state: chunks on both sides of one are never merged."""

    @property
    def counts(self) -> Int64Array:
        """Pending points by stream number."""
        self.settle()
        return self._counts

    @property
    def memory(self) -> int:
        """Bytes of the points, about."""
        chunks = POINT_BYTES * self._in_chunks + _CHUNK_BYTES * self.chunks
        return _RUN_POINT_BYTES * self._in_runs + chunks

    def reserve(self, number: int) -> None:
        """Make room for stream ``number``."""
        if number >= len(self._counts):
            more = np.zeros(max(number + 1, 2 * len(self._counts)) - len(self._counts), np.int64)
            self._counts = np.concatenate([self._counts, more])
            self._released = np.concatenate([self._released, more])

    def add(self, state: StreamState, chunk: Chunk) -> None:
        """A batch of one stream. The arrays are kept by reference."""
        state.chunks.append(chunk)
        self.chunks += 1
        self._counts[state.number] += len(chunk.times)
        self.points += len(chunk.times)
        self._in_chunks += len(chunk.times)
        if len(state.chunks) - state.consolidated >= _CHUNKS:
            self.consolidate(state)

    def add_parts(
        self,
        states: Iterable[StreamState],
        lsn: int,
        counts: Numbers,
        times: Int64Array,
        words: Int64Array,
        merge: Merge,
    ) -> bool:
        """A batch over several ``states``, ``counts`` points for each: a chunk each, copied. Returns like
        `add_wide`.
        """
        end = 0
        for state, count in zip(states, counts.tolist(), strict=True):
            begin, end = end, end + count
            # Copies, which do not keep the points of all other streams alive.
            columns = times[begin:end].copy(), words[begin:end].copy()
            self.add(state, Chunk(lsn, lsn, *columns, merge))
        return True

    def add_wide(
        self, lsn: int, numbers: Numbers, times: Int64Array, words: Int64Array, merge: Merge
    ) -> bool:
        """A batch over many streams: point i belongs to stream ``numbers[i]``. The arrays are kept.

        Returns whether batches were settled, so that `counts` is worth a look.
        """
        waiting = [*self._waiting, _Wide(lsn, numbers, times, words, merge)]
        points, in_runs = self.points + len(numbers), self._in_runs + len(numbers)
        self._waiting, self._newest_wide, self.points, self._in_runs = waiting, lsn, points, in_runs
        enough = len(self._waiting) >= _MERGE_AT or len(numbers) >= _WAITING_POINTS
        if enough:
            self.settle()
        return enough

    def settle(self) -> None:
        """Sort and count the wide batches that wait for it."""
        if self._waiting:
            lsns, numbers, times, words, merges = zip(*self._waiting, strict=True)
            sizes = list(map(len, numbers))
            run = Run(
                np.concatenate(numbers),
                np.repeat(np.array(lsns, np.int64), sizes),
                np.concatenate(times),
                np.concatenate(words),
                np.repeat(np.array([merge.code for merge in merges], np.uint8), sizes),
            )
            runs, counts = self._with(run, tier=int(len(sizes) >= _MERGE_AT)), self._counted(run)
            held = _points_in(runs)
            # Nothing that an interrupt could come between: these points are acknowledged.
            self._runs, self._counts, self._waiting, self._in_runs = runs, counts, [], held

    def add_run(
        self, numbers: Numbers, lsns: Int64Array, times: Int64Array, words: Int64Array, merge: Merge
    ) -> None:
        """Points of several records, in order of arrival: each with the number of its stream and its LSN."""
        self.settle()
        run = Run(numbers, lsns, times, words, np.full(len(numbers), merge.code, np.uint8))
        points, newest = self.points + len(numbers), int(lsns[-1])
        runs, counts = self._with(run, tier=0), self._counted(run)
        self._runs, self._counts, self.points, self._newest_wide = runs, counts, points, newest
        self._in_runs = _points_in(runs)

    def _counted(self, run: Run) -> Int64Array:
        return self._counts + np.bincount(run.numbers, minlength=len(self._counts))

    def supersede(self, state: StreamState, chunk: Chunk) -> None:
        """``chunk`` stands for everything of ``state`` through its LSN."""
        self.drop(state)
        self._released[state.number] = chunk.lsn
        self.add(state, chunk)

    def _with(self, run: Run, tier: int) -> list[list[Run]]:
        """The tiers of runs with another one; full tiers are merged."""
        runs = [list(each) for each in self._runs]
        while True:
            runs += [[] for _ in range(tier + 1 - len(runs))]
            runs[tier].append(run)
            if len(runs[tier]) < _MERGE_AT:
                return runs
            run, runs[tier] = self._merged(runs[tier]), []
            if not len(run.numbers):
                return runs
            tier += 1

    def _merged(self, runs: list[Run]) -> Run:
        """One run of what is still wanted of several, in order of arrival."""
        live = [self._wanted(run) for run in runs]
        columns = [
            np.concatenate([getattr(run, name)[keep] for run, keep in zip(runs, live, strict=True)])
            for name in ("numbers", "lsns", "times", "words", "merges")
        ]
        return Run(*columns)

    def _wanted(self, run: Run) -> BoolArray:
        """Which of the run's points no stream has taken over yet."""
        return run.lsns > self._released[run.numbers]

    def sweep(self) -> None:
        """Let go of the runs of which nothing is wanted any more."""
        self.settle()
        self._runs = [[run for run in tier if self._wanted(run).any()] for tier in self._runs]
        self._in_runs = _points_in(self._runs)

    def absorb(self, state: StreamState) -> None:
        """Give ``state`` its share of the wide batches as chunks, in order of arrival."""
        if state.absorbed >= self._newest_wide:
            return
        self.settle()
        after = max(int(self._released[state.number]), state.absorbed)
        found = [
            chunk
            for tier in self._runs
            for run in tier
            if run.newest > after
            for chunk in run.chunks(state.number, after)
        ]
        if found:
            tail = sorted([*state.chunks[state.fixed :], *found], key=lambda chunk: chunk.lsn)
            state.chunks[state.fixed :] = tail
            self.chunks += len(found)
            self._in_chunks += _points_of(found)
        state.absorbed = self._newest_wide
        if not self.following:
            self._released[state.number] = self._newest_wide
        if len(state.chunks) - state.consolidated >= _CHUNKS:
            self.consolidate(state)

    def applied(self, state: StreamState, lsn: int) -> None:
        """A writer elsewhere committed ``state`` through ``lsn``: what is newer is still pending."""
        self._released[state.number] = max(lsn, int(self._released[state.number]))
        state.chunks = [chunk for chunk in state.chunks if chunk.lsn > lsn]
        state.fixed = state.consolidated = 0

    def recount(self, states: Iterable[StreamState]) -> None:
        """Count the pending points anew, after commits of a writer elsewhere."""
        self.counts[:] = 0
        for state in states:
            self.absorb(state)
            self.counts[state.number] = _points_of(state.chunks)
        self.points = self._in_chunks = int(self.counts.sum())
        self.chunks = sum(len(state.chunks) for state in states)

    def release(self, state: StreamState, chunks: list[Chunk]) -> None:
        """``chunks`` of ``state`` are pending no more."""
        count = _points_of(chunks)
        self.counts[state.number] -= count
        self.points -= count
        self._in_chunks -= count
        self.chunks -= len(chunks)

    def drop(self, state: StreamState) -> None:
        """Forget all that is pending for ``state``."""
        self.points -= int(self.counts[state.number])
        self.chunks -= len(state.chunks)
        self._in_chunks -= _points_of(state.chunks)
        self.counts[state.number] = 0
        self._released[state.number] = self._newest_wide
        state.chunks = []
        state.fixed = state.consolidated = 0

    def oldest_wide(self) -> int | None:
        """The oldest LSN of a wide batch that some stream has not taken over yet."""
        self.settle()
        oldest = [
            int(run.lsns[live].min())
            for tier in self._runs
            for run in tier
            if (live := self._wanted(run)).any()
        ]
        return min(oldest, default=None)

    def streams(self) -> list[int]:
        """The numbers of the streams with pending points, those with most first."""
        counts = self.counts
        found = np.flatnonzero(counts)
        return found[np.argsort(-counts[found], kind="stable")].tolist()  # type: ignore[no-any-return]

    def crowded(self, points: int) -> list[int]:
        """The numbers of the streams with so many pending points, or more."""
        return np.flatnonzero(self.counts >= points).tolist()

    def consolidate(self, state: StreamState, *, everything: bool = False) -> None:
        """Merge the newest chunks, or all, so that small inserts do not cost an object each for long.

        Whoever holds a prefix keeps its list; a commit that is under way counts in the one there is.
        """
        if self.following:
            return
        # A wide batch may have arrived between two of the chunks, and must stay between them.
        self.absorb(state)
        start = state.fixed if state.planned else 0 if everything else state.consolidated
        merged = self._grouped(state.chunks[start:])
        self.chunks -= len(state.chunks) - start - len(merged)
        if start < state.fixed:
            state.chunks = [*state.chunks[:start], *merged]
            state.fixed = 0
        else:
            state.chunks[start:] = merged
        state.consolidated = len(state.chunks)

    def _grouped(self, chunks: list[Chunk]) -> list[Chunk]:
        """The same points in as few chunks as may be."""
        merged: list[Chunk] = []
        group: list[Chunk] = []
        for chunk in chunks:
            if group and (group[-1].merge is not chunk.merge or self._divided(group[-1].lsn, chunk.lsn)):
                merged.append(combined(group))
                group = []
            group.append(chunk)
        return [*merged, combined(group)] if group else merged

    def _divided(self, older: int, newer: int) -> bool:
        return any(older <= barrier < newer for barrier in self.barriers)


def without(chunks: list[Chunk], start: int, end: int) -> list[Chunk]:
    """The points that are not in ``[start, end)``; chunks without any are left out."""
    found = []
    for chunk in chunks:
        kept = (chunk.times < start) | (chunk.times >= end)
        if kept.any():
            found.append(chunk._replace(times=chunk.times[kept], words=chunk.words[kept]))
    return found


def _points_of(chunks: Iterable[Chunk]) -> int:
    return sum(len(chunk.times) for chunk in chunks)


def _points_in(runs: Iterable[Iterable[Run]]) -> int:
    return sum(len(run.numbers) for tier in runs for run in tier)


def combined(chunks: list[Chunk]) -> Chunk:
    """Consecutive chunks of one merge policy as one."""
    if len(chunks) == 1:
        return chunks[0]
    times = np.concatenate([chunk.times for chunk in chunks])
    words = np.concatenate([chunk.words for chunk in chunks])
    return Chunk(chunks[0].first, chunks[-1].lsn, times, words, chunks[-1].merge)
