"""Disks and file systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_DISKS: Final = ("loop", "ram", "zram")
_NEVER_CHANGING: Final = frozenset({"squashfs", "iso9660", "erofs"})
_COUNTERS: Final = {
    "read": ("read_bytes", "B"),
    "written": ("write_bytes", "B"),
    "reads": ("read_count", ""),
    "writes": ("write_count", ""),
}


def read_disks(blocks: Path = Path("/sys/block")) -> Iterator[Reading]:
    """Bytes and operations of each disk since the machine started. `blocks` lists whole disks."""
    whole = {path.name for path in blocks.iterdir()} if blocks.exists() else None
    for disk, counters in (psutil.disk_io_counters(perdisk=True) or {}).items():
        if disk.startswith(_NOT_DISKS) or (whole is not None and disk not in whole):
            continue
        for name, (attribute, unit) in _COUNTERS.items():
            yield Reading(Source(f"disk/{disk}", name, Kind.INT, unit), getattr(counters, attribute))


def read_filesystems() -> Iterator[Reading]:
    """Bytes in use and free of each mounted file system on a disk, each device once."""
    devices = set()
    for partition in psutil.disk_partitions(all=False):
        if partition.fstype in _NEVER_CHANGING or partition.device in devices:
            continue
        devices.add(partition.device)
        usage = psutil.disk_usage(partition.mountpoint)
        collection = f"filesystem/{partition.mountpoint.strip('/') or 'root'}"
        yield Reading(Source(collection, "used", Kind.INT, "B"), usage.used)
        yield Reading(Source(collection, "free", Kind.INT, "B"), usage.free)
