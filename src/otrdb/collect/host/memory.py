"""Memory and swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_memory() -> Iterator[Reading]:
    """Bytes in use and available to programs, and the share that is not available, %."""
    memory = psutil.virtual_memory()
    yield _bytes("memory", "used", memory.used)
    yield _bytes("memory", "available", memory.available)
    yield Reading(Source("memory", "share", Kind.FLOAT, "%"), float(memory.percent))


def read_swap() -> Iterator[Reading]:
    """Bytes in use, and bytes swapped in and out since the machine started; nothing without swap."""
    swap = psutil.swap_memory()
    if swap.total:
        yield _bytes("swap", "used", swap.used)
        yield _bytes("swap", "in", swap.sin)
        yield _bytes("swap", "out", swap.sout)


def _bytes(collection: str, name: str, count: int) -> Reading:
    return Reading(Source(collection, name, Kind.INT, "B"), count)
