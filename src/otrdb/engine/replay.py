"""Replay: points that were acknowledged and are in no tree yet become pending again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb.model import BoolArray, Int64Array, Merge

from .findings import stream_lost
from .pending import worth_chunks
from .state import Chunk

if TYPE_CHECKING:
    from otrdb.storage.journal_records import JournalRecord

    from .core import Core

_MERGES = tuple(Merge)


def replay(core: Core, record: JournalRecord) -> None:
    """Take one journal record; records come in the order they stand in the files.

    Rule (a): a part counts only above the LSN through which its stream is applied. A carried part stands for
    everything of its stream through its original LSN, wherever that was: so nothing may be committed before
    the last record was taken.
    """
    core.seen_lsn = max(core.seen_lsn, record.lsn)
    applied = core.streams.applied
    lsns = record.lsns.astype(np.int64)
    wanted = record.numbers < len(applied)
    wanted[wanted] = lsns[wanted] > applied[record.numbers[wanted]]
    _lost(core, record)
    if not wanted.any():
        return
    if record.carried:
        _carried(core, record, lsns, wanted)
    else:
        _points(core, record, lsns, wanted)


def _lost(core: Core, record: JournalRecord) -> None:
    """Note streams that are in the journal, though nothing says that they were ever created."""
    for number in np.unique(record.numbers[record.numbers >= core.streams.next_number]).tolist():
        core.streams.next_number = number + 1
        core.note(stream_lost(number))


def _points(core: Core, record: JournalRecord, lsns: Int64Array, wanted: BoolArray) -> None:
    keep, merge = np.repeat(wanted, record.counts), _MERGES[record.policy]
    numbers, counts = record.numbers[wanted], record.counts[wanted]
    times, words = record.times[keep], record.words[keep]
    if worth_chunks(len(numbers), len(times)):
        states = map(core.streams.existing, numbers.tolist())
        core.pending.add_parts(states, record.lsn, counts, times, words, merge)
    else:
        each = np.repeat(numbers, counts), np.repeat(lsns[wanted], counts)
        core.pending.add_run(*each, times, words, merge)


def _carried(core: Core, record: JournalRecord, lsns: Int64Array, wanted: BoolArray) -> None:
    ends = np.cumsum(record.counts)
    for part in np.flatnonzero(wanted).tolist():
        state = core.streams.existing(int(record.numbers[part]))
        low, high = int(ends[part]) - int(record.counts[part]), int(ends[part])
        times, words = record.times[low:high].copy(), record.words[low:high].copy()
        chunk = Chunk(record.lsn, int(lsns[part]), times, words, _MERGES[record.policy])
        core.pending.supersede(state, chunk)
