"""A thread that does something some time after it became due, and sleeps when nothing is due."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from otrdb.errors import OtrError

if TYPE_CHECKING:
    from collections.abc import Callable


class Flusher:
    """Calls ``flush`` once ``interval_s`` after `due` was called, however often it was.

    It ends at the first error of ours: whoever flushes must remember it, and tell the next caller.
    """

    def __init__(self, interval_s: float, flush: Callable[[], None]) -> None:
        self._interval_s = interval_s
        self._flush = flush
        self._due = threading.Event()
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def due(self) -> None:
        """Ask for a flush."""
        self._due.set()
        if self._thread is None:
            self._start()

    def stop(self) -> None:
        """End the thread, without a last flush."""
        self._stop.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="otrdb-flusher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._due.wait()
            self._due.clear()
            if self._stop.wait(self._interval_s):
                return
            try:
                self._flush()
            except OtrError:
                return
