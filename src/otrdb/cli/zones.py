"""From local times to UTC, a column at a time and to the nanosecond."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from otrdb.model import BoolArray, Int64Array

Ambiguous: TypeAlias = Literal["refuse", "earlier", "later"]
"""What becomes of a local time that the clocks showed twice."""

_OFFSET: Final = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?", re.ASCII)
_HOUR: Final = 3_600
_SECOND_NS: Final = 10**9
_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001


class Utc(NamedTuple):
    """`times` int64[n] in ns since 1970 UTC; where `bad` the local time named no instant, or two."""

    times: Int64Array
    bad: BoolArray


def parse_zone(text: str) -> dt.tzinfo:
    """A zone by its IANA name, "UTC", or an offset such as +01:00.

    Example:
        >>> parse_zone("+01:00").utcoffset(None)
        datetime.timedelta(seconds=3600)
    """
    if text.upper() in ("UTC", "Z"):
        return dt.UTC
    if (offset := _OFFSET.fullmatch(text)) is not None:
        size = dt.timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"] or 0))
        return dt.timezone(-size if offset["sign"] == "-" else size)
    return _named(text)


def to_utc(local: Int64Array, zone: dt.tzinfo, ambiguous: Ambiguous = "refuse") -> Utc:
    """The instants of local times given as ns since 1970 on the zone's own clocks."""
    hours, place = np.unique(local // (_HOUR * _SECOND_NS), return_inverse=True)
    offsets = [_hour_offset(int(hour), zone) for hour in hours]
    steady = np.array([offset is not None for offset in offsets], dtype=np.bool_)[place]
    known = np.array([offset or 0 for offset in offsets], dtype=np.int64)[place]
    times, bad = local - known * _SECOND_NS, np.zeros(len(local), dtype=np.bool_)
    for index in np.flatnonzero(~steady).tolist():
        offset = _offset(int(local[index]) // _SECOND_NS, zone, ambiguous)
        bad[index] = offset is None
        times[index] = local[index] - (offset or 0) * _SECOND_NS
    return Utc(times, bad)


def _named(text: str) -> dt.tzinfo:
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidArgument(
            f"{text!r} is no time zone.",
            advice="Give UTC, an offset like +01:00, or a name like Europe/Berlin.",
        ) from error


def _hour_offset(hour: int, zone: dt.tzinfo) -> int | None:
    """The offset, s, that holds for a whole hour of local time; None if the clocks change in it."""
    first, last = hour * _HOUR, (hour + 1) * _HOUR - 1
    offsets = {_folded(second, zone, fold) for second in (first, last) for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None


def _offset(second: int, zone: dt.tzinfo, ambiguous: Ambiguous) -> int | None:
    """The offset, s, at a second of local time; None if it did not exist, or existed twice and is refused."""
    early, late = (_folded(second, zone, fold) for fold in (0, 1))
    if early < late or (early > late and ambiguous == "refuse"):  # PEP 495: a gap has the smaller one first
        return None
    return late if ambiguous == "later" else early


def _folded(second: int, zone: dt.tzinfo, fold: int) -> int:
    moment = (_EPOCH + dt.timedelta(seconds=second)).replace(tzinfo=zone, fold=fold)
    offset = moment.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
