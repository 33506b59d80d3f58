"""Replay: the points that earlier sessions acknowledged and did not commit become pending again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb.model import Merge

from .state import Chunk, StreamState

if TYPE_CHECKING:
    from otrdb.storage.journal_records import JournalRecord

    from .core import Core

_MERGES = tuple(Merge)


class Replay:
    """Takes journal records in the order they stand in the files.

    Rule (a): a part counts only above the LSN through which its stream is applied. A carried part stands for
    everything of its stream through its original LSN, wherever that was. So nothing may be committed before
    the last record was taken.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        streams = {state.number: state for state in core.streams}
        size = core.streams.next_number
        # Streams that do not exist any more are applied through all there is.
        self._applied = np.full(size, np.iinfo(np.int64).max, np.int64)
        for number, state in streams.items():
            self._applied[number] = state.committed.applied

    def take(self, record: JournalRecord) -> None:
        """Make the record's points pending, as far as they are not in a tree."""
        if not len(record.numbers):
            return
        if int(record.numbers.max()) >= len(self._applied):
            known = record.numbers < len(self._applied)
        else:
            known = np.ones(len(record.numbers), np.bool_)
        lsns = record.lsns.astype(np.int64)
        wanted = known.copy()
        wanted[known] = lsns[known] > self._applied[record.numbers[known]]
        if record.carried:
            self._carried(record, lsns, wanted)
        else:
            self._points(record, lsns, wanted)

    def _points(self, record: JournalRecord, lsns: np.ndarray, wanted: np.ndarray) -> None:
        keep = np.repeat(wanted, record.counts)
        if not keep.any():
            return
        numbers = np.repeat(record.numbers, record.counts)[keep]
        self._core.pending.add_run(
            numbers,
            np.repeat(lsns, record.counts)[keep],
            record.times[keep],
            record.words[keep],
            _MERGES[record.policy],
        )

    def _carried(self, record: JournalRecord, lsns: np.ndarray, wanted: np.ndarray) -> None:
        ends = np.cumsum(record.counts)
        for part in np.flatnonzero(wanted).tolist():
            state = self._core.streams.number(int(record.numbers[part]))
            if state is not None:
                low, high = int(ends[part]) - int(record.counts[part]), int(ends[part])
                times, words = record.times[low:high].copy(), record.words[low:high].copy()
                merge = _MERGES[record.policy]
                self._supersede(state, Chunk(record.lsn, int(lsns[part]), times, words, merge))

    def _supersede(self, state: StreamState, chunk: Chunk) -> None:
        self._core.pending.supersede(state, chunk)
