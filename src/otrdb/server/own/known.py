"""The streams of batches, which come again and again: to look one up costs more than to store its point."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from otrdb.server.asking import stream_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb import Archive, Stream

MOST: Final = 16
"""Lists of streams that are remembered."""


class KnownStreams:
    """Remembers the lists of streams that were asked for last. Safe to use from several threads.

    A uuid always means the same stream; one that was obliterated says so when it is used.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], tuple[Stream, ...]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, archive: Archive, identities: Iterable[bytes]) -> tuple[Stream, ...]:
        """The streams with these uuids: the very same tuple for the same uuids, if they are remembered."""
        wanted = tuple(identities)
        known = self._known.get(wanted)
        if known is not None:
            return known
        found = tuple(stream_of(archive, identity) for identity in wanted)
        if len(found) > 1:
            with self._lock:
                if len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[wanted] = found
        return found
