"""What a power cut may leave of what was not synced: any part of it, in any order (A2 in `docs/format.md`).

Example:
    >>> from otrdb.testing import FaultyMedium, all_but, only
    >>> medium = FaultyMedium(sector=512)
    >>> file = medium.open("a", create=True)
    >>> medium.sync_directory()
    >>> _ = file.append(b"x" * 1024)
    >>> [type(change).__name__ for change in medium.unsynced()]  # a new size, and two sectors
    ['Change', 'Change', 'Change']
    >>> medium.crash(only(2)).open("a").read(510, 4)
    b'\\x00\\x00xx'
    >>> medium.crash(all_but(2)).open("a").read(510, 4)
    b'xx\\x00\\x00'
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from otrdb.testing.medium import Change, Naming, Survives, Unsynced, everything, nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def only(place: int) -> Survives:
    """The change at one place survives alone."""
    return lambda changes: changes[place : place + 1]


def all_but(place: int) -> Survives:
    """Every change survives but the one at a place."""
    return lambda changes: [*changes[:place], *changes[place + 1 :]]


def zeros(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
    """Names and sizes survive, and no byte of what was written."""
    return [change for change in changes if isinstance(change, Naming) or change.data is None]


def nameless(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
    """What is in files survives, and no name."""
    return [change for change in changes if isinstance(change, Change)]


def newer_half(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
    """The second half survives: a record without the blocks it speaks of."""
    return changes[len(changes) // 2 :]


def older_half(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
    """The first half survives, as on a disk that writes in order."""
    return changes[: len(changes) // 2]


def some(seed: int, share: float = 0.5) -> Survives:
    """About that share of the changes survives."""

    def survives(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
        rng = random.Random(seed)
        return [change for change in changes if rng.random() < share]

    return survives


def torn(seed: int) -> Survives:
    """Of every write in a sector a part survives: its beginning, its end, or what is between two places.

    Names and sizes survive about half of the time.
    """

    def survives(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
        rng = random.Random(seed)
        for change in changes:
            if isinstance(change, Change) and change.data is not None:
                low, high = sorted(
                    rng.choice((0, rng.randint(0, len(change.data)), len(change.data))) for _ in "ab"
                )
                yield change.part(low, high)
            elif rng.random() < 0.5:
                yield change

    return survives


def survivals(changes: int, seed: int, *, singles: int = 1 << 30) -> Iterator[Survives]:
    """What is tried where so many ``changes`` are not synced: none, all, halves, names and sizes without
    bytes and the reverse, random subsets, torn sectors; and, for up to ``singles`` changes chosen by the
    ``seed``, each alone and each alone missing.
    """
    yield nothing
    if not changes:
        return
    yield from (everything, zeros, nameless, newer_half, older_half)
    for turn in range(3):
        yield some(seed + turn)
        yield torn(seed + turn)
    places = range(changes) if changes <= singles else random.Random(seed).sample(range(changes), singles)
    for place in places:
        yield only(place)
        yield all_but(place)
