"""Questions to an archive: warm, at the first touch after opening it, and cold."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from .contenders import MeasuredArchive, MeasuredStream
from .machine import drop_all_caches, forget_cached, read_into_cache
from .timing import repeated, seconds_of

if TYPE_CHECKING:
    from .context import Context, Stored

Ask: TypeAlias = Callable[[MeasuredStream], object]

WARM, FIRST, COLD = "warm", "first touch", "cold"


@dataclass
class Touches:
    """What the first question after opening an archive took, per try: seconds, blocks read, rows answered."""

    seconds: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)


def warm(stream: MeasuredStream, asks: list[Ask], times: int, seconds: float) -> list[float]:
    """Seconds of each question after it was asked once; stops early once ``seconds`` are spent."""
    spent: list[float] = []
    used = 0.0
    for ask in asks:
        question = partial(ask, stream)
        used += seconds_of(question)
        spent += repeated(question, times, seconds / len(asks))
        if used + sum(spent) > seconds:
            break
    return spent


def touch(context: Context, stored: Stored, asks: list[Ask], *, cold: bool = False) -> Touches:
    """The archive is opened afresh for every question, its files in the page cache, wherever the machine has
    let go of them meanwhile; ``cold``: after they left it.

    Stops early once the profile's seconds are spent, opening included.
    """
    touches = Touches()
    if not cold:
        read_into_cache(stored.path)
    end = perf_counter() + context.profile.seconds
    for ask in asks:
        if cold:
            _cool(context, stored)
        with stored.opened() as (archive, stream):
            _touch(touches, archive, stream, ask)
        if perf_counter() > end:
            break
    return touches


def _cool(context: Context, stored: Stored) -> None:
    forget_cached(stored.path)
    if context.drop_caches:
        drop_all_caches()


def _touch(touches: Touches, archive: MeasuredArchive, stream: MeasuredStream, ask: Ask) -> None:
    answers: list[object] = []
    before = archive.stats().get("blocks_read")
    touches.seconds.append(seconds_of(lambda: answers.append(ask(stream))))
    after = archive.stats().get("blocks_read")
    if isinstance(before, int) and isinstance(after, int):
        touches.blocks.append(after - before)
    if isinstance(answers[0], Sized):
        touches.rows.append(len(answers[0]))


def milliseconds(seconds: list[float]) -> list[float]:
    """The same in ms."""
    return [1e3 * second for second in seconds]
