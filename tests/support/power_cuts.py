"""Power cuts at every step of a history: before each write, sync and change of size of a medium in memory."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from otrdb.engine.core import Budget
from otrdb.engine.opening import open_medium
from otrdb.storage.durability import Durability
from tests.support.faulty import Change, Fault, FaultyMedium, Operation, Survives, everything, nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otrdb import Archive
    from otrdb.storage.medium import Medium

MEBIBYTE = 1 << 20


def opened(
    medium: Medium, durability: str = "sync", *, journal: int = MEBIBYTE, memory: int = 32 << 20
) -> Archive:
    """An archive on a medium, for writing; its journal files have a quarter of ``journal``."""
    return open_medium(
        medium,
        writable=True,
        durability=Durability.parse(durability),
        budget=Budget(memory),
        journal_cap=journal,
    )


class WatchedMedium(FaultyMedium):
    """Calls `watch` before every change; what it finds then is what a power cut there would leave."""

    def __init__(self, other: FaultyMedium) -> None:
        super().__init__(other.crash(everything)._live)
        self.watch: Callable[[], None] | None = None

    def begin(self, operation: Operation, growth: int = 0) -> Fault | None:
        watch, self.watch = self.watch, None
        if watch is not None and operation != "read":
            watch()
        self.watch = watch
        return super().begin(operation, growth)


def some(seed: int) -> Survives:
    """About half of the unsynced changes survive."""
    random_ = random.Random(seed)
    return lambda change: (change,) if random_.random() < 0.5 else ()


def torn(seed: int) -> Survives:
    """Of every unsynced change some part survives: its beginning, its end, or what is between two places."""
    random_ = random.Random(seed)

    def survives(change: Change) -> Iterable[Change]:
        if change.data is None:
            return (change,)
        ends = (
            0,
            random_.randint(0, len(change.data)),
            random_.randint(0, len(change.data)),
            len(change.data),
        )
        low, high = sorted(random_.sample(ends, 2))
        return (Change(change.offset + low, change.data[low:high]),)

    return survives


def ending(change: Change) -> Iterable[Change]:
    """Of every unsynced write the second half survives: a record without the blocks it speaks of."""
    middle = len(change.data) // 2 if change.data is not None else 0
    return (change,) if change.data is None else (Change(change.offset + middle, change.data[middle:]),)


def cuts(seed: int) -> list[Survives]:
    """What a power cut may leave of what was not synced."""
    return [nothing, everything, ending, some(seed), torn(seed)]
