"""``python -m benchmarks.year``: a year of an archive's life, by a clock that runs ahead.

Every simulated hour brings an hour of points of streams at 1 Hz and at 1 per minute, in one batch each. Every
day the rules are applied and space is given back, while another thread goes on inserting; how long it had to
wait at most is measured. At the end: the size on disk against what the blocks of all kept versions take, and
the time to open.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import numpy as np

import otrdb
from otrdb.engine.census import Census

from .context import STREAM
from .machine import size_on_disk
from .workload import SECOND, START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.model import Array, Int64Array

HOUR: Final = 3_600 * SECOND
HOURS: Final = 24
RAW: Final = "30d"
"""How long points stay as they came."""


class Clock:
    """Wall-clock time as the simulation has it."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        """Nanoseconds since 1970."""
        return self.now


class Signal:
    """Streams of one rate: wandering values with noise, two decimals."""

    def __init__(self, archive: Any, name: str, streams: int, period: int) -> None:  # noqa: ANN401
        self.streams = tuple(archive.create(f"{STREAM}/{name}/{number}") for number in range(streams))
        self._per_hour = HOUR // period
        self._period = period
        self._rng = np.random.default_rng(period)
        self._index = np.repeat(np.arange(streams), self._per_hour)

    def hour(self, start: int) -> tuple[Int64Array, Int64Array, Array]:
        """One hour of all of them: stream index, times, values."""
        shape = (len(self.streams), self._per_hour)
        times = (
            start + self._period * np.arange(self._per_hour) + self._rng.integers(0, SECOND // 1000, shape)
        )
        daily = 10 * np.sin(2 * np.pi * (times % (HOURS * HOUR)) / (HOURS * HOUR))
        values = np.round(daily + self._rng.normal(0, 0.1, shape), 2)
        return self._index, times.reshape(-1), values.reshape(-1)


@dataclass
class Found:
    """What came out."""

    streams: int
    days: int
    points: int = 0
    seconds: float = 0.0
    bytes_on_disk: int = 0
    bytes_live: int = 0
    share: float = 0.0
    """Bytes on disk for each byte of blocks that some kept version needs."""
    open_seconds: float = 0.0
    longest_wait_milliseconds: float = 0.0
    waits_over_50_milliseconds: int = 0
    segments_given_back: int = 0
    daily_bytes: list[int] = field(default_factory=list)


class Waiting:
    """A thread that goes on inserting single points, and notes how long it had to wait."""

    def __init__(self, archive: Any) -> None:  # noqa: ANN401
        self._stream = archive.create(f"{STREAM}/waiting")
        self._time = START
        self.milliseconds: list[float] = []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Inserts within."""
        over = threading.Event()
        thread = threading.Thread(target=self._insert, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _insert(self, over: threading.Event) -> None:
        while not over.wait(0.002):
            self._time += 1
            begun = time.perf_counter()
            self._stream.insert(self._time, 1.0)
            self.milliseconds.append(1e3 * (time.perf_counter() - begun))


def simulate(path: Path, streams: int, days: int) -> Found:
    """A year, or so many days, of ``streams`` at 1 Hz and as many at 1 per minute."""
    found, clock, begun = Found(streams, days), Clock(START), time.perf_counter()
    with patch("time.time_ns", clock), otrdb.open(path) as archive:
        signals = [Signal(archive, "fast", streams, SECOND), Signal(archive, "slow", streams, 60 * SECOND)]
        archive.set_thinning(RAW, prefix=STREAM)
        waiting = Waiting(archive)
        for day in range(days):
            for hour in range(HOURS):
                start = START + (day * HOURS + hour) * HOUR
                clock.now = start + HOUR
                for signal in signals:
                    index, times, values = signal.hour(start)
                    archive.insert_columns(index, times, values, signal.streams)
                    found.points += len(times)
            with waiting.going_on():
                archive.expire()
                found.segments_given_back += archive.compact(newest=False).segments
            found.daily_bytes.append(size_on_disk(path))
        found.bytes_live = sum(Census(archive._engine.core).live.values())
    found.bytes_on_disk = size_on_disk(path)
    found.share = found.bytes_on_disk / found.bytes_live
    found.open_seconds = median(_open(path) for _ in range(3))
    found.longest_wait_milliseconds = max(waiting.milliseconds, default=0.0)
    found.waits_over_50_milliseconds = sum(spent > 50 for spent in waiting.milliseconds)
    found.seconds = time.perf_counter() - begun
    return found


def _open(path: Path) -> float:
    begun = time.perf_counter()
    otrdb.open(path).close()
    return time.perf_counter() - begun


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.year", description=__doc__)
    parser.add_argument("--streams", type=int, default=200, help="at 1 Hz, and as many at 1 per minute")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument(
        "--work", type=Path, default=Path("bench/work/year"), help="where the archive is made"
    )
    parser.add_argument("--output", type=Path, default=Path("bench/results/year.json"))
    options = parser.parse_args()
    found = asdict(simulate(options.work, options.streams, options.days))
    options.output.write_text(json.dumps(found, indent=1) + "\n")
    for name, value in found.items():
        if name != "daily_bytes":
            print(f"{name:30} {value:,}")


if __name__ == "__main__":
    main()
