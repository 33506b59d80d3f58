"""The points every contender is given: made in batches, the same for the same seed, never timed.

`sensor` is the workload the peers were measured on: t = start + i * interval + uniform jitter (0 to 1 ms at
100 Hz, in ns), v = 100 sin(period 60 s) + normal noise of deviation 1, rounded to three decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from otrdb.model import Array, Int64Array, Kind

SECOND: Final = 1_000_000_000
START: Final = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""

PERIOD: Final = 60 * SECOND
MOST_JITTER: Final = 1_000_000
POINT_BYTES: Final = 16
"""A point as it is handed over: an int64 time and an 8-byte value."""

Values: TypeAlias = Callable[[np.random.Generator, Int64Array], Array]
"""Makes the values at some times; called with consecutive times."""


class Batch(NamedTuple):
    """Points in order of time."""

    times: Int64Array
    values: Array


@dataclass(frozen=True)
class Workload:
    """A stream of points: its kind, its rate in Hz, and what makes its values."""

    name: str
    kind: Kind
    rate: float
    make_values: Callable[[], Values]
    seed: int = 1

    @property
    def interval(self) -> int:
        """ns from one point to the next, but for the jitter."""
        return round(SECOND / self.rate)

    @property
    def jitter(self) -> int:
        """Times are late by 0 to this many ns: a tenth of the interval, at most 1 ms."""
        return max(1, min(MOST_JITTER, self.interval // 10))

    def end(self, points: int) -> int:
        """The end of the range that the first ``points`` points lie in."""
        return START + points * self.interval

    def batches(self, points: int, size: int = 100_000) -> Iterator[Batch]:
        """The first ``points`` points in batches of ``size``."""
        generator = np.random.default_rng(self.seed)
        values = self.make_values()
        for first in range(0, points, size):
            count = min(size, points - first)
            index = np.arange(first, first + count, dtype=np.int64)
            times = START + index * self.interval + generator.integers(0, self.jitter, count)
            yield Batch(times, values(generator, times))


def _sensor_values() -> Values:
    def values(generator: np.random.Generator, times: Int64Array) -> Array:
        phase = ((times - START) % PERIOD) * (2 * np.pi / PERIOD)
        rounded: Array = np.round(100 * np.sin(phase) + generator.normal(size=len(times)), 3)
        return rounded

    return values


def _running(steps: Callable[[np.random.Generator, int], Array], first: float) -> Values:
    """Values that are the running sum of steps."""
    last = np.array(first)

    def values(generator: np.random.Generator, times: Int64Array) -> Array:
        nonlocal last
        sums: Array = last + np.cumsum(steps(generator, len(times)))
        last = sums[-1]
        return sums

    return values


def _walk_values() -> Values:
    return _running(lambda generator, count: generator.normal(size=count), 0.0)


def _counter_values() -> Values:
    return _running(lambda generator, count: generator.poisson(3, count), 0)


def _flag_values() -> Values:
    flips = _running(lambda generator, count: generator.random(count) < 1 / 200, 0)

    def values(generator: np.random.Generator, times: Int64Array) -> Array:
        state: Array = flips(generator, times) % 2 == 1
        return state

    return values


def sensor(rate: float = 100.0, seed: int = 1) -> Workload:
    """The peers' workload."""
    return Workload("sensor", Kind.FLOAT, rate, _sensor_values, seed)


def random_walk(rate: float = 100.0, seed: int = 1) -> Workload:
    """Full float64 mantissas: steps are normal, of deviation 1."""
    return Workload("random walk", Kind.FLOAT, rate, _walk_values, seed)


def counter(rate: float = 100.0, seed: int = 1) -> Workload:
    """An integer that grows by 3 on average."""
    return Workload("counter", Kind.INT, rate, _counter_values, seed)


def flag(rate: float = 100.0, seed: int = 1) -> Workload:
    """A bool that flips every 200 points on average."""
    return Workload("flag", Kind.BOOL, rate, _flag_values, seed)
