"""Coding leaves on several threads: pcodec releases the GIL, and coding is the dearest step of a commit."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Item = TypeVar("Item")
Made = TypeVar("Made")

_MOST_THREADS = 4


def _processors() -> int:
    """Processors this process may run on: more threads than that only wait for each other."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


class Encoder:
    """A pool of threads, started when there is enough to do for more than one."""

    def __init__(self) -> None:
        self._threads = min(_MOST_THREADS, _processors())
        self._pool: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[Item], Made], items: Iterable[Item]) -> Iterable[Made]:
        """``function`` of every item, in order."""
        work: Sequence[Item] = list(items)
        if len(work) < 2 or self._threads < 2:
            return map(function, work)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="otrdb-encode")
        return self._pool.map(function, work)

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
