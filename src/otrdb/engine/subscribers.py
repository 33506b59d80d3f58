"""Who is told of points as they are acknowledged.

An insert *notes* its batch under the archive's lock, in the order of LSNs, and tells of it once it is
acknowledged, with all that were noted before it: what makes a batch safe makes those before it safe. A batch
that skips the journal is told of when its commit is done.

A batch is kept once, however many subscriptions it waits in, and nobody who inserts ever waits for one who
reads: when all that waits takes more than its share of the memory, whoever has waited longest is cut off.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otrdb.model import Int64Array, Merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .commit import Batch
    from .pending import Numbers
    from .stream import Stream
    from .subscription import Subscription

_POINT_BYTES = 16
_STREAM_BYTES = 64
_NOTICE_BYTES = 1_000
"""What a notice takes besides its points: little arrays are mostly overhead."""

_PLACE_BYTES = 16
"""What a notice takes in each queue it waits in."""


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


class _Noted(NamedTuple):
    """A batch that is not acknowledged yet: ``numbers`` of each point, or one for all."""

    lsn: int
    numbers: Numbers
    times: Int64Array
    words: Int64Array
    merge: Merge

    def notice(self) -> Notice:
        if len(self.numbers) == 1:
            borders = [0, len(self.times)]
            return Notice(self.numbers.tolist(), borders, self.times, self.words, self.merge)
        order = self.numbers.argsort(kind="stable")
        ordered = self.numbers[order]
        present = np.unique(ordered)
        borders = [*ordered.searchsorted(present).tolist(), len(ordered)]
        return Notice(present.tolist(), borders, self.times[order], self.words[order], self.merge)


def _joined(batches: Sequence[Batch], merge: Merge) -> _Noted:
    numbers = np.array([batch.state.number for batch in batches], np.uint32)
    if len(batches) > 1:
        numbers = np.repeat(numbers, [len(batch.times) for batch in batches])
    times = np.concatenate([batch.times for batch in batches])
    words = np.concatenate([batch.words for batch in batches])
    return _Noted(0, numbers, times, words, merge)


class Subscribers:
    """All subscriptions of an archive, and what waits in them: ``limit`` bytes at most.

    Its lock is the last to be taken, held for microseconds, and never while somebody is woken.
    """

    def __init__(self, limit: int) -> None:
        self.followed: dict[int, list[Subscription]] = {}
        """By stream number, who follows it. Whether there is anybody is all that an insert asks."""
        self.lock = threading.Lock()
        self.bytes = 0
        """What waits, all together."""
        self._limit = limit
        self._mask = np.zeros(64, np.bool_)
        """By stream number, whether anybody follows it. The last is False and stands for all above."""
        self._noted: deque[_Noted] = deque()
        self._waiting: dict[Subscription, None] = {}
        """Those that have not taken everything."""
        self._everyone: dict[Subscription, None] = {}
        self._sequence = 0

    # --- what an insert does

    def note(self, lsn: int, numbers: Numbers, times: Int64Array, words: Int64Array, merge: Merge) -> bool:
        """A batch has been appended: ``numbers`` of each point, or one for all. The arrays are kept.

        Returns whether anybody follows any of it, and so must be told (`acknowledged`). Asked under the
        archive's lock.
        """
        if len(numbers) == 1 and int(numbers[0]) not in self.followed:
            return False  # the commonest case, made cheap
        with self.lock:
            wanted = self._mask.take(numbers, mode="clip")
            if not wanted.any():
                return False
            if not wanted.all():
                numbers, times, words = numbers[wanted], times[wanted], words[wanted]
            self._noted.append(_Noted(lsn, numbers, times, words, merge))
            return True

    def acknowledged(self, lsn: int) -> None:
        """Everything noted through ``lsn`` is acknowledged."""
        with self._telling() as woken:
            while self._noted and self._noted[0].lsn <= lsn:
                self._tell(self._noted.popleft().notice(), woken)

    def committed(self, batches: Sequence[Batch], merge: Merge) -> None:
        """A batch was committed without the journal, and so is acknowledged. What is followed of it is
        copied.
        """
        with self._telling() as woken:
            followed = [batch for batch in batches if batch.state.number in self.followed]
            if followed:
                self._tell(_joined(followed, merge).notice(), woken)

    # --- what becomes of streams and of the archive

    def obliterated(self, number: int) -> None:
        """The stream is gone: its followers are told, and follow it no longer."""
        with self._telling() as woken:
            followers = list(self.followed.get(number, ()))
            self._tell(_end_of(number), woken)
            for subscription in followers:
                self._drop(subscription, [number])

    def close(self, durable: int) -> None:
        """The archive is closed, and everything through LSN ``durable`` was made safe: all subscriptions end
        once they have been told.
        """
        self.acknowledged(durable)
        with self._telling() as woken:
            for subscription in list(self._everyone):
                self._leave(subscription)
                subscription.end()
                woken.append(subscription)

    # --- what a subscription does

    def join(self, subscription: Subscription, streams: Iterable[Stream]) -> bool:
        """It follows these streams from now on; of one that is gone it is told. Returns whether it must be
        woken for that. Asked under the archive's lock.
        """
        with self.lock:
            self._everyone[subscription] = None
            known, wake = dict(subscription.streams_by_number), False
            for stream in streams:
                number = stream.state.number
                if stream.state.removed:
                    wake |= self._put(subscription, _end_of(number), {number: stream})
                elif number not in known:
                    known[number] = stream
                    self._follow(subscription, number)
            subscription.streams_by_number = known
            return wake

    def drop(self, subscription: Subscription, streams: Iterable[Stream]) -> None:
        """It follows these streams no longer."""
        with self.lock:
            self._drop(subscription, [stream.state.number for stream in streams])

    def leave(self, subscription: Subscription) -> None:
        """It follows nothing any more, and lets go of what waits in it."""
        with self.lock:
            self._leave(subscription)
            self._forget(subscription)

    def taken(self, subscription: Subscription, notice: Notice) -> None:
        """It needs ``notice`` no longer. Asked under the lock."""
        self.bytes -= _PLACE_BYTES
        notice.holders -= 1
        if not notice.holders:
            self.bytes -= notice.bytes
        if subscription.oldest is None:
            self._waiting.pop(subscription, None)

    # --- within

    @contextmanager
    def _telling(self) -> Iterator[list[Subscription]]:
        """Takes the lock; afterwards, without it, wakes whoever was put on the list."""
        woken: list[Subscription] = []
        with self.lock:
            yield woken
        for subscription in woken:
            subscription.wake()

    def _tell(self, notice: Notice, woken: list[Subscription]) -> None:
        followed = self.followed
        concerned = {each: None for number in notice.numbers for each in followed.get(number, ())}
        woken += [each for each in concerned if self._put(each, notice, each.streams_by_number)]
        self._relieve(woken)

    def _put(self, subscription: Subscription, notice: Notice, streams: dict[int, Stream]) -> bool:
        if not notice.holders:
            self._sequence += 1
            notice.sequence = self._sequence
            self.bytes += notice.bytes
        notice.holders += 1
        self.bytes += _PLACE_BYTES
        self._waiting[subscription] = None
        return subscription.put(notice, streams)

    def _relieve(self, woken: list[Subscription]) -> None:
        """Cut off those who have waited longest, until what waits is within the limit."""
        while self.bytes > self._limit:
            slowest = min(self._waiting, key=_oldest)
            self._leave(slowest)
            self._forget(slowest)
            slowest.cut_off()
            woken.append(slowest)

    def _forget(self, subscription: Subscription) -> None:
        for notice in subscription.given_up():
            self.taken(subscription, notice)

    def _leave(self, subscription: Subscription) -> None:
        self._drop(subscription, list(subscription.streams_by_number))
        self._everyone.pop(subscription, None)

    def _drop(self, subscription: Subscription, numbers: list[int]) -> None:
        leaving = subscription.streams_by_number.keys() & numbers
        kept = subscription.streams_by_number.items()
        subscription.streams_by_number = {number: each for number, each in kept if number not in leaving}
        for number in leaving:
            self.followed[number].remove(subscription)
            if not self.followed[number]:
                del self.followed[number]
                self._mask[number] = False

    def _follow(self, subscription: Subscription, number: int) -> None:
        if number + 1 >= len(self._mask):
            more = np.zeros(max(number + 2, 2 * len(self._mask)) - len(self._mask), np.bool_)
            self._mask = np.concatenate([self._mask, more])
        self._mask[number] = True
        self.followed.setdefault(number, []).append(subscription)


def _end_of(number: int) -> Notice:
    nothing = np.empty(0, np.int64)
    return Notice([number], [], nothing, nothing, Merge.NEVER)


def _oldest(subscription: Subscription) -> int:
    notice = subscription.oldest
    return 0 if notice is None else notice.sequence
