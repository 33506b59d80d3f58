"""Marks: version numbers bound to states that were never committed.

A mark of the present state costs nothing. Once its stream is committed, the points that were pending then are
kept for the mark alone: for as long as marks last, and for no more memory than they are given.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from .state import Prefix

if TYPE_CHECKING:
    from .state import StreamState
    from .versions import Committed

MARK_SECONDS: Final = 600.0
"""How long a version that was not committed can be asked for."""

_POINT_BYTES: Final = 16
_CHUNK_BYTES: Final = 400


class _Old(NamedTuple):
    """A mark of a state that a commit has left behind, and the bytes it keeps alive, alone or with others."""

    state: StreamState
    version: int
    bytes: int
    expires: float


class Marks:
    """The marks of all streams that are behind their last commit. Used under the archive's lock."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._old: deque[_Old] = deque()
        self.memory = 0
        """Bytes that only marks keep alive, about."""

    def keep(self, state: StreamState, committed: Committed, applied: int | None) -> None:
        """``state`` is about to become ``committed``: its marks keep what they need of the pending points.

        If that holds just what the first ``applied`` chunks were, marks of those and more build on it.
        """
        for version, mark in list(state.marks.items()):
            if mark.prefix.length and mark.prefix.committed is state.committed:
                prefix = self._kept(state, mark.prefix, committed, applied)
                state.marks[version] = mark._replace(prefix=prefix)
                if prefix.committed is not committed:
                    self._remember(state, version, prefix, mark.expires)
        self._trim()

    def _kept(self, state: StreamState, prefix: Prefix, committed: Committed, applied: int | None) -> Prefix:
        length, chunks = prefix.length, prefix.chunks
        if applied is not None and chunks is state.chunks and length >= applied:
            return Prefix(committed, chunks[applied:length], length - applied)
        return Prefix(prefix.committed, chunks[:length], length)

    def _remember(self, state: StreamState, version: int, prefix: Prefix, expires: float) -> None:
        size = sum(_CHUNK_BYTES + _POINT_BYTES * len(chunk.times) for chunk in prefix.chunks)
        self._old.append(_Old(state, version, size, expires))
        self.memory += size

    def _trim(self) -> None:
        now = time.monotonic()
        while self._old and (self.memory > self._budget or self._old[0].expires <= now):
            state, version, size, _ = self._old.popleft()
            self.memory -= size
            state.marks.pop(version, None)
