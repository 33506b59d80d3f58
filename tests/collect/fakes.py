"""Collectors and clocks that do what a test tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otrdb.collect.protocol import Reading, Round, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = 10**9

SPEED = Source("motor", "speed", Kind.FLOAT, "1/min")
TURNS = Source("motor", "turns", Kind.INT)
RUNNING = Source("motor/state", "running", Kind.BOOL)


@dataclass
class FakeClock:
    """A steady clock that moves when somebody waits or works, and a wall clock that is `ahead` of it."""

    now: int = 0
    ahead: int = 0

    def wall(self) -> int:
        return self.now + self.ahead

    def steady(self) -> int:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += max(0, round(seconds * SECOND))
        return False


@dataclass
class FakeCollector:
    """Counts its rounds; each takes `work` ns of `clock`."""

    clock: FakeClock
    work: Callable[[int], int] = lambda _: 0
    faults: list[str] = field(default_factory=list)
    rounds: int = 0

    def read(self) -> Round:
        self.rounds += 1
        number = self.rounds
        self.clock.now += self.work(number)
        readings = [Reading(SPEED, number / 2), Reading(TURNS, number), Reading(RUNNING, number % 2 == 0)]
        return Round(readings, self.faults)
