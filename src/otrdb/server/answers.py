"""The answers to one call, made some at a time by the threads of a pool."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

AT_ONCE: Final = 1 << 18
"""Bytes of answers that are made before they are sent: short answers are made in one go."""


class Answers:
    """Takes messages from where they are made. One thread at a time does so, any may stop it."""

    def __init__(self, messages: Generator[bytes, None, None]) -> None:
        self._messages = messages
        self._working = threading.Lock()
        self._stopped = False

    def take(self) -> tuple[list[bytes], bool]:
        """The next messages, and whether there may be more."""
        with self._working:
            taken: list[bytes] = []
            size = 0
            while not self._stopped and size < AT_ONCE:
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
