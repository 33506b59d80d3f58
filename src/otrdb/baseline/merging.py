"""Merging new points into stored ones, in plain NumPy.

All columns are int64[n]: times, and value words (`otrdb.model.Kind`). Stored columns are ascending in time,
equal times in order of arrival; new ones come in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from otrdb.model import BoolArray, Int64Array, Kind, Merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Columns: TypeAlias = tuple[Int64Array, Int64Array]
"""Times and words of the same length."""


class Batch(NamedTuple):
    """New points in order of arrival, and what becomes of those whose time is taken."""

    times: Int64Array
    words: Int64Array
    merge: Merge


def no_columns() -> Columns:
    """Columns of no points."""
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)


def join_columns(parts: Iterable[Columns]) -> Columns:
    """The columns one after the other."""
    times, words = zip(no_columns(), *parts, strict=True)
    return np.concatenate(times), np.concatenate(words)


def coalesce(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same insertions in fewer batches: neighbours that keep every point can be merged at once."""
    waiting: list[Columns] = []
    for batch in batches:
        if batch.merge is Merge.NEVER:
            waiting.append((batch.times, batch.words))
            continue
        if waiting:
            yield Batch(*join_columns(waiting), Merge.NEVER)
            waiting = []
        yield batch
    if waiting:
        yield Batch(*join_columns(waiting), Merge.NEVER)


def in_time_order(times: Int64Array, words: Int64Array) -> Columns:
    """The points ascending in time, equal times in the order given."""
    if (times[1:] >= times[:-1]).all():
        return times, words
    order = np.argsort(times, kind="stable")
    return times[order], words[order]


def merge(stored: Columns, batch: Batch, kind: Kind) -> Columns:
    """`stored` and the points of `batch`, by the batch's merge policy."""
    new = in_time_order(batch.times, batch.words)
    if batch.merge is Merge.EQUAL:
        new = _select(new, _first_of_equals(stored, new, kind))
    elif batch.merge is Merge.RETAIN:
        new = _select(new, _first_at_its_time(new[0]) & ~_present(new[0], stored[0]))
    elif batch.merge is Merge.REPLACE:
        stored = _select(stored, ~_present(stored[0], new[0]))
        new = _select(new, _last_at_its_time(new[0]))
    return _interleave(stored, new)


def _select(columns: Columns, chosen: BoolArray) -> Columns:
    return columns[0][chosen], columns[1][chosen]


def _interleave(stored: Columns, new: Columns) -> Columns:
    """Both, each in its own order; at equal times all of `stored` first."""
    if not len(stored[0]) or not len(new[0]) or new[0][0] >= stored[0][-1]:
        return join_columns([stored, new])
    places = np.searchsorted(stored[0], new[0], side="right")
    return np.insert(stored[0], places, new[0]), np.insert(stored[1], places, new[1])


def _present(times: Int64Array, among: Int64Array) -> BoolArray:
    """Which of `times` occur in the ascending `among`."""
    if not len(among):
        return np.zeros(len(times), dtype=np.bool_)
    places = np.minimum(np.searchsorted(among, times), len(among) - 1)
    return np.asarray(among[places] == times)


def _first_at_its_time(times: Int64Array) -> BoolArray:
    return np.concatenate([np.ones(min(1, len(times)), dtype=np.bool_), times[1:] != times[:-1]])


def _last_at_its_time(times: Int64Array) -> BoolArray:
    return _first_at_its_time(times[::-1])[::-1]


def _first_of_equals(stored: Columns, new: Columns, kind: Kind) -> BoolArray:
    """Which new points equal neither a stored point in time and value nor an earlier new one."""
    rivals = _select(stored, _present(stored[0], new[0]))
    times, words = join_columns([rivals, new])
    if kind is Kind.FLOAT:
        words = np.where(words.view(np.float64) == 0.0, 0, words)  # 0.0 and -0.0 are equal
    order = np.lexsort((words, times))  # stable, so stored points come before new ones
    repeated = (times[order][1:] == times[order][:-1]) & (words[order][1:] == words[order][:-1])
    first = np.ones(len(times), dtype=np.bool_)
    first[order[1:]] = ~repeated
    return first[len(rivals[0]) :]
