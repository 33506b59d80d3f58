"""Temperatures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import psutil

from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_temperatures() -> Iterator[Reading]:
    """Every sensor the kernel knows, in degrees Celsius; none on machines without."""
    if not hasattr(psutil, "sensors_temperatures"):  # it is there on Linux and FreeBSD only
        return
    seen: Counter[str] = Counter()
    for chip, probes in psutil.sensors_temperatures().items():
        for probe in probes:
            name = f"{chip} {probe.label}".strip()
            seen[name] += 1
            numbered = name if seen[name] == 1 else f"{name} {seen[name]}"
            if probe.current is not None:
                yield Reading(Source("temperature", numbered, Kind.FLOAT, "C"), float(probe.current))
