"""Long lists in messages that every client takes: gRPC's own limit is 4 MiB each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST_ITEMS: Final = 1_000
MOST_BYTES: Final = 1 << 20

_Item = TypeVar("_Item")


def batches(items: Iterable[_Item], size: Callable[[_Item], int]) -> Iterator[list[_Item]]:
    """``items`` in lists of at most `MOST_ITEMS` and, unless it is a single one, `MOST_BYTES`; one list at
    least.

    Example:
        >>> list(batches(["a", "b"], len)), list(batches([], len))
        ([['a', 'b']], [[]])
    """
    batch: list[_Item] = []
    held = 0
    for item in items:
        needed = size(item)
        if batch and (len(batch) == MOST_ITEMS or held + needed > MOST_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(item)
        held += needed
    yield batch
