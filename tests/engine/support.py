"""What the tests of the engine look at from within."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb import Archive, Stream
    from otrdb.engine.core import Core
    from otrdb.engine.engine import Engine

SECOND = 1_000_000_000


def engine_of(archive: Archive) -> Engine:
    return archive._engine


def core_of(archive: Archive) -> Core:
    return archive._engine.core


def fill(stream: Stream, start: int, count: int, value: float = 1.0) -> None:
    """Insert ``count`` points, one a second from second ``start`` on."""
    stream.insert(SECOND * np.arange(start, start + count), np.full(count, value))


def pairs(reads: Stream) -> list[tuple[int, float]]:
    return [(point.time, point.value) for point in reads.values()]


def flip(file: Path, offset: int) -> None:
    """Change a bit of a file."""
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)
