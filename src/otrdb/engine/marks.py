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
    from .state import Committed, StreamState

MARK_SECONDS: Final = 600.0
"""How long a version that was not committed can be asked for."""

_POINT_BYTES: Final = 16
_CHUNK_BYTES: Final = 400


class _Old(NamedTuple):
    """Marks of a state that was left behind by a commit, and the bytes only they keep alive."""

    state: StreamState
    versions: list[int]
    bytes: int
    expires: float


class Marks:
    """The marks of all streams that are behind their last commit. Used under the archive's lock."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._old: deque[_Old] = deque()
        self.memory = 0
        """Bytes that only marks keep alive, about."""

    def rebind(self, state: StreamState, applied: Prefix, committed: Committed) -> None:
        """``committed`` is ``applied`` and nothing else: marks of the one may stand for the other."""
        for version, mark in state.marks.items():
            if mark.prefix.same(applied):
                state.marks[version] = mark._replace(prefix=Prefix(committed, [], 0))

    def keep(self, state: StreamState) -> None:
        """``state`` is about to leave its pending points: what marks need of them is kept, within bounds."""
        marks = {version: mark for version, mark in state.marks.items() if self._pending(state, mark.prefix)}
        if marks:
            longest = max((mark.prefix for mark in marks.values()), key=lambda prefix: prefix.length)
            chunks = longest.chunks[: longest.length]
            size = sum(_CHUNK_BYTES + _POINT_BYTES * len(chunk.times) for chunk in chunks)
            self._old.append(_Old(state, list(marks), size, max(mark.expires for mark in marks.values())))
            self.memory += size
        self._trim()

    def _pending(self, state: StreamState, prefix: Prefix) -> bool:
        return bool(prefix.length) and prefix.committed is state.committed

    def _trim(self) -> None:
        now = time.monotonic()
        while self._old and (self.memory > self._budget or self._old[0].expires <= now):
            state, versions, size, _ = self._old.popleft()
            self.memory -= size
            for version in versions:
                state.marks.pop(version, None)
