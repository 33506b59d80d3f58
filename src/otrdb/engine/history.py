"""Which old versions are kept.

By default all versions of the last hour, one per hour for a day and one per day for 7 days: of every hour
(day) the newest. The latest version and those a named snapshot holds are always kept. A pruned version
answers `VersionNotAvailable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from .state import Committed

_SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * _SECOND
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class History:
    """How long versions are kept: all, then one per hour, then one per day; widths in ns."""

    every: int = HOUR
    hourly: int = DAY
    daily: int = 7 * DAY

    def prunable(
        self, versions: Sequence[Committed], now: int, kept: Container[int] = frozenset()
    ) -> list[int]:
        """The version numbers that need not be kept at ``now`` (ns); ``versions``, one or more, ascend."""
        pruned: list[int] = []
        bucket = self._bucket(versions[-1].time, now)
        for committed in reversed(versions[:-1]):
            newer, bucket = bucket, self._bucket(committed.time, now)
            if committed.version in kept:
                continue
            if bucket is None or (bucket == newer and bucket[0] != 0):
                pruned.append(committed.version)
        return pruned[::-1]

    def _bucket(self, time: int, now: int) -> tuple[int, int] | None:
        """Versions of one bucket compete for one place; None: too old for any."""
        age = now - time
        if age < self.every:
            return (0, time)
        if age < self.hourly:
            return (HOUR, time // HOUR)
        if age < self.daily:
            return (DAY, time // DAY)
        return None
