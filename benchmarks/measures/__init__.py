"""One module per measured thing. Each has a NAME and `run`, which adds its figures to the context's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    backfill,
    bulk,
    changes,
    footprint,
    growth,
    kinds,
    late,
    nearest,
    opening,
    rates,
    raw,
    rotation,
    server,
    single,
    tail,
    trickle,
    views,
    wide,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.context import Context

MEASURES: Final[dict[str, Callable[[Context], None]]] = {
    module.NAME: module.run
    for module in (
        bulk,
        kinds,
        rates,
        wide,
        single,
        tail,
        rotation,
        footprint,
        trickle,
        server,
        growth,
        opening,
        views,
        windows,
        raw,
        nearest,
        changes,
        late,
        backfill,
    )
}
"""In the order they run in: those that change the large archive come last."""
