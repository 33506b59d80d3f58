"""Whether the processor is held back by heat or by its power supply."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bits of get_throttled, https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
_FLAGS: Final = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
_FIRMWARE: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"
_EVENTS: Final = "sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count"
_TIMEOUT: Final = 2.0  # s


class Throttling:
    """The firmware's flags on a Raspberry Pi, the kernel's counts of events on a PC; nothing where there is
    neither."""

    def __init__(self, root: Path = Path("/")) -> None:
        firmware = root / _FIRMWARE
        self._firmware = firmware if firmware.exists() else None
        self._command = None if self._firmware else shutil.which("vcgencmd")
        self._events = sorted(root.glob(_EVENTS))

    def read(self) -> Iterator[Reading]:
        """The state of this moment."""
        flags = self._flags()
        if flags is not None:
            for bit, name in _FLAGS.items():
                yield Reading(Source("throttling", name, Kind.BOOL), bool(flags >> bit & 1))
        for path in self._events:
            core = path.parent.parent.name.replace("cpu", "core")
            yield Reading(Source("throttling", f"{core} events", Kind.INT), int(path.read_text()))

    def _flags(self) -> int | None:
        if self._firmware is not None:
            return int(self._firmware.read_text(), 16)
        if self._command is None:
            return None
        done = subprocess.run(  # the path is the system's own, and no input of anybody's is in it
            [self._command, "get_throttled"], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
        return _parse(done.stdout, done.stderr)


def _parse(answer: str, complaint: str) -> int:
    match = re.fullmatch(r"throttled=(0x[0-9a-fA-F]+)\s*", answer)
    if match is None:
        raise OSError(f"vcgencmd answered {answer or complaint!r}")
    return int(match[1], 16)
