"""Collecting until told to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from otrdb.collect.holding import Holding, Taken
from otrdb.collect.schedule import due_rounds
from otrdb.errors import Damaged, DiskFull, TimeOutOfRange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otrdb.collect.clock import Clock
    from otrdb.collect.protocol import Collector, Reading
    from otrdb.collect.recorder import Recorder


_UPKEEP_EVERY: Final = 3_600 * 10**9


@dataclass(slots=True)
class Status:
    """How the collecting goes; what observers show. Counts are of this run."""

    rounds: int = 0
    points: int = 0
    missed: int = 0
    held: int = 0
    dropped: int = 0
    lost: int = 0
    clock_is_right: bool = False
    time: int = 0
    readings: Sequence[Reading] = ()
    faults: Sequence[str] = field(default_factory=tuple)


@dataclass(slots=True)
class Loop:
    """A collector, where its rounds go, and the clock they are stamped by.

    Until `clock_is_right` says so for the first time, rounds are held, at most `hold` of them; then they are
    stored with the times they were taken at. Rounds are lost, and counted, while the disk is full
    or the archive does not accept their time.
    """

    collector: Collector
    recorder: Recorder
    clock: Clock
    clock_is_right: Callable[[], bool]
    every: int
    hold: int
    observe: Callable[[Status], None]
    upkeep: Callable[[], object] = lambda: None
    """Is called once an hour while the clock is right: it may drop what is too old by it."""
    _upkeep_at: int = 0

    def run(self, wait: Callable[[float], bool], rounds: int | None = None) -> Status:
        """Collects until `wait` returns True, or for so many `rounds`."""
        status, holding = Status(), Holding(self.hold)
        for missed in due_rounds(self.every, self.clock.steady, wait):
            status.missed += missed
            self._round(status, holding)
            self.observe(status)
            if status.rounds == rounds:
                break
        return status

    def _round(self, status: Status, holding: Holding) -> None:
        steady = self.clock.steady()
        status.readings, status.faults = self.collector.read()
        status.rounds += 1
        holding.add(Taken(steady, status.readings))
        status.clock_is_right = status.clock_is_right or self.clock_is_right()
        offset = self.clock.wall() - self.clock.steady()
        status.time = steady + offset
        if status.clock_is_right:
            self._store(status, holding.release(offset))
            self._keep_up(status, steady)
        status.held, status.dropped = len(holding), holding.dropped

    def _keep_up(self, status: Status, steady: int) -> None:
        if steady < self._upkeep_at:
            return
        self._upkeep_at = steady + _UPKEEP_EVERY
        try:
            self.upkeep()
        except (DiskFull, Damaged) as error:
            status.faults = [*status.faults, str(error)]

    def _store(self, status: Status, rounds: Sequence[Taken]) -> None:
        try:
            status.points += self.recorder.store(rounds)
        except (DiskFull, TimeOutOfRange) as error:
            status.lost += len(rounds)
            status.faults = [*status.faults, str(error)]
