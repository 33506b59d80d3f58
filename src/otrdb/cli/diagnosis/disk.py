"""Room on the disk, and whether a sync waits for it."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Final

from otrdb.cli.diagnosis import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SYNCS: Final = 9
_TOO_SOON: Final = 10e-6  # s: no disk has written and answered by then
_SLOW: Final = 0.05  # s
_FEW_FILES: Final = 1000
_PRETENDERS: Final = ("eatmydata", "nosync", "libfsync")
"""Libraries that make syncs do nothing, by what their names contain."""


def judge_room(directory: Path, floor: int | None) -> Iterator[Sign]:
    """Free bytes against what an archive must have to take points, and free names."""
    status = os.statvfs(directory)
    free, total = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    found = f"{_bytes(free)} of {_bytes(total)} free"
    if floor is not None:
        found += f"; {_bytes(floor)} are needed to go on writing"
    advice = "Make room: delete other files, or move the archive to a larger disk."
    if floor is not None and free < floor:
        yield Sign("free space", "failure", found, advice)
    elif free < max(4 * (floor or 0), total // 20):
        yield Sign("free space", "warning", found, advice)
    else:
        yield Sign("free space", "ok", found)
    if status.f_files and status.f_favail < _FEW_FILES:
        yield Sign("free files", "warning", f"{status.f_favail} more files can be made", advice)


def judge_sync(directory: Path, environment: Mapping[str, str]) -> Iterator[Sign]:
    """How long a sync takes, in a nameless file of the directory's file system. Too short is no good sign."""
    preloaded = environment.get("LD_PRELOAD", "")
    if any(name in preloaded for name in _PRETENDERS):
        yield Sign("sync", "failure", f"LD_PRELOAD={preloaded} makes syncs do nothing", "Start without it.")
        return
    try:
        seconds = sync_seconds(directory)
    except OSError as error:
        advice = "Check who may write there, and the disk."
        yield Sign("sync", "warning", f"cannot be tried: {error.strerror}", advice)
        return
    found = f"takes {seconds * 1e6:,.0f} us"
    if seconds < _TOO_SOON:
        advice = "Check the disk's settings: a power cut may lose what was promised."
        yield Sign("sync", "warning", f"{found}: too short for a disk to have written", advice)
    elif seconds > _SLOW:
        advice = "Inserts wait for it. Consider durability='interval', or a faster disk."
        yield Sign("sync", "warning", found, advice)
    else:
        yield Sign("sync", "ok", found)


def sync_seconds(directory: Path) -> float:
    """The median time of fdatasync after 4 KiB were written."""
    taken = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(_SYNCS):
            os.pwrite(file.fileno(), os.urandom(4096), 0)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
