"""What a power cut may leave of writes that were not synced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.faulty import Change, Survives

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable


def in_sectors(rng: random.Random, sector: int) -> Survives:
    """Any part of each change, sector by sector; the rest is as it was before."""

    def survives(change: Change) -> Iterable[Change]:
        if change.data is None:
            return [change] if rng.random() < 0.5 else []
        data = change.data
        cuts = [at for at in range(0, len(data), sector) if rng.random() < 0.7]
        return [Change(change.offset + at, data[at : at + sector]) for at in cuts]

    return survives
