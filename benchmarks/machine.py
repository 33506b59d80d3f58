"""The machine and this process: what runs here, what was written, how much memory is held, what is cached."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean, median
from typing import Any

from .limits import SyncedFile
from .timing import repeated

_PACKAGES = ("otrdb", "numpy", "pcodec", "crc32c", "duckdb")
_SECTOR = 512


def description(directory: Path) -> dict[str, Any]:
    """Processor, memory, system, and how long the disk under ``directory`` takes for a sync of 4 KiB."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "cores usable": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "file system": _file_system(directory),
        "sync_4k_ms": _sync_milliseconds(directory),
        "load": os.getloadavg(),
    }


def versions() -> dict[str, str]:
    """Python and the packages that take part."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def _field(path: Path, name: str) -> str | None:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _file_system(directory: Path) -> str:
    """The kind of file system, from the mount whose point is the longest that leads to ``directory``."""
    target = str(directory.resolve())
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(len(point), kind) for point, kind in mounts if target.startswith(point)]
    return max(holding)[1] if holding else "unknown"


def _sync_milliseconds(directory: Path) -> dict[str, float]:
    path = directory / "sync-probe"
    file = SyncedFile(path)
    spent = [1e3 * seconds for seconds in repeated(lambda: file.write(4096), 200, seconds=2)]
    file.close()
    path.unlink()
    return {"median": round(median(spent), 4), "mean": round(fmean(spent), 4)}


def written() -> dict[str, int]:
    """Bytes this process has written: ``calls`` were handed to the kernel, ``pages`` made dirty on a disk."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {"calls": int(fields["wchar"]), "pages": int(fields["write_bytes"])}


def device_written(directory: Path) -> int | None:
    """Bytes all processes have written to the device under ``directory``; None where it has no counters."""
    device = directory.stat().st_dev
    counters = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    if not counters.exists():
        return None
    return _SECTOR * int(counters.read_text().split()[6])


def peak_memory() -> int:
    """The most bytes of memory this process ever held at once."""
    return _status("VmHWM")


def held_memory() -> int:
    """The bytes of memory this process holds."""
    return _status("VmRSS")


def _status(name: str) -> int:
    value = _field(Path("/proc/self/status"), name)
    return int(value.split()[0]) * 1024 if value else 0


def size_on_disk(directory: Path) -> int:
    """Bytes allocated to the files below ``directory``."""
    return sum(512 * path.stat().st_blocks for path in directory.rglob("*") if path.is_file())


def forget_cached(directory: Path) -> None:
    """Drops the files below ``directory`` from the page cache; synced first, as dirty pages would stay."""
    for path in directory.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def read_into_cache(directory: Path) -> None:
    """Reads the files below ``directory``, so that they are in the page cache as far as that has room."""
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


def drop_all_caches() -> None:
    """Drops the whole machine's page cache; for root."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")


def progress(text: str) -> None:
    """One line for whoever waits."""
    print(text, file=sys.stderr, flush=True)
