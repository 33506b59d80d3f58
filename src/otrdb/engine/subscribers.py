"""Who is told of points as they are acknowledged.

An insert *notes* its batch under the archive's lock, in the order of LSNs, and tells of it once it is
acknowledged, with all that were noted before it: what makes a batch safe makes those before it safe. A batch
that skips the journal is told of when its commit is done.

A batch is kept once, however many subscriptions it waits in, and nobody who inserts ever waits for one who
reads: when all that waits takes more than its share of the memory, whoever has waited longest is cut off.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otrdb.errors import ClosedArchive
from otrdb.model import Int64Array, Merge

from .inbox import Inbox, Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .commit import Batch
    from .pending import Numbers
    from .stream import Stream

_PLACE_BYTES = 16
"""What a notice takes in each queue it waits in."""


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
        self.followed: dict[int, list[Inbox]] = {}
        """By stream number, who follows it. Whether there is anybody is all that an insert asks."""
        self.lock = threading.Lock()
        self.bytes = 0
        """What waits, all together."""
        self._limit = limit
        self._mask = np.zeros(64, np.bool_)
        """By stream number, whether anybody follows it. The last is False and stands for all above."""
        self._noted: deque[_Noted] = deque()
        self._waiting: dict[Inbox, None] = {}
        """Those that have not taken everything."""
        self._everyone: dict[Inbox, None] = {}
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
            for inbox in followers:
                self._drop(inbox, [number])

    def close(self, durable: int) -> None:
        """The archive is closed, and everything through LSN ``durable`` was made safe: all subscriptions end
        once they have been told.
        """
        self.acknowledged(durable)
        with self._telling() as woken:
            for inbox in list(self._everyone):
                self._leave(inbox)
                inbox.end()
                woken.append(inbox)

    # --- what a subscription does

    def join(self, inbox: Inbox, streams: Iterable[Stream]) -> bool:
        """It follows these streams from now on; of one that is gone it is told. Returns whether it must be
        woken for that. Asked under the archive's lock.
        """
        with self.lock:
            if inbox.ended:
                raise inbox.error or ClosedArchive("The subscription is closed.", advice="Subscribe again.")
            self._everyone[inbox] = None
            known, wake = dict(inbox.streams), False
            for stream in streams:
                number = stream.state.number
                if stream.state.removed:
                    wake |= self._put(inbox, _end_of(number), {number: stream})
                elif number not in known:
                    known[number] = stream
                    self._follow(inbox, number)
            inbox.streams = known
            return wake

    def drop(self, inbox: Inbox, streams: Iterable[Stream]) -> None:
        """It follows these streams no longer."""
        with self.lock:
            self._drop(inbox, [stream.state.number for stream in streams])

    def leave(self, inbox: Inbox, error: Exception | None = None) -> None:
        """It ends, and lets go of what waits in it."""
        with self.lock:
            self._leave(inbox)
            self._forget(inbox)
            inbox.end(error)

    def taken(self, inbox: Inbox, notice: Notice) -> None:
        """It needs ``notice`` no longer. Asked under the lock."""
        self.bytes -= _PLACE_BYTES
        notice.holders -= 1
        if not notice.holders:
            self.bytes -= notice.bytes
        if inbox.oldest is None:
            self._waiting.pop(inbox, None)

    def wake(self, inbox: Inbox) -> None:
        """Call whoever wants to be called, without any lock. No insert may fail for what goes wrong there."""
        if inbox.wake is not None:
            try:
                inbox.wake()
            except Exception as error:  # noqa: BLE001  (told to whoever asks for the next arrival)
                self.leave(inbox, error)

    # --- within

    @contextmanager
    def _telling(self) -> Iterator[list[Inbox]]:
        """Takes the lock; afterwards, without it, wakes whoever was put on the list."""
        woken: list[Inbox] = []
        with self.lock:
            yield woken
        for inbox in woken:
            self.wake(inbox)

    def _tell(self, notice: Notice, woken: list[Inbox]) -> None:
        followed = self.followed
        concerned = {each: None for number in notice.numbers for each in followed.get(number, ())}
        if notice.bytes > self._limit:
            # Nobody could take it, and others need not suffer.
            for each in concerned:
                self._cut_off(each, woken)
            return
        woken += [each for each in concerned if self._put(each, notice, each.streams)]
        while self.bytes > self._limit:
            self._cut_off(min(self._waiting, key=_oldest), woken)

    def _put(self, inbox: Inbox, notice: Notice, streams: dict[int, Stream]) -> bool:
        if not notice.holders:
            self._sequence += 1
            notice.sequence = self._sequence
            self.bytes += notice.bytes
        notice.holders += 1
        self.bytes += _PLACE_BYTES
        self._waiting[inbox] = None
        return inbox.put(notice, streams)

    def _cut_off(self, inbox: Inbox, woken: list[Inbox]) -> None:
        self._leave(inbox)
        self._forget(inbox)
        inbox.cut_off()
        woken.append(inbox)

    def _forget(self, inbox: Inbox) -> None:
        for notice in inbox.clear():
            self.taken(inbox, notice)

    def _leave(self, inbox: Inbox) -> None:
        self._drop(inbox, list(inbox.streams))
        self._everyone.pop(inbox, None)

    def _drop(self, inbox: Inbox, numbers: list[int]) -> None:
        leaving = inbox.streams.keys() & numbers
        kept = inbox.streams.items()
        inbox.streams = {number: each for number, each in kept if number not in leaving}
        for number in leaving:
            self.followed[number].remove(inbox)
            if not self.followed[number]:
                del self.followed[number]
                self._mask[number] = False

    def _follow(self, inbox: Inbox, number: int) -> None:
        if number + 1 >= len(self._mask):
            more = np.zeros(max(number + 2, 2 * len(self._mask)) - len(self._mask), np.bool_)
            self._mask = np.concatenate([self._mask, more])
        self._mask[number] = True
        self.followed.setdefault(number, []).append(inbox)


def _end_of(number: int) -> Notice:
    nothing = np.empty(0, np.int64)
    return Notice([number], [], nothing, nothing, Merge.NEVER)


def _oldest(inbox: Inbox) -> int:
    notice = inbox.oldest
    return 0 if notice is None else notice.sequence
