"""Answers from what is sound of a damaged stream, and what they lack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from otrdb import tree
from otrdb.errors import Damaged, Thinned
from otrdb.lacking import joined, merged
from otrdb.model import MAX_TIME, MIN_TIME, BoolArray, Int64Array, Kind
from otrdb.ranges import align_down
from otrdb.results import LeftOut, Windows
from otrdb.tree import Lost

from .damage import complete
from .gaps import outside, within
from .pending import without
from .reads import Frozen, Reads
from .roots import insert_chunks
from .state import Prefix

if TYPE_CHECKING:
    from .engine import Engine
    from .state import Chunk


class Partial(Reads):
    """What is sound of a stream, a version or a stream in a snapshot: `leaving_out_damage` gives it.

    It takes the questions of what it was made of. Where those raise `Damaged`, its answers leave out what
    cannot be known, and nothing else: points at damaged places, and windows that would need them. What an
    answer lacks is in its ``left_out``, and for all answers so far in that of this object.

    Example:
        >>> import otrdb, tempfile
        >>> heat = otrdb.open(tempfile.mkdtemp()).create("plant")
        >>> _ = heat.insert([1, 2], [20.5, 20.7])
        >>> sound = heat.leaving_out_damage()
        >>> sound.values().left_out, sound.count(), sound.left_out
        ((), 2, ())
    """

    __slots__ = ("_asked", "_engine", "_told")

    def __init__(self, engine: Engine, asked: Reads) -> None:
        self._engine = engine
        self._asked = asked
        self._told: dict[LeftOut, None] = {}

    def __repr__(self) -> str:
        return f"<What is sound of {self._asked!r}>"

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self._asked.kind

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the answers so far lack, by time: also those that are a number or a point and cannot say so.

        A nearest point lacks what lies between it and the time asked for: a nearer one may have been there.
        """
        return merged(list(self._told))

    def _frozen(self) -> Frozen:
        return self._salvaged(self._asked._frozen())

    def _salvaged(self, frozen: Frozen) -> Salvaged:
        return Salvaged(self._engine, frozen, self._tell)

    def _tell(self, left_out: Iterable[LeftOut], _: Sequence[Lost]) -> None:
        self._told.update(dict.fromkeys(left_out))


Tell: TypeAlias = Callable[[Sequence[LeftOut], Sequence[Lost]], None]
"""Is given what an answer lacks, in the words of the answer and of the tree; may refuse to answer so."""


