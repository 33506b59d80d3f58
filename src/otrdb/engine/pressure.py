"""Pressure: what keeps pending points within their memory and the journal within its cap.

Small commits are what wears out cards, so nothing is committed early without need. For memory, the streams
with the most pending points go first. To free a journal file, a stream with few points in it is carried over:
its points are appended again under their old LSN, and the file can go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .pending import combined

if TYPE_CHECKING:
    from otrdb.storage.journal import Journal

    from .commit import Committer
    from .core import Core
    from .state import StreamState

CARRY_POINTS = 1_024
"""A stream with fewer pending points is carried over; one with more is committed."""

_STREAMS_AT_ONCE = 256
"""Bounds the trees in memory while many streams are committed in one go."""


class Pressure:
    """Commits before memory or journal run out."""

    def __init__(self, core: Core, committer: Committer, journal_cap: int) -> None:
        self._core = core
        self._committer = committer
        self._cap = journal_cap
        self._points = core.budget.pending

    def due(self, journal: Journal) -> bool:
        """Whether something must be done."""
        return journal.live_bytes > self._cap or self._core.pending.memory > self._points

    def relieve(self) -> None:
        """Do it: afterwards both are well below their limits."""
        core = self._core
        with core.committing:
            journal = core.writable()
            if core.pending.memory > self._points:
                self._relieve_memory()
            self.free(journal)
            if journal.live_bytes > self._cap:
                self._relieve_journal(journal)

    def _relieve_memory(self) -> None:
        core = self._core
        with core.lock:
            numbers = core.pending.streams()
            share = np.cumsum(core.pending.counts[numbers])
            half = int(np.searchsorted(share, core.pending.points // 2)) + 1
            states = self._states(numbers[:half])
        self.commit(states)

    def _states(self, numbers: list[int]) -> list[StreamState]:
        found = (self._core.streams.number(number) for number in numbers)
        return [state for state in found if state is not None]

    def commit(self, states: list[StreamState]) -> None:
        """Commit what is pending for ``states``, some streams at a time."""
        for first in range(0, len(states), _STREAMS_AT_ONCE):
            self._committer.pending(states[first : first + _STREAMS_AT_ONCE])

    def _relieve_journal(self, journal: Journal) -> None:
        """Empty the older half of the journal's files."""
        core = self._core
        files = journal.files()
        border = files[len(files) // 2].last
        with core.lock:
            states = self._states(core.pending.streams())
            for state in states:
                core.pending.absorb(state)
            old = [state for state in states if state.chunks and state.chunks[0].first <= border]
            large = [state for state in old if not self._carried(state)]
        self.commit(large)
        with core.lock:
            small = [state for state in old if state.chunks and state.chunks[0].first <= border]
            for state in small:
                self._carry(journal, state)
        journal.sync_through(journal.next_lsn - 1)
        self.free(journal)

    def _carried(self, state: StreamState) -> bool:
        few = int(self._core.pending.counts[state.number]) < CARRY_POINTS
        return few and len({chunk.merge for chunk in state.chunks}) == 1

    def _carry(self, journal: Journal, state: StreamState) -> None:
        """Append all that is pending for the stream again; on replay this stands for every older record of
        it.
        """
        self._core.moments.pin(state)
        chunk = combined(state.chunks)
        state.chunks = [chunk]
        state.fixed = state.consolidated = 0
        counts = np.array([len(chunk.times)], np.uint32)
        originals = np.array([chunk.lsn], np.uint64)
        lsn = journal.carry(state.numbers, counts, chunk.times, chunk.words, chunk.merge.code, originals)
        state.chunks = [chunk._replace(first=lsn)]

    def free(self, journal: Journal) -> None:
        """Give up the journal files in which nothing is pending any more."""
        core = self._core
        with core.lock:
            oldest = [state.chunks[0].first for state in core.streams if state.chunks]
            wide = core.pending.oldest_wide()
            needed = min([*oldest, *([] if wide is None else [wide]), journal.next_lsn])
        journal.free_below(needed)
