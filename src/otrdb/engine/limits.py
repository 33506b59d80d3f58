"""Limits on what a client that has gone astray may do to an archive."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from otrdb.errors import InvalidArgument, TooManyStreams

_MINUTE: Final = 60.0


class NewStreams:
    """At most so many new streams in any minute; None is no limit. Used while creating is locked."""

    def __init__(self, most: int | None) -> None:
        if most is not None and most < 1:
            raise InvalidArgument(
                f"new_streams={most!r} lets nobody create.", advice="Give 1 or more, or None."
            )
        self._most = most
        self._created: deque[float] = deque()

    def check(self) -> None:
        """Raise `TooManyStreams` if the minute is full."""
        if self._most is None:
            return
        now = time.monotonic()
        while self._created and self._created[0] <= now - _MINUTE:
            self._created.popleft()
        if len(self._created) >= self._most:
            raise TooManyStreams(
                f"{self._most} streams were created within a minute, the limit of this archive."
            )

    def created(self) -> None:
        """A stream was created."""
        if self._most is not None:
            self._created.append(time.monotonic())
