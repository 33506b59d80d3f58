"""A bounded cache of decoded blocks, shared by all streams of an archive.

Two generations instead of a list of uses: what is asked for lives in the young one; when that holds half the
budget it becomes the old one and what the old one still held is dropped. A hit costs one dictionary look-up
and no lock.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable


Kept: TypeAlias = Any
"""A decoded block: whoever asks by its key knows its type."""


class Cache:
    """At most ``budget`` bytes of immutable objects by key. Safe for many threads."""

    def __init__(self, budget: int) -> None:
        self._half = budget // 2
        self._young: dict[Hashable, tuple[Kept, int]] = {}
        self._old: dict[Hashable, tuple[Kept, int]] = {}
        self._young_bytes = 0
        self._old_bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Kept:
        """The object stored under ``key``, or None."""
        entry = self._young.get(key)
        if entry is not None:
            return entry[0]
        entry = self._old.get(key)
        if entry is None:
            return None
        self.put(key, *entry)
        return entry[0]

    def put(self, key: Hashable, value: Kept, size: int) -> None:
        """Keep ``value``, of ``size`` bytes, for a while. Larger than half the budget: not kept."""
        with self._lock:
            self._forget(key)
            if size > self._half:
                return
            if self._young_bytes + size > self._half:
                self._old, self._old_bytes = self._young, self._young_bytes
                self._young, self._young_bytes = {}, 0
            self._young[key] = (value, size)
            self._young_bytes += size

    def drop(self, key: Hashable) -> None:
        """Forget ``key``."""
        with self._lock:
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        replaced = self._young.pop(key, None)
        if replaced is not None:
            self._young_bytes -= replaced[1]
        replaced = self._old.pop(key, None)
        if replaced is not None:
            self._old_bytes -= replaced[1]

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._young_bytes + self._old_bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._young, self._old = {}, {}
            self._young_bytes = self._old_bytes = 0
