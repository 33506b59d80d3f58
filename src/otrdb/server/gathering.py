"""Calls with many requests: all are taken in before the call is answered, within a bound on memory."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from otrdb.errors import InsertTooBig, Overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from otrdb.server.limits import Limits


class Gathering:
    """Takes in requests, on the event loop alone.

    Raises `InsertTooBig` if a call has too many, and `Overloaded` if all calls have.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.gathered
        self._held = 0

    @asynccontextmanager
    async def all(self, requests: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
        """All requests of a call; they count until the block ends."""
        taken, size = list[bytes](), 0
        try:
            async for request in requests:
                size += len(request)
                self._held += len(request)
                self._check(size)
                taken.append(request)
            yield taken
        finally:
            self._held -= size

    def _check(self, size: int) -> None:
        if size > self._most:
            raise InsertTooBig(f"This server takes at most {self._most} bytes of points in one insert.")
        if self._held > 2 * self._most:
            raise Overloaded("Other large inserts are under way.")
