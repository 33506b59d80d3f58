"""The machine: word and page size, limits, heat."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otrdb.cli.diagnosis import Sign
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otrdb.collect.protocol import Reading

_PAGES: Final = frozenset({4096, 16384, 65536})
_FEW_FILES: Final = 512
_HOT: Final = 80.0  # degrees Celsius: where a Raspberry Pi begins to slow down


def judge_machine() -> Iterator[Sign]:
    """Word size, page size and the limit of open files of this process."""
    yield judge_words(sys.maxsize, platform.machine())
    yield judge_pages(os.sysconf("SC_PAGE_SIZE"))
    yield judge_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def judge_words(largest: int, machine: str) -> Sign:
    """An archive needs 64 bits; ``largest`` is Python's largest index."""
    bits = largest.bit_length() + 1
    advice = "" if bits == 64 else "Install a 64-bit system."
    return Sign("processor", "ok" if bits == 64 else "failure", f"{machine}, {bits}-bit Python", advice)


def judge_pages(size: int) -> Sign:
    """Memory pages of ``size`` bytes: binary packages may expect others."""
    if size in _PAGES:
        return Sign("page size", "ok", f"{size // 1024} KiB")
    advice = "Binary packages may not run: see the imports below."
    return Sign("page size", "warning", f"{size} bytes", advice)


def judge_files(limit: int) -> Sign:
    """How many files this process may open; an archive keeps up to 256 segments open."""
    if limit in (resource.RLIM_INFINITY, -1) or limit >= _FEW_FILES:
        return Sign("open files", "ok", "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit}")
    return Sign("open files", "warning", f"at most {limit}", "Raise it: ulimit -n 4096")


def judge_heat(root: Path = Path("/")) -> Iterator[Sign]:
    """Temperatures and throttling, where the machine tells of them."""
    try:
        from otrdb.collect.host.temperature import read_temperatures
        from otrdb.collect.host.throttling import Throttling
    except ModuleNotFoundError as error:
        yield Sign("heat", "ok", f"not known without {error.name}")
        return
    try:
        yield from judge_temperatures(read_temperatures())
        yield from judge_throttling(Throttling(root).read())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield Sign("heat", "ok", f"not known: {error}")


def judge_temperatures(readings: Iterable[Reading]) -> Iterator[Sign]:
    """The hottest sensor; nothing where there are none."""
    hottest = max(readings, key=lambda reading: reading.value, default=None)
    if hottest is None:
        return
    found = f"{hottest.source.name}: {hottest.value:.0f} C"
    if hottest.value >= _HOT:
        yield Sign("temperature", "warning", found, "Cool it: it slows down, and its disk ages.")
    else:
        yield Sign("temperature", "ok", found)


def judge_throttling(readings: Iterable[Reading]) -> Iterator[Sign]:
    """Flags of a Raspberry Pi; nothing elsewhere."""
    flags = [reading for reading in readings if reading.source.kind is Kind.BOOL]
    active = [reading.source.name for reading in flags if reading.value]
    if active:
        advice = "Use the maker's power supply, and cool the board."
        yield Sign("throttling", "warning", ", ".join(active), advice)
    elif flags:
        yield Sign("throttling", "ok", "none")
