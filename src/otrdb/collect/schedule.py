"""When the next round is due."""

from __future__ import annotations

import queue
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Handler: TypeAlias = "Callable[[int, Any], Any]"

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """A wish to stop. `set` may be called from a signal handler, where a lock could deadlock."""

    def __init__(self) -> None:
        self._wishes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopped = False

    def set(self) -> None:
        """Wakes whoever waits, for good."""
        self._wishes.put(None)

    def wait(self, seconds: float) -> bool:
        """Waits that long or until stopped; says whether stopped."""
        if not self._stopped:
            try:
                self._wishes.get(timeout=max(0.0, seconds))
                self._stopped = True
            except queue.Empty:
                pass
        return self._stopped


def due_rounds(every: int, now: Callable[[], int], wait: Callable[[float], bool]) -> Iterator[int]:
    """Yields when a round is due, first at once, until `wait` says to stop; each time the rounds missed
    before it.

    Rounds are due at start + k * `every` (ns): what a round takes does not add up. A round that is late by
    whole intervals leaves those out instead of catching up.
    """
    due, missed = now(), 0
    while not wait((due - now()) / 1e9):
        yield missed
        due += every
        missed = max(0, now() - due) // every
        due += missed * every


@contextmanager
def stopping_on_signals(second: Handler = signal.default_int_handler) -> Iterator[Stop]:
    """A `Stop` that Ctrl-C, SIGTERM and the end of the terminal set, unless they are ignored (nohup).

    What comes a second time is handled by `second`, which interrupts whatever takes so long.
    """
    stop = Stop()

    def handle(number: int, _: object) -> None:
        signal.signal(number, second)
        stop.set()

    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heeded}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
