"""From a fixed state of a stream to a tree that can be asked.

A state without pending points is a committed root. Otherwise its pending points are merged into an *overlay*,
by the same code as a commit but without I/O, so that there is no second way to compute an answer. Overlays
are kept within a budget, extended when points are added, and made again when they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb.errors import Damaged
from otrdb.tree import Address, Cache, Edit, Node, empty_root, insert, touched_leaves

from .damage import complete, concerning
from .pending import combined

if TYPE_CHECKING:
    from otrdb.model import Int64Array

    from .state import Chunk, Prefix, StreamState

_LEAF_BYTES = 16 * 16_384
_NODE_BYTES = 2_000


class Overlay:
    """A tree in memory that holds a prefix, and the written blocks it leaves behind."""

    __slots__ = ("memory", "obsolete", "prefix", "root", "version")

    def __init__(
        self, prefix: Prefix, root: Node, obsolete: list[Address], memory: int, version: int
    ) -> None:
        self.version = version
        """The newest version stamp in the tree."""
        self.prefix = prefix
        self.root = root
        self.obsolete = obsolete
        self.memory = memory

    def precedes(self, prefix: Prefix) -> bool:
        """Whether ``prefix`` is this overlay's with more chunks, or the same."""
        mine = self.prefix
        return (
            mine.committed is prefix.committed
            and mine.chunks is prefix.chunks
            and mine.length <= prefix.length
        )


class Roots:
    """The roots of fixed states: committed ones as they are, others by overlay."""

    def __init__(self, budget: int) -> None:
        self._overlays = Cache(budget)
        self._limit = budget * 2 // 5

    def committed(self, state: StreamState, address: Address | None) -> Node:
        """The root written at ``address``; None is a stream without points."""
        if address is None:
            return empty_root()
        try:
            return state.source.node_at(address)
        except Damaged as error:
            complete(error, state)
            raise

    def of(self, state: StreamState, prefix: Prefix) -> Node:
        """The root of ``prefix``."""
        if not prefix.length:
            return self.committed(state, prefix.committed.root)
        # Newer than every version given out so far: no version that lacks these points has this stamp.
        return self.overlay(state, prefix, state.last_version + 1).root

    def overlay(self, state: StreamState, prefix: Prefix, version: int, *, keep: bool = True) -> Overlay:
        """The overlay of ``prefix``: the cached one, an extension of it, or a new one.

        What it adds is stamped with ``version``, and nothing in it has a newer stamp. The points that are
        read for it may be kept in the cache.
        """
        known: Overlay | None = self._overlays.get(state.number)
        if known is None or known.version > version or not known.precedes(prefix):
            base = self.committed(state, prefix.committed.root)
            known = Overlay(prefix._replace(length=0), base, [], 0, prefix.committed.version)
        if known.prefix.length < prefix.length:
            with concerning(state, known.root):
                known = _extended(state, known, prefix, version, keep=keep)
            self._overlays.put(state.number, known, known.memory)
        return known

    def too_large(self, state: StreamState, prefix: Prefix) -> bool:
        """Whether the overlay of ``prefix`` would exceed its share of the budget."""
        known: Overlay | None = self._overlays.get(state.number)
        done = known.prefix.length if known is not None and known.precedes(prefix) else 0
        chunks = prefix.chunks[done : prefix.length]
        if not self._many(chunks):
            return False
        return self.scattered(state, self.committed(state, prefix.committed.root), chunks)

    def scattered(self, state: StreamState, root: Node, chunks: list[Chunk]) -> bool:
        """Whether the leaves below ``root`` that ``chunks`` fall into would exceed that share."""
        if not self._many(chunks):
            return False
        times = ascending(np.concatenate([chunk.times for chunk in chunks]))
        with concerning(state, root):
            touched = touched_leaves(state.source, root, times, self._limit // _LEAF_BYTES)
        return touched * (_LEAF_BYTES + _NODE_BYTES) > self._limit

    def _many(self, chunks: list[Chunk]) -> bool:
        """Whether there are so many points that it matters how many leaves they fall into."""
        return sum(len(chunk.times) for chunk in chunks) * _LEAF_BYTES >= self._limit

    @property
    def memory(self) -> int:
        """Bytes the overlays occupy, about."""
        return self._overlays.size

    def drop(self, state: StreamState) -> None:
        """Forget the overlay of ``state``."""
        self._overlays.drop(state.number)


def ascending(times: Int64Array) -> Int64Array:
    """The times in order; as they are, if they are in order already, as most are."""
    return times if bool((times[1:] >= times[:-1]).all()) else np.sort(times)


def _extended(state: StreamState, known: Overlay, prefix: Prefix, version: int, *, keep: bool) -> Overlay:
    edit = Edit(state.source, version, keep=keep)
    chunks = prefix.chunks[known.prefix.length : prefix.length]
    root = insert_chunks(edit, known.root, chunks)
    return Overlay(prefix, root, [*known.obsolete, *edit.obsolete], known.memory + edit.memory, version)


def insert_chunks(edit: Edit, root: Node, chunks: list[Chunk]) -> Node:
    """Insert chunks in order of arrival, those of one merge policy at once."""
    group: list[Chunk] = []
    for chunk in chunks:
        if group and group[-1].merge is not chunk.merge:
            root = _insert_sorted(edit, root, combined(group))
            group = []
        group.append(chunk)
    return _insert_sorted(edit, root, combined(group)) if group else root


def _insert_sorted(edit: Edit, root: Node, chunk: Chunk) -> Node:
    _, _, times, words, merge = chunk
    if len(times) > 1 and bool((times[1:] < times[:-1]).any()):
        order = times.argsort(kind="stable")
        times, words = times[order], words[order]
    return insert(edit, root, (times, words), merge)
