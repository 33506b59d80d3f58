"""Network interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psutil

from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSING: Final = ("veth",)  # made for each container and gone with it: they would make streams without end
_COUNTERS: Final = {
    "sent": ("bytes_sent", "B"),
    "received": ("bytes_recv", "B"),
    "packets sent": ("packets_sent", ""),
    "packets received": ("packets_recv", ""),
    "errors sending": ("errout", ""),
    "errors receiving": ("errin", ""),
    "dropped sending": ("dropout", ""),
    "dropped receiving": ("dropin", ""),
}


def read_network() -> Iterator[Reading]:
    """Counters of each interface since the machine started, and whether it is up."""
    states = psutil.net_if_stats()
    down = {interface for interface, state in states.items() if not state.isup}
    counted = psutil.net_io_counters(pernic=True)
    for interface in sorted(counted, key=lambda interface: (interface == "lo", interface in down)):
        if interface.startswith(_PASSING):
            continue
        collection = f"net/{interface}"
        if interface in states:
            yield Reading(Source(collection, "up", Kind.BOOL), bool(states[interface].isup))
        for name, (attribute, unit) in _COUNTERS.items():
            yield Reading(Source(collection, name, Kind.INT, unit), getattr(counted[interface], attribute))
