"""How much the server works on at a time: what is beyond that is refused at once, not queued."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otrdb.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be in flight. A call whose answers wait to be read is, too, but keeps no thread busy."""

    calls: int = 256
    """Calls of all clients together."""
    calls_of_one: int = 128
    """Calls of one connection. BTrDB's client makes up to 32 at once."""
    talks: int = 1_000
    """Calls in which both sides speak for as long as they like, as in subscriptions: counted apart."""
    request_bytes: int = 64 << 20
    """Bytes of all requests that are being answered."""
    request: int = 4 << 20
    """Bytes of one request; gRPC refuses more. 50,000 points, which clients send at once, take 1 MB."""
    gathered: int = 128 << 20
    """Bytes of the requests of one call that has many; of all such calls together twice as many."""


class Load:
    """What is in flight. Used on one thread, the event loop's."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._calls = 0
        self._bytes = 0
        self._of_one = Counter[str]()

    @contextmanager
    def call(self, peer: str, size: int) -> Iterator[None]:
        """A call of that client while it lasts, with a request of ``size`` bytes; or `Overloaded`."""
        self._check(peer, size)
        self._calls += 1
        self._bytes += size
        self._of_one[peer] += 1
        try:
            yield
        finally:
            self._calls -= 1
            self._bytes -= size
            self._of_one[peer] -= 1
            if not self._of_one[peer]:
                del self._of_one[peer]

    def _check(self, peer: str, size: int) -> None:
        limits = self._limits
        if self._calls >= limits.calls:
            raise Overloaded(f"The server is answering {self._calls} calls already.")
        if self._of_one[peer] >= limits.calls_of_one:
            raise Overloaded(
                f"{self._of_one[peer]} calls of this connection are being answered.",
                advice="Make fewer at once.",
            )
        if self._bytes + size > limits.request_bytes:
            raise Overloaded("The server is busy with other clients' data.")
