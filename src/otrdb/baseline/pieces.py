"""Sorted points cut into pieces, each with its statistics: what the chunked baseline calls a stream's state.

A piece holds up to 16,384 points, or more where one time has more: a time is never in two pieces. Pieces are
never changed; an insert or a deletion gives a new list, which shares the pieces that were not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from otrdb.baseline.merging import Batch, Columns, in_time_order, join_columns, merge, no_columns
from otrdb.baseline.states import KeyOf, Spot
from otrdb.baseline.summaries import Rows, combine, summarise
from otrdb.model import Array, Int64Array, Kind

PIECE_POINTS: Final = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some consecutive points of a stream: where they are, the times of the first and last, and one row."""

    offset: int
    """Their record in the file of chunks, or -1: then they are in `columns`."""
    columns: Columns | None
    first: int
    last: int
    row: Rows

    @property
    def count(self) -> int:
        """The number of points."""
        return int(self.row.count[0])

    @property
    def identity(self) -> tuple[int, int]:
        """The same for the same piece, also when it was read from the manifest twice."""
        return self.offset, 0 if self.columns is None else id(self.columns)


Pieces: TypeAlias = tuple[Piece, ...]
Loader: TypeAlias = Callable[[int, Kind], Columns]
"""Reads the points of a record in the file of chunks."""


def cut(columns: Columns, kind: Kind, size: int = PIECE_POINTS) -> Iterator[Piece]:
    """Sorted columns as pieces of `size` points."""
    times, words = columns
    start = 0
    while start < len(times):
        last = times[min(start + size, len(times)) - 1]
        end = int(np.searchsorted(times, last, side="right"))
        yield _piece((times[start:end], words[start:end]), kind)
        start = end


def inserted(pieces: Pieces, batch: Batch, kind: Kind, load: Loader) -> Pieces:
    """The pieces after a batch was merged into those its times fall into."""
    new = Batch(*in_time_order(batch.times, batch.words), batch.merge)
    if not pieces:
        return tuple(cut(merge(no_columns(), new, kind), kind))
    places = np.searchsorted([piece.first for piece in pieces], new.times, side="right") - 1
    result: list[Piece] = []
    done = 0
    for place, share in _shares(np.maximum(places, 0), new):
        result += pieces[done:place]
        result += _rewritten(pieces[place], share, kind, load, place == len(pieces) - 1)
        done = place + 1
    return (*result, *pieces[done:])


def erased(pieces: Pieces, start: int, end: int, kind: Kind, load: Loader) -> Pieces:
    """The pieces without the points of [start, end)."""
    result: list[Piece] = []
    for piece in pieces:
        if piece.last < start or piece.first >= end:
            result.append(piece)
        elif piece.first < start or piece.last >= end:
            times, words = points_of(piece, kind, load)
            kept = (times < start) | (times >= end)
            result += cut((times[kept], words[kept]), kind)
    return tuple(result)


def points_of(piece: Piece, kind: Kind, load: Loader) -> Columns:
    """The points of a piece."""
    return load(piece.offset, kind) if piece.columns is None else piece.columns


def _piece(columns: Columns, kind: Kind) -> Piece:
    times, words = columns
    row = summarise(np.zeros(len(times), dtype=np.int64), words, kind)
    return Piece(-1, columns, int(times[0]), int(times[-1]), row)


def _shares(places: Array, batch: Batch) -> Iterator[tuple[int, Batch]]:
    """For each place, ascending, the points that go there."""
    bounds = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(places)]
    for start, end in pairwise(bounds):
        if start < end:
            share = Batch(batch.times[start:end], batch.words[start:end], batch.merge)
            yield int(places[start]), share


def _rewritten(piece: Piece, share: Batch, kind: Kind, load: Loader, at_the_end: bool) -> Iterator[Piece]:
    """A piece and the points that fall into it. The last of a stream is filled up, others are cut evenly."""
    if at_the_end and piece.count >= PIECE_POINTS and share.times[0] > piece.last:
        yield piece
        yield from cut(merge(no_columns(), share, kind), kind)
        return
    merged = merge(points_of(piece, kind, load), share, kind)
    number = -(-len(merged[0]) // PIECE_POINTS)
    yield from cut(merged, kind, PIECE_POINTS if at_the_end else -(-len(merged[0]) // number))


class PieceState:
    """A state made of pieces: whole ones are answered from their rows, the others are read."""

    def __init__(self, pieces: Pieces, kind: Kind, version: int, load: Loader) -> None:
        self.pieces = pieces
        self.kind = kind
        self.version = version
        self._load = load

    def columns(self, start: int, end: int) -> Columns:
        """The points in the range."""
        return join_columns(self._part(piece, start, end) for piece in self.pieces[self._touched(start, end)])

    def count(self, start: int, end: int) -> int:
        """The number of points in the range."""
        touched = self.pieces[self._touched(start, end)]
        return sum(
            piece.count
            if start <= piece.first and piece.last < end
            else len(self._part(piece, start, end)[0])
            for piece in touched
        )

    def rows(self, start: int, end: int, key_of: KeyOf) -> Rows:
        """Statistics of the points in the range, one row for each key that occurs."""
        touched = self._touched(start, end)
        firsts, lasts = self._firsts[touched], self._lasts[touched]
        keys = key_of(firsts)
        whole = (keys == key_of(lasts)) & (firsts >= start) & (lasts < end)
        rows = replace(self._index[touched], key=keys)
        parts: list[Rows] = []
        done = 0
        for place in np.flatnonzero(~whole).tolist():
            parts.append(rows[done:place])
            times, words = self._part(self.pieces[touched][place], start, end)
            parts.append(summarise(key_of(times), words, self.kind))
            done = place + 1
        parts.append(rows[done:])
        return combine(parts, self.kind)

    def at_or_after(self, time: int) -> Spot | None:
        """The first point from `time` on."""
        place = int(np.searchsorted(self._lasts, time))
        if place == len(self.pieces):
            return None
        times, words = points_of(self.pieces[place], self.kind, self._load)
        index = int(np.searchsorted(times, time))
        return Spot(int(times[index]), int(words[index]))

    def before(self, time: int) -> Spot | None:
        """The last point before `time`."""
        place = int(np.searchsorted(self._firsts, time)) - 1
        if place < 0:
            return None
        times, words = points_of(self.pieces[place], self.kind, self._load)
        index = int(np.searchsorted(times, time)) - 1
        return Spot(int(times[index]), int(words[index]))

    @cached_property
    def _firsts(self) -> Int64Array:
        return np.array([piece.first for piece in self.pieces], dtype=np.int64)

    @cached_property
    def _lasts(self) -> Int64Array:
        return np.array([piece.last for piece in self.pieces], dtype=np.int64)

    @cached_property
    def _index(self) -> Rows:
        return Rows.stacked(piece.row for piece in self.pieces)

    def _touched(self, start: int, end: int) -> slice:
        return slice(int(np.searchsorted(self._lasts, start)), int(np.searchsorted(self._firsts, end)))

    def _part(self, piece: Piece, start: int, end: int) -> Columns:
        times, words = points_of(piece, self.kind, self._load)
        first, last = np.searchsorted(times, (start, end))
        return times[first:last], words[first:last]
