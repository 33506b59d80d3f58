"""This machine's own measurements, by psutil and the kernel's files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import psutil

from otrdb.collect.host.disks import read_disks, read_filesystems
from otrdb.collect.host.memory import read_memory, read_swap
from otrdb.collect.host.network import read_network
from otrdb.collect.host.processor import Processor, read_load
from otrdb.collect.host.temperature import read_temperatures
from otrdb.collect.host.throttling import Throttling
from otrdb.collect.protocol import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otrdb.collect.protocol import Reading

__all__ = ["HostCollector"]

_FAULTS: Final = (OSError, psutil.Error, subprocess.SubprocessError, ValueError)
"""ValueError is what a kernel file gives that says something else than a number."""


class HostCollector:
    """Processor, load, memory, swap, disks, file systems, network, temperatures and throttling, where there
    are any."""

    def __init__(self) -> None:
        self._instruments: dict[str, Callable[[], Iterable[Reading]]] = {
            "processor": Processor().read,
            "load": read_load,
            "memory": read_memory,
            "swap": read_swap,
            "filesystems": read_filesystems,
            "disks": read_disks,
            "network": read_network,
            "temperature": read_temperatures,
            "throttling": Throttling().read,
        }

    def read(self) -> Round:
        """Measures everything once."""
        readings: list[Reading] = []
        faults = []
        for name, read in self._instruments.items():
            try:
                readings += read()
            except _FAULTS as error:
                faults.append(f"{name}: {error}")
        return Round(readings, faults)
