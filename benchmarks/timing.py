"""Clocks: how long calls take, several of them in turn so that they meet the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import TypeAlias

Call: TypeAlias = Callable[[], object]


def seconds_of(call: Call) -> float:
    """How long one call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def repeated(call: Call, times: int, seconds: float = float("inf")) -> list[float]:
    """Seconds of each of ``times`` calls, or of fewer once ``seconds`` are spent; of one call at least."""
    spent = [seconds_of(call)]
    while len(spent) < times and sum(spent) < seconds:
        spent.append(seconds_of(call))
    return spent


def interleaved(
    calls: Mapping[str, Call], rounds: int, seconds: float = float("inf")
) -> dict[str, list[float]]:
    """Seconds of every call in every round, the calls of a round one after another.

    Whoever has spent ``seconds`` sits out the rounds that remain.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds):
        for name in rotated(list(calls), round_):
            if sum(spent[name]) < seconds:
                spent[name].append(seconds_of(calls[name]))
    return spent


def rotated(names: list[str], by: int) -> Iterable[str]:
    """The names, begun at another one each round, so that none always follows the same neighbour."""
    by %= max(len(names), 1)
    return names[by:] + names[:by]
