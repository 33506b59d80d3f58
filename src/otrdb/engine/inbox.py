"""What one subscription is told, and has not taken yet."""

from __future__ import annotations

import itertools
from collections import deque
from threading import Condition
from typing import TYPE_CHECKING

from otrdb.errors import FellBehind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Lock

    from otrdb.model import Int64Array, Merge

    from .stream import Stream

_POINT_BYTES = 16
_STREAM_BYTES = 64
_NOTICE_BYTES = 1_000
"""What a notice takes besides its points: little arrays are mostly overhead."""


class Notice:
    """One acknowledged batch, as far as anybody follows its streams; or the end of one stream.

    The points of ``numbers[i]`` are those from ``borders[i]`` to ``borders[i + 1]``, in order of arrival. A
    notice of an end has no borders.
    """

    __slots__ = ("borders", "bytes", "holders", "merge", "numbers", "sequence", "times", "words")

    def __init__(
        self, numbers: list[int], borders: list[int], times: Int64Array, words: Int64Array, merge: Merge
    ) -> None:
        self.numbers = numbers
        self.borders = borders
        self.times = times
        self.words = words
        self.merge = merge
        self.bytes = _NOTICE_BYTES + _STREAM_BYTES * len(numbers) + _POINT_BYTES * len(times)
        self.holders = 0
        self.sequence = 0

    def parts(self) -> Iterator[tuple[int, Int64Array, Int64Array]]:
        """Stream number, times and words of each part: read-only, since they may be the pending points."""
        for number, (low, high) in zip(self.numbers, itertools.pairwise(self.borders), strict=True):
            yield number, _fixed(self.times[low:high]), _fixed(self.words[low:high])


def _fixed(column: Int64Array) -> Int64Array:
    column.flags.writeable = False
    return column


class Inbox:
    """The notices that wait for one subscription. Used under the lock of all subscriptions."""

    def __init__(self, lock: Lock, wake: Callable[[], None] | None) -> None:
        self.streams: dict[int, Stream] = {}
        """What is followed, by number. Replaced when it changes: a notice keeps what was followed then."""
        self.changed = Condition(lock)
        self.wake = wake
        """Called, without the lock, when something has come to the empty inbox or it has ended."""
        self.ended = False
        """Whether nothing more comes."""
        self.error: Exception | None = None
        """Why it has ended, if that must be told."""
        self._waiting: deque[tuple[Notice, dict[int, Stream]]] = deque()
        self._held: Notice | None = None
        """The last that was taken: it counts as waiting until the next is asked for."""

    @property
    def oldest(self) -> Notice | None:
        """What has been kept longest."""
        return self._held or (self._waiting[0][0] if self._waiting else None)

    def put(self, notice: Notice, streams: dict[int, Stream]) -> bool:
        """Let ``notice`` wait; returns whether it is the first, so that somebody must be woken."""
        self._waiting.append((notice, streams))
        self.changed.notify()
        return len(self._waiting) == 1

    def wait(self, timeout: float | None) -> bool:
        """Whether something waits, once it does, the time is up or nothing more will come."""
        self.changed.wait_for(lambda: self._waiting or self.ended, timeout)
        return bool(self._waiting)

    def take(self) -> tuple[Notice, dict[int, Stream]]:
        """The notice that has waited longest, and the streams it is about."""
        notice, streams = self._waiting.popleft()
        self._held = notice
        return notice, streams

    def let_go(self) -> Notice | None:
        """The notice that was taken last is not needed any more."""
        held, self._held = self._held, None
        return held

    def clear(self) -> list[Notice]:
        """Let go of everything; returns what that was."""
        held, waiting = self.let_go(), [notice for notice, _ in self._waiting]
        self._waiting.clear()
        return waiting if held is None else [held, *waiting]

    def end(self, error: Exception | None = None) -> None:
        """Nothing more comes, because of ``error`` if there is one."""
        self.ended = True
        self.error = self.error or error
        self.changed.notify_all()

    def cut_off(self) -> None:
        """Nothing more comes, since too little was taken."""
        self.end(FellBehind("The subscription was cut off: more arrived than there is memory for."))
