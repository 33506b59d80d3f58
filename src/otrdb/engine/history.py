"""Which old versions are kept.

By default all versions of the last hour, one per hour for a day and one per day for 7 days: of every hour
(day) the newest. The latest version and those a named snapshot holds are always kept. A pruned version
answers `VersionNotAvailable`. `otrdb.engine.rules` says which history which stream has. A stream lets go of
versions when it commits, not at every commit but (see `History.due`) about once a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument, InvalidPointWidth
from otrdb.times import to_width

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from .versions import Committed

EVERYTHING: Final = "all"
"""The text of a history that keeps every version."""

_LONGEST: Final = 1 << 62
_SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * _SECOND
DAY: Final = 24 * HOUR

_LOOKS: Final = 60
"""Looks for prunable versions in the time that all are kept, or in an hour. A look takes time for each
version there is: far too much for every commit of a busy stream.
"""


@dataclass(frozen=True, slots=True)
class History:
    """How long versions are kept: all, then one per hour, then one per day; widths in ns."""

    every: int = HOUR
    hourly: int = DAY
    daily: int = 7 * DAY

    @classmethod
    def parse(cls, text: str) -> History:
        """From "all", or from three widths such as "1h,1d,7d": every version, then one per hour, per day."""
        if text == EVERYTHING:
            return cls(_LONGEST, _LONGEST, _LONGEST)
        try:
            every, hourly, daily = map(to_width, text.split(","))
        except (ValueError, InvalidPointWidth):
            every, hourly, daily = 0, 0, -1
        if not every <= hourly <= daily:
            raise InvalidArgument(
                f"{text!r} is no history.",
                advice='Give "all", or how long to keep all versions, one per hour, one per day: "1h,1d,7d".',
            )
        return cls(every, hourly, daily)

    @property
    def text(self) -> str:
        """What `parse` takes, in ns."""
        if self.every == _LONGEST:
            return EVERYTHING
        return ",".join(f"{width}ns" for width in (self.every, self.hourly, self.daily))

    def due(self, looked: int, now: int) -> bool:
        """Whether to look at ``now`` (ns) what is prunable, after a look at ``looked``; 0 for none yet."""
        return not looked <= now < looked + min(self.every, HOUR) // _LOOKS

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
