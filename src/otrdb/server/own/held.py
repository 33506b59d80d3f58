"""Snapshots without a name, which the server holds for its clients: each for a time that is renewed."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otrdb.errors import Overloaded, VersionNotAvailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otrdb import Snapshot

SECONDS: Final = 60.0
"""A snapshot is let go that long after its client was last heard of."""

MOST_OF_A_CLIENT: Final = 32
MOST: Final = 512


@dataclass(slots=True)
class _Lease:
    client: bytes
    snapshot: Snapshot
    ends: float


class Held:
    """The snapshots held, by numbers that nobody guesses. Those that ended are let go by a timer.

    Safe to use from several threads. Close it when the server stops.
    """

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._leases: dict[int, _Lease] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def __len__(self) -> int:
        return len(self._leases)

    def hold(self, client: bytes, snapshot: Snapshot) -> int:
        """Hold a snapshot for a client; returns its number. `Overloaded` if it or all hold too many."""
        with self._lock:
            self._let_go()
            theirs = sum(lease.client == client for lease in self._leases.values())
            if theirs >= MOST_OF_A_CLIENT or len(self._leases) >= MOST:
                raise Overloaded(
                    f"This client holds {theirs} snapshots, all together {len(self._leases)}.",
                    advice="Close some, or keep them by a name.",
                )
            number = secrets.randbits(63) | 1
            self._leases[number] = _Lease(client, snapshot, self._clock() + self.seconds)
            self._watch()
            return number

    def snapshot(self, number: int) -> Snapshot:
        """The snapshot held under a number, and renewed by it; `VersionNotAvailable` if there is none."""
        with self._lock:
            self._let_go()
            lease = self._leases.get(number)
            if lease is None:
                raise VersionNotAvailable(
                    "The server does not hold this snapshot any more: it lost sight of the client, or was "
                    "started anew.",
                    advice="Take another one; one with a name is kept.",
                )
            lease.ends = self._clock() + self.seconds
            return lease.snapshot

    def renew(self, numbers: Iterable[int]) -> None:
        """Hold those that are still there for another while."""
        with self._lock:
            self._let_go()
            for number in numbers:
                if number in self._leases:
                    self._leases[number].ends = self._clock() + self.seconds

    def release(self, numbers: Iterable[int]) -> None:
        """Let go of snapshots."""
        with self._lock:
            for number in numbers:
                self._end(number)

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            for number in list(self._leases):
                self._end(number)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _let_go(self) -> None:
        """Let go of those that ended."""
        now = self._clock()
        for number in [number for number, lease in self._leases.items() if lease.ends <= now]:
            self._end(number)

    def _end(self, number: int) -> None:
        lease = self._leases.pop(number, None)
        if lease is not None:
            lease.snapshot.close()

    def _watch(self) -> None:
        """Look again after a while, as long as something is held."""
        if self._timer is None and self._leases:
            self._timer = threading.Timer(self.seconds, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
            self._let_go()
            self._watch()
