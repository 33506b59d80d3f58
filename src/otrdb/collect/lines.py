"""How the collecting goes, as a line every few seconds: for logs and pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.collect.figures import figure
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb.collect.loop import Status
    from otrdb.collect.protocol import Reading

_SHOWN: Final = 4
_TROUBLES: Final = ("missed", "held", "dropped", "lost")


class Lines:
    """Prints with `write`, at most every `interval` ns; what goes wrong for the first time at once."""

    def __init__(self, write: Callable[[str], None], interval: int) -> None:
        self._write = write
        self._interval = interval
        self._printed: int | None = None
        self._known: set[str] = set()

    def __call__(self, status: Status) -> None:
        """Shows a round, or leaves it out."""
        for fault in set(status.faults) - self._known:
            self._write(f"{_moment(status)} fault: {fault}")
        self._known |= set(status.faults)
        if self._printed is None or not 0 <= status.time - self._printed < self._interval:
            self._write(line(status))
            self._printed = status.time


def line(status: Status) -> str:
    """The state after a round."""
    troubles = [f"{name}={getattr(status, name)}" for name in _TROUBLES if getattr(status, name)]
    counts = [f"rounds={status.rounds}", f"points={status.points}"]
    return " ".join([_moment(status), *counts, *troubles, *_values(status)])


def _moment(status: Status) -> str:
    return format_ns(status.time // 10**9 * 10**9) if status.clock_is_right else "clock-not-set"


def _values(status: Status) -> list[str]:
    """The first reading of each of the first few collections."""
    firsts: dict[str, Reading] = {}
    for reading in status.readings:
        firsts.setdefault(reading.source.collection, reading)
    return [
        f"{source.collection}/{source.name}={figure(value, source.unit).replace(' ', '')}"
        for source, value in list(firsts.values())[:_SHOWN]
    ]
