"""How busy the processor is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


class Processor:
    """The busy share of each core since the reading before, %; so the first reading has none."""

    def __init__(self) -> None:
        self._begun = False

    def read(self) -> Iterator[Reading]:
        """All cores together, then one by one."""
        shares = psutil.cpu_percent(percpu=True)
        if self._begun and shares:
            yield _share("total", sum(shares) / len(shares))
            for core, share in enumerate(shares):
                yield _share(f"core{core}", share)
        self._begun = True


def read_load() -> Iterator[Reading]:
    """Processes running or waiting to, averaged over 1, 5 and 15 minutes."""
    for name, load in zip(("1min", "5min", "15min"), psutil.getloadavg(), strict=True):
        yield Reading(Source("load", name, Kind.FLOAT), load)


def _share(name: str, percent: float) -> Reading:
    return Reading(Source("cpu", name, Kind.FLOAT, "%"), percent)
