"""Times as they are typed: ISO-8601, ns, "now", "-1h"."""

from __future__ import annotations

import re
import time
from typing import Final

import numpy as np

from otrdb.cli.zones import parse_zone, to_utc
from otrdb.errors import InvalidArgument, NaiveTime
from otrdb.times import to_ns, to_width

_NANOSECONDS: Final = re.compile(r"[+-]?\d+", re.ASCII)
_RELATIVE: Final = re.compile(r"(?:now\s*)?(?P<sign>[+-])\s*(?P<width>\d.*)", re.ASCII | re.IGNORECASE)
_ADVICE: Final = "Write it like 2026-11-01T12:00:00Z, 1793534400000000000, now or -1h."


def parse_moment(text: str, zone: str | None = None, now: int | None = None) -> int:
    """ns since 1970 UTC of a typed time. `zone` says where times without an offset were written.

    Example:
        >>> parse_moment("-1h", now=7_200_000_000_000), parse_moment("1970-01-01T01:00", "+01:00")
        (3600000000000, 0)
    """
    text = text.strip()
    if _NANOSECONDS.fullmatch(text):
        return to_ns(int(text))
    present = time.time_ns() if now is None else now
    if text.lower() == "now":
        return present
    if (relative := _RELATIVE.fullmatch(text)) is not None:
        width = to_width(relative["width"])
        return to_ns(present - width if relative["sign"] == "-" else present + width)
    return _iso(text, zone)


def _iso(text: str, zone: str | None) -> int:
    try:
        return to_ns(text)
    except NaiveTime:
        if zone is None:
            raise
        return _local(text, zone)
    except InvalidArgument as error:
        raise InvalidArgument(f"{text!r} is no time.", advice=_ADVICE) from error


def _local(text: str, zone: str) -> int:
    utc = to_utc(np.array([to_ns(f"{text}Z")], dtype=np.int64), parse_zone(zone))
    if utc.bad[0]:
        raise InvalidArgument(
            f"{text!r} was skipped or shown twice by the clocks of {zone}.", advice="Give it with its offset."
        )
    return int(utc.times[0])
