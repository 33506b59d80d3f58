"""What time it is, and whether that can be believed.

A board without a battery clock starts with a time of the past and jumps when the network gives it the right
one.
"""

from __future__ import annotations

import ctypes
import re
import time
from pathlib import Path
from typing import Final, Protocol

_TIME_ERROR: Final = 5  # what adjtimex(2) returns while the clock is not synchronised
_TIMEX_BYTES: Final = 512  # struct timex takes 208 on 64-bit Linux; all zero, it asks and sets nothing
_AGREEMENT: Final = 60  # s that a battery clock may be off
_HYPERVISOR: Final = re.compile(r"^flags\s*:.*\bhypervisor\b", re.MULTILINE)


class Clock(Protocol):
    """The two clocks a collector needs."""

    def wall(self) -> int:
        """ns since 1970 UTC; may jump."""
        ...

    def steady(self) -> int:
        """ns since some moment; never jumps, and goes on while the machine sleeps."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def wall(self) -> int:
        """CLOCK_REALTIME."""
        return time.time_ns()

    def steady(self) -> int:
        """CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def clock_is_right(root: Path = Path("/")) -> bool:
    """Whether the wall clock can be believed.

    It can if it is synchronised, by what the kernel or systemd-timesyncd says; if a battery clock agrees with
    it; or in a virtual machine, which has its host's. `root` stands for the root of the file system.
    """
    return (
        (root / "run/systemd/timesync/synchronized").exists()
        or _kernel_says_synchronised()
        or _battery_clock_agrees(root)
        or _is_virtual(root)
    )


def _kernel_says_synchronised() -> bool:
    """adjtimex(2), which chrony, ntpd and systemd-timesyncd keep up to date. False where it may not be
    asked."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    state: int = ctypes.CDLL(None).adjtimex(buffer)
    return 0 <= state < _TIME_ERROR


def _battery_clock_agrees(root: Path) -> bool:
    """A battery clock without a battery counts from 1970, so it must agree to be believed."""
    for path in sorted(root.glob("sys/class/rtc/rtc*/since_epoch")):
        if abs(int(path.read_text()) - time.time()) <= _AGREEMENT:
            return True
    return False


def _is_virtual(root: Path) -> bool:
    if (root / "proc/device-tree/hypervisor").exists():
        return True
    cpus = root / "proc/cpuinfo"
    return cpus.exists() and _HYPERVISOR.search(cpus.read_text()) is not None
