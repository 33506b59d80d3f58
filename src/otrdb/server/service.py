"""All RPCs of BTrDB's interface, from the modules that answer them."""

from __future__ import annotations

from typing import Final

from otrdb.server import info, joining, points, windows, writing

NAME: Final = "v5api.BTrDB"

RPCS: Final = (*info.RPCS, *points.RPCS, *windows.RPCS, *writing.RPCS, *joining.RPCS)
