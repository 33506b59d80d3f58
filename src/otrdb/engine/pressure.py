"""Pressure: what keeps pending points within their memory and the journal within its cap.

Small commits are what wears out cards, so nothing is committed early without need. For memory, the streams
with the most pending points go first. To free a journal file, a stream with few points in it is carried over:
its points are appended again under their old LSN, and the file can go.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from otrdb.errors import ClosedArchive, Damaged, DiskFull, WriteFailed

from .findings import damage_found
from .pending import combined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.storage.journal import Journal

    from .commit import Committer
    from .core import Core
    from .state import StreamState

CARRY_POINTS = 1_024
"""A stream with fewer pending points is carried over; one with more is committed."""

_RECORD_BYTES = 64
_POINT_BYTES = 16
"""What carrying over costs in the journal, about, for a stream and for each of its points."""

_STREAMS_AT_ONCE = 128
"""Bounds the trees in memory while many streams are committed in one go."""


class Pressure:
    """Commits before memory or journal run out."""

    def __init__(self, core: Core, committer: Committer, journal_cap: int) -> None:
        self._core = core
        self._committer = committer
        self._cap = journal_cap
        self._points = core.budget.pending
        self._full = False

    def due(self, journal: Journal) -> bool:
        """Whether something must be done."""
        return journal.live_bytes > self._cap or self._core.pending.memory > self._points

    def admit(self) -> None:
        """Before points are taken in: `DiskFull` if the disk has no room to spare, or those before them could
        not be moved out of the way.
        """
        if self._core.room.due:
            self._core.admit()
        if self._full:
            journal = self._core.writable()
            if self.due(journal):
                self.relieve()
            self._full = False

    def settle(self) -> None:
        """After points were acknowledged: relieve, if it is due."""
        journal = self._core.journal
        if journal is not None and self.due(journal):
            with self.harmless():
                self.relieve()

    @contextmanager
    def harmless(self) -> Iterator[None]:
        """What goes wrong within is no error of the insert that led to it: its points are in the journal.

        A full disk is told to the next insert, a failed write to everybody who writes, and damage by a check.
        """
        try:
            yield
        except DiskFull:
            self._full = True
        except Damaged as damage:
            self._core.note(damage_found(damage))
        except (WriteFailed, ClosedArchive):
            pass

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
        """Merge chunks first: many small ones take more than their points, and so do runs of wide batches."""
        core = self._core
        with core.lock:
            states = self._states(core.pending.streams())
        for first in range(0, len(states), _STREAMS_AT_ONCE):
            with core.lock:
                for state in states[first : first + _STREAMS_AT_ONCE]:
                    core.pending.consolidate(state, everything=True)
        with core.lock:
            core.pending.sweep()
        if core.pending.memory > self._points // 2:
            self._commit_largest()

    def _commit_largest(self) -> None:
        """Commit the streams with most points, until the others take half of what pending points may."""
        core = self._core
        with core.lock:
            numbers = core.pending.streams()
            share = np.cumsum(core.pending.counts[numbers])
            excess = 1 - self._points / 2 / core.pending.memory
            enough = int(np.searchsorted(share, core.pending.points * excess)) + 1
            states = self._states(numbers[:enough])
        self.commit(states)

    def _states(self, numbers: list[int]) -> list[StreamState]:
        found = (self._core.streams.number(number) for number in numbers)
        return [state for state in found if state is not None]

    def commit(self, states: list[StreamState]) -> list[Damaged]:
        """Commit what is pending for ``states``, some streams at a time.

        Returns what kept streams from it: a damaged one stays pending and stops no other.
        """
        damaged: list[Damaged] = []
        for first in range(0, len(states), _STREAMS_AT_ONCE):
            some = states[first : first + _STREAMS_AT_ONCE]
            try:
                self._committer.pending(some)
            except Damaged:
                damaged += [error for state in some if (error := self._commit_one(state))]
        return damaged

    def _commit_one(self, state: StreamState) -> Damaged | None:
        try:
            self._committer.pending([state])
        except Damaged as error:
            self._core.note(damage_found(error))
            return error
        return None

    def _relieve_journal(self, journal: Journal) -> None:
        """Empty the older half of the journal's files."""
        core = self._core
        files = journal.files()
        border = files[len(files) // 2].last
        with core.lock:
            states = self._states(core.pending.streams())
            for state in states:
                core.pending.absorb(state)
            old = [state for state in states if self._reaches(state, border)]
            small = self._carried(old)
        self.commit([state for state in old if state not in small])
        with core.lock:
            for state in small:
                # What arrived since belongs to what the carried record stands for.
                core.pending.absorb(state)
                if self._reaches(state, border) and _uniform(state):
                    self._carry(journal, state)
        journal.sync_through(journal.next_lsn - 1)
        self.free(journal)

    def _reaches(self, state: StreamState, border: int) -> bool:
        """Whether points of the stream are in records up to LSN ``border``."""
        return bool(state.chunks) and state.chunks[0].first <= border

    def _carried(self, states: list[StreamState]) -> set[StreamState]:
        """Streams to carry over: those with fewest points, and as many as leave the journal some room."""
        counts = self._core.pending.counts
        few = [state for state in states if counts[state.number] < CARRY_POINTS and _uniform(state)]
        few.sort(key=lambda state: int(counts[state.number]))
        room = np.cumsum([_RECORD_BYTES + _POINT_BYTES * int(counts[state.number]) for state in few])
        return set(few[: int(room.searchsorted(self._cap // 4))])

    def _carry(self, journal: Journal, state: StreamState) -> None:
        """Append all that is pending for the stream again; on replay this stands for every older record of
        it.
        """
        self._core.moments.pin(state)
        chunk = combined(state.chunks)
        self._core.pending.chunks -= len(state.chunks) - 1
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


def _uniform(state: StreamState) -> bool:
    """Whether all pending points came under one merge policy, so that one record can hold them."""
    return len({chunk.merge for chunk in state.chunks}) == 1
