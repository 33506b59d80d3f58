"""All RPCs of BTrDB's interface, from the modules that answer them."""

from __future__ import annotations

from typing import Final

from otrdb.server import info, subscribe

NAME: Final = "v5api.BTrDB"

RPCS: Final = (*info.RPCS, *subscribe.RPCS)
