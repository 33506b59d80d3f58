"""A bounded cache of decoded blocks, shared by all streams of an archive.

A clock (Corbató, "A Paging Experiment with the Multics System", 1968) instead of a list of uses: entries lie
in a ring in the order they came; the oldest leaves when room is needed, unless it was asked for since it was
last looked at, then it goes round once more. So all of the budget serves what is asked for again, and a hit
costs one dictionary look-up and no lock.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable


Kept: TypeAlias = Any
"""A decoded block: whoever asks by its key knows its type."""


class _Entry:
    """What is kept under a key, and whether it was asked for since it was last looked at."""

    __slots__ = ("size", "used", "value")

    def __init__(self, value: Kept, size: int) -> None:
        self.value = value
        self.size = size
        self.used = False


class Cache:
    """At most ``budget`` bytes of immutable objects by key. Safe for many threads."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        """The ring, oldest first."""
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Kept:
        """The object stored under ``key``, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.used = True
        return entry.value

    def put(self, key: Hashable, value: Kept, size: int) -> None:
        """Keep ``value``, of ``size`` bytes, for a while. Larger than half the budget: not kept."""
        with self._lock:
            self._forget(key)
            if 2 * size > self._budget:
                return
            while self._size + size > self._budget:
                self._turn()
            self._entries[key] = _Entry(value, size)
            self._size += size

    def drop(self, key: Hashable) -> None:
        """Forget ``key``."""
        with self._lock:
            self._forget(key)

    def _turn(self) -> None:
        """Look at the oldest entry: it goes round once more, or away."""
        key = next(iter(self._entries))
        entry = self._entries[key]
        if entry.used:
            entry.used = False
            self._entries.move_to_end(key)
        else:
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._size

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._size = 0
