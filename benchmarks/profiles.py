"""How much of everything: sizes and repeats of the profiles."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

MILLION: Final = 1_000_000

RATES: Final = (0.01, 0.1, 1.0, 10.0, 60.0, 100.0, 120.0, 240.0, 475.0, 950.0, 1_000.0, 10_000.0)
"""Hz. The tree's levels are 16 apart; 60 to 950 Hz meet every place of a stream between two of them."""

VIEW_RATES: Final = (60.0, 120.0, 240.0, 475.0, 950.0)


@dataclass(frozen=True)
class Profile:
    """Sizes of one run."""

    name: str
    points: int
    """In the archive that is queried, at 100 Hz."""
    checkpoints: tuple[int, ...]
    """Sizes at which the growing archive is measured; the last is `points`."""
    bulk_points: int
    repeats: int
    """Whole repeats of the bulk inserts."""
    kind_points: int
    rate_points: int
    backfill_points: int
    footprint_points: int
    live_streams: int
    batch: int = 100_000
    """Points per durable insert."""
    wide_streams: int = 1_000
    wide_rounds: int = 100
    singles: int = 5_000
    tail_rounds: int = 300
    trickle_rounds: int = 20_000
    asked_rounds: int = 600
    server_points: int = 5_000_000
    polled_streams: int = 1_000
    positions: int = 5
    """Places a view of one zoom is asked at."""
    warm: int = 20
    """Warm repeats per place."""
    seconds: float = 0.1
    """A contender whose warm repeats in one case took longer stops repeating."""
    rate_contenders: tuple[str, ...] = ("tree", "chunked", "duckdb")
    """Who is tried at every rate."""
    rates: tuple[float, ...] = RATES
    caps: dict[str, int] = field(default_factory=dict)
    """Most points some contenders are given."""

    def cap(self, contender: str, points: int) -> int:
        """How many of ``points`` this contender is given."""
        return min(points, self.caps.get(contender, points))

    def resized(self, points: int) -> Profile:
        """The same profile with archives of at most ``points``; with few points, fewer of everything."""
        batch = min(self.batch, max(points // 10, 1))
        few = max(points // 1_000, 1)
        return replace(
            self,
            points=points,
            batch=batch,
            repeats=min(self.repeats, few),
            positions=min(self.positions, few),
            warm=min(self.warm, few),
            checkpoints=checkpoints(points, batch),
            bulk_points=min(self.bulk_points, points),
            kind_points=min(self.kind_points, points),
            rate_points=min(self.rate_points, points),
            backfill_points=min(self.backfill_points, points),
            footprint_points=min(self.footprint_points, points),
            live_streams=min(self.live_streams, few),
            wide_streams=min(self.wide_streams, few),
            wide_rounds=min(self.wide_rounds, few),
            singles=min(self.singles, few),
            tail_rounds=min(self.tail_rounds, few),
            trickle_rounds=min(self.trickle_rounds, few),
            asked_rounds=min(self.asked_rounds, few),
            server_points=min(self.server_points, points),
            polled_streams=min(self.polled_streams, few),
        )


def checkpoints(points: int, batch: int) -> tuple[int, ...]:
    """A tenth, a third and the whole of ``points``, all but the last in whole batches."""
    return tuple(sorted({points // share // batch * batch for share in (10, 3)} | {points}))


PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile(
            "quick",
            points=10 * MILLION,
            checkpoints=(MILLION, 3 * MILLION, 10 * MILLION),
            bulk_points=10 * MILLION,
            repeats=3,
            kind_points=MILLION,
            rate_points=MILLION,
            backfill_points=MILLION,
            footprint_points=10 * MILLION,
            live_streams=1_000,
            caps={"sqlite": 3 * MILLION},
        ),
        Profile(
            "full",
            points=300 * MILLION,
            checkpoints=(MILLION, 3 * MILLION, 10 * MILLION, 30 * MILLION, 100 * MILLION, 300 * MILLION),
            bulk_points=10 * MILLION,
            repeats=5,
            kind_points=10 * MILLION,
            rate_points=3 * MILLION,
            backfill_points=10 * MILLION,
            footprint_points=300 * MILLION,
            live_streams=10_000,
            seconds=0.3,
            caps={"sqlite": 10 * MILLION, "flat": 30 * MILLION},
        ),
        Profile(
            "budget",
            points=10 * MILLION,
            checkpoints=(MILLION, 3 * MILLION, 10 * MILLION),
            bulk_points=3 * MILLION,
            repeats=1,
            kind_points=MILLION,
            rate_points=500_000,
            backfill_points=MILLION,
            footprint_points=10 * MILLION,
            live_streams=1_000,
            wide_rounds=50,
            singles=2_000,
            trickle_rounds=2_000,
            asked_rounds=50,
            server_points=500_000,
            polled_streams=200,
            positions=3,
            seconds=0.3,
            rate_contenders=("tree",),
            caps={"sqlite": MILLION, "flat": 3 * MILLION},
        ),
    )
}
