"""Changes: which ranges differ between two versions, after 1,000 late points. Needs versions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from benchmarks.asking import milliseconds
from benchmarks.timing import repeated

if TYPE_CHECKING:
    from benchmarks.contenders import MeasuredStream
    from benchmarks.context import Context, Stored

NAME = "changes"
_LATE = 1_000
_RESOLUTIONS = (0, 36)


@runtime_checkable
class Versioned(Protocol):
    """A stream with versions."""

    def flush(self) -> int: ...

    def changes(self, from_version: int, to_version: int, resolution: int) -> list[tuple[int, int]]: ...


def run(context: Context) -> None:
    """Everyone who can."""
    for contender in context.contenders:
        stored = context.main(contender)
        with stored.opened() as (_, stream):
            if isinstance(stream, Versioned):
                _changes(context, stored, stream, _change(stored, stream))


def _change(stored: Stored, stream: MeasuredStream) -> tuple[int, int]:
    """The versions before and after 1,000 points that come late, in one place."""
    assert isinstance(stream, Versioned)
    before = stream.flush()
    middle = (stored.start + stored.end) // 2
    times = middle + np.arange(_LATE) * stored.workload.interval + 1
    stream.insert(times, np.zeros(_LATE))
    return before, stream.flush()


def _changes(context: Context, stored: Stored, stream: Versioned, versions: tuple[int, int]) -> None:
    for resolution in _RESOLUTIONS:
        ask = partial(stream.changes, *versions, resolution)
        found = ask()
        case = {"points": stored.points, "resolution": resolution}
        spent = milliseconds(repeated(ask, context.profile.warm, context.profile.seconds))
        seconds = sum(end - start for start, end in found) / 1e9
        context.figures.add(NAME, "changes", stored.contender.name, "ms", spent, **case)
        context.figures.add(NAME, "ranges", stored.contender.name, "ranges", [len(found)], **case)
        context.figures.add(NAME, "reported", stored.contender.name, "s", [seconds], **case)