class Salvaged(Frozen):
    """The sound part of a state, for one question. ``tell`` decides over what its answer lacks."""

    __slots__ = ("_bounding", "_closed", "_gaps", "_left_out", "_tell", "_tolerant")

    def __init__(self, engine: Engine, frozen: Frozen, tell: Tell) -> None:
        self._closed: list[Lost]
        """The ranges that its tree says nothing true about."""
        if isinstance(frozen, Salvaged):
            root, self._closed = frozen.root, frozen._closed
        else:
            root, self._closed = _sound_tree(engine, frozen)
        super().__init__(frozen.state, frozen.prefix, root, frozen.version, frozen.era)
        self._tell = tell
        self._tolerant = tree.TolerantSource(frozen.source)
        self.source = self._tolerant
        self._bounding: list[Lost] = []
        """What was left out in search of the range to ask of."""
        self._gaps: list[Lost] = []
        self._left_out: tuple[LeftOut, ...] = ()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the last answer lacks."""
        return self._left_out

    def values(self, low: int, high: int) -> tree.Columns:
        """Those points of ``[low, high)`` that can be read."""
        times, words = super().values(low, high)
        self._answered(low, high)
        if self._gaps:
            kept = self._apart(times, times + 1)
            times, words = times[kept], words[kept]
        return times, words

    def aligned(self, low: int, high: int, pointwidth: int) -> tree.Piece:
        """The windows that hold points, with some that `told` takes away."""
        try:
            piece = super().aligned(low, high, pointwidth)
        except Thinned:
            self._met()  # wider ones, which are asked for next, may not need that
            raise
        self._answered(low, high)
        return piece

    def windows(self, edges: Int64Array) -> tree.Piece:
        """The windows that hold points, with some that `told` takes away."""
        piece = super().windows(edges)
        self._answered(int(edges[0]), int(edges[-1]))
        return piece

    def told(self, windows: Windows) -> Windows:
        """The windows of the last answer that reach into nothing it lacks."""
        windows = replace(windows, left_out=self._left_out)
        if not self._gaps:
            return windows
        kept = self._apart(windows.time, windows.time + windows.width)
        columns = {name: column[kept] for name, column in windows.columns.items()}
        return replace(windows, time=windows.time[kept], columns=columns)

    def nearest(self, time: int, backward: bool) -> tuple[int, int] | None:
        """The first point at or after ``time`` that can be read, or the last one before it."""
        found, gaps = self._search(time, backward, list(self._closed))
        self._conclude(gaps)
        return found

    def outermost(self, backward: bool) -> int | None:
        """The time of the first point that can be read, or of the last."""
        met = list(self._closed)
        try:
            found, gaps = self._search(MAX_TIME - 1 if backward else MIN_TIME, backward, met)
        except Thinned as thinned:
            way = (thinned.end, MAX_TIME) if backward else (MIN_TIME, thinned.start)
            self._bounding += within([*met, *self._met()], *way)
            raise
        self._bounding += gaps
        return None if found is None else found[0]

    def count(self, low: int, high: int) -> int:
        """How many points are in ``[low, high)``, without those that cannot be counted."""
        gaps = within(self._closed, low, high)
        while True:
            total = sum(Frozen.count(self, *part) for part in outside(gaps, low, high))
            met = self._met()
            if not met:
                self._conclude(gaps)
                return total
            gaps += met

    def changes(self, after: int, resolution: int) -> list[tuple[int, int]]:
        """Nothing is left out: what cannot be read may have changed."""
        found = super().changes(after, resolution)
        self._met()
        for start, end, _ in self._closed:
            low, high = align_down(start, resolution), align_down(end - 1, resolution) + (1 << resolution)
            found.append((max(low, MIN_TIME), min(high, MAX_TIME)))
        return joined(found)

    def _search(
        self, time: int, backward: bool, gaps: list[Lost]
    ) -> tuple[tuple[int, int] | None, list[Lost]]:
        """The nearest point that is in no gap, and the gaps on the way there. Those met are added to
        ``gaps``.
        """
        at = time
        while True:
            found = super().nearest(at, backward)
            gaps += self._met()
            if found is None:
                way = (MIN_TIME, time) if backward else (time, MAX_TIME)
                return None, within(gaps, *way)
            gap = next((gap for gap in gaps if gap.start <= found[0] < gap.end), None)
            if gap is None:
                way = (found[0] + 1, time) if backward else (time, found[0])
                return found, within(gaps, *way)
            at = gap.start if backward else gap.end

    def _met(self) -> list[Lost]:
        """What the source has left out since it was last asked."""
        met, self._tolerant.ranges = self._tolerant.ranges, []
        return met

    def _answered(self, low: int, high: int) -> None:
        """A question about ``[low, high)`` was answered."""
        self._gaps = within([*self._closed, *self._met()], low, high)
        bounding = [*within(self._bounding, MIN_TIME, low), *within(self._bounding, high, MAX_TIME)]
        self._conclude([*self._gaps, *bounding])

    def _conclude(self, gaps: Sequence[Lost]) -> None:
        uuid = self.state.metadata.uuid
        self._left_out = merged(
            LeftOut(start, end, uuid, damage.message, damage.segment, damage.offset)
            for start, end, damage in gaps
        )
        self._tell(self._left_out, gaps)

    def _apart(self, starts: Int64Array, ends: Int64Array) -> BoolArray:
        """Which of the ranges, ascending, meet no gap."""
        kept = np.ones(len(starts), np.bool_)
        for low, high, _ in self._gaps:
            kept[ends.searchsorted(low, side="right") : starts.searchsorted(high)] = False
        return kept


def strict(engine: Engine, frozen: Frozen) -> Frozen:
    """The state, to be asked whole answers.

    Where pending points cannot be merged because of damage, that concerns questions about those times only.
    """
    if frozen.made:
        return frozen

    def refuse(_: Sequence[LeftOut], gaps: Sequence[Lost]) -> None:
        for gap in gaps:
            complete(gap.damage, frozen.state, sound.root)
            raise gap.damage.with_traceback(None)

    sound = Salvaged(engine, frozen, refuse)
    return sound


def _sound_tree(engine: Engine, frozen: Frozen) -> tuple[tree.Node, list[Lost]]:
    """The tree of a state as far as it can be made, and the ranges it says nothing true about.

    Pending points that would have to be merged into a block that cannot be read stay out of it.
    """
    try:
        return frozen.root, []
    except Damaged as damage:
        state, prefix, cause = frozen.state, frozen.prefix, damage
    try:
        base = engine.core.roots.committed(state, prefix.committed.root)
    except Damaged as damage:
        return tree.empty_root(), [Lost(*tree.EVERYTHING, damage)]
    chunks, lost = prefix.chunks[: prefix.length], list[Lost]()
    while chunks:
        try:
            if engine.too_large(state, Prefix(prefix.committed, chunks, len(chunks))):
                return base, [*lost, _span(chunks, cause)]
            return insert_chunks(tree.Edit(state.source, state.last_version + 1), base, chunks), lost
        except Damaged as damage:
            complete(damage, state, base)
            gap = Lost(*_times(damage), damage)
            kept = without(chunks, gap.start, gap.end)
            if _points(kept) == _points(chunks):  # they need a block that is not in their way
                gap, kept = _span(chunks, damage), []
            lost.append(gap)
            chunks = kept
    return base, lost


def _times(damage: Damaged) -> tuple[int, int]:
    if damage.start is None or damage.end is None:
        return tree.EVERYTHING
    return damage.start, damage.end


def _span(chunks: Sequence[Chunk], damage: Damaged) -> Lost:
    """All the times of pending points that can neither be merged in memory nor, for damage, be committed."""
    low = min(int(chunk.times.min()) for chunk in chunks)
    return Lost(low, max(int(chunk.times.max()) for chunk in chunks) + 1, damage)


def _points(chunks: Sequence[Chunk]) -> int:
    return sum(len(chunk.times) for chunk in chunks)
