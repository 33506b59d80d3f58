"""Unaligned windows: 1,000 of any width over the whole range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.asking import COLD, FIRST, WARM, Ask, milliseconds, touch, warm

from .views import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Sized

    from benchmarks.contenders import MeasuredStream
    from benchmarks.context import Context, Stored

NAME = "windows"
_PLACES = 3


def run(context: Context) -> None:
    """Everyone: first touch, with the page cache dropped, and warm."""
    profile = context.profile
    for contender in context.contenders:
        stored = context.main(contender)
        asks: list[Ask] = [_ask(stored, place) for place in range(_PLACES)]
        case = {"points": stored.points}
        name = contender.name
        for state in (FIRST, COLD):
            touched = touch(context, stored, asks, cold=state == COLD)
            spent = milliseconds(touched.seconds)
            context.figures.add(NAME, "windows", name, "ms", spent, state=state, **case)
            if state == FIRST:
                context.figures.add(NAME, "blocks", name, "blocks", touched.blocks, **case)
        with stored.opened() as (_, stream):
            spent = warm(stream, asks, profile.warm, profile.seconds)
        context.figures.add(NAME, "windows", name, "ms", milliseconds(spent), state=WARM, **case)


def _ask(stored: Stored, place: int) -> Ask:
    """The whole range in 1,000 windows of an odd width, begun a little later each time."""
    span = stored.end - stored.start
    width = max((span - place) // (WINDOWS + place), 1) | 1
    start = stored.start + 12_345 * place

    def ask(stream: MeasuredStream) -> Sized:
        return stream.windows(start, start + WINDOWS * width, width)

    return ask
