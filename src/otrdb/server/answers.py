"""The answers to one call, made some at a time by the threads of a pool."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

AT_ONCE: Final = 1 << 18
"""Bytes of answers that are made before they are sent: short answers are made in one go."""


class Answers:
    """Takes messages from where they are made. One thread at a time does so, any may stop it."""

    def __init__(self, messages: Generator[bytes | None, None, None], at_once: int = AT_ONCE) -> None:
        self._messages = messages
        self._at_once = at_once
        self._working = threading.Lock()
        self._stopped = False

    @property
    def ended(self) -> bool:
        """Whether there are no more, now and later."""
        return inspect.getgeneratorstate(self._messages) == inspect.GEN_CLOSED

    def take(self) -> tuple[list[bytes], bool]:
        """The next messages, and whether there may be more now: there are not where None is among them."""
        with self._working:
            taken: list[bytes] = []
            size = 0
            while not self._stopped and size < self._at_once:
                message = next(self._messages, None)
                if message is None:
                    return taken, False
                taken.append(message)
                size += len(message)
            return taken, not self._stopped

    def stop(self) -> None:
        """No more messages: what made them lets go of what it holds, after the one it is at."""
        self._stopped = True
        with self._working:
            self._messages.close()
