"""Marks: version numbers bound to states that were never committed.

A mark takes a few hundred bytes, and once its stream is committed, the points that were pending then are kept
for it alone. Marks last ten minutes, and the oldest go sooner where all of them would take more memory than
they are given: a thousand live streams that are asked by version every second would make 600,000.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from .state import Mark, Prefix

if TYPE_CHECKING:
    from .state import StreamState
    from .versions import Committed

MARK_SECONDS: Final = 600.0
"""How long a version that was not committed can be asked for, if there are not too many."""

_RENEWED_AFTER: Final = MARK_SECONDS / 16
"""A mark that was made or renewed less than this ago is not renewed: that would cost memory each time."""

MARK_BYTES: Final = 400
"""What a mark takes besides points, measured."""

_POINT_BYTES: Final = 16
_CHUNK_BYTES: Final = 400


class _Held(NamedTuple):
    """Bytes that a mark, made or renewed to last until then, keeps alive, alone or with others."""

    state: StreamState
    version: int
    bytes: int
    expires: float


class Marks:
    """The marks of all streams, the oldest first. Used under the archive's lock."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: deque[_Held] = deque()
        self.memory = 0
        """Bytes that only marks keep alive, about."""

    def make(self, state: StreamState, version: int, prefix: Prefix) -> None:
        """``version`` of ``state`` stands for ``prefix`` from now on; a mark asked for again is renewed."""
        now = time.monotonic()
        known = state.marks.get(version)
        if known is None or known.expires < now + MARK_SECONDS - _RENEWED_AFTER:
            # A mark that is renewed is the last of its stream to expire.
            state.marks.pop(version, None)
            state.marks[version] = Mark(prefix, now + MARK_SECONDS)
            self._hold(_Held(state, version, MARK_BYTES, now + MARK_SECONDS))
        self._trim(now)

    def keep(self, state: StreamState, committed: Committed, applied: int | None) -> None:
        """``state`` is about to become ``committed``: its marks keep what they need of the pending points.

        If that holds just what the first ``applied`` chunks were, marks of those and more build on it.
        """
        for version, mark in list(state.marks.items()):
            if mark.prefix.length and mark.prefix.committed is state.committed:
                prefix = self._kept(state, mark.prefix, committed, applied)
                state.marks[version] = mark._replace(prefix=prefix)
                if prefix.committed is not committed:
                    self._hold(_Held(state, version, _size(prefix), mark.expires))
        self._trim(time.monotonic())

    def _kept(self, state: StreamState, prefix: Prefix, committed: Committed, applied: int | None) -> Prefix:
        length, chunks = prefix.length, prefix.chunks
        if applied is not None and chunks is state.chunks and length >= applied:
            return Prefix(committed, chunks[applied:length], length - applied)
        return Prefix(prefix.committed, chunks[:length], length)

    def _hold(self, held: _Held) -> None:
        self._held.append(held)
        self.memory += held.bytes

    def _trim(self, now: float) -> None:
        while self._held and (self.memory > self._budget or self._held[0].expires <= now):
            state, version, size, expires = self._held.popleft()
            self.memory -= size
            mark = state.marks.get(version)
            if mark is not None and mark.expires <= expires:  # not renewed since
                del state.marks[version]


def _size(prefix: Prefix) -> int:
    return sum(_CHUNK_BYTES + _POINT_BYTES * len(chunk.times) for chunk in prefix.chunks)
