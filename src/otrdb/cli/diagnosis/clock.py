"""Whether the time can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.cli.diagnosis import Sign
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

_RELEASED: Final = 1_767_225_600 * 10**9  # ns: 2026-01-01, before this software was
_AHEAD: Final = 60 * 10**9  # ns
_SECOND: Final = 10**9


def judge_clock(now: int, right: bool, newest: int | None) -> Iterator[Sign]:
    """``now`` (ns) against what cannot be: a time before this software, or before the newest point.

    ``right`` says whether the machine believes its own clock.
    """
    advice = "Let chrony or systemd-timesyncd set it, or add a battery clock."
    if now < _RELEASED:
        text = f"{format_ns(now)}: in the past, before this software was made"
        yield Sign("clock", "failure", text, advice)
    elif not right:
        yield Sign("clock", "warning", f"{format_ns(now)}: nothing says that it is synchronised", advice)
    else:
        yield Sign("clock", "ok", format_ns(now))
    if newest is None:
        return
    if newest > now + _AHEAD:
        text = f"{format_ns(newest)}: {_span(newest - now)} after the time of now"
        yield Sign("newest point", "warning", text, "The clock is wrong, or was when the point was made.")
    else:
        yield Sign("newest point", "ok", f"{format_ns(newest)}: {_span(max(now - newest, 0))} ago")


def _span(width: int) -> str:
    seconds = width // _SECOND
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"
