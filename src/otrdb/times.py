"""Times and widths as people write them, and as the archive counts them: int64 nanoseconds, exactly.

Nothing here passes through a float: 1_700_000_000_123_456_789 ns as float64 seconds is off by 21 ns.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from otrdb.errors import (
    InvalidArgument,
    InvalidPointWidth,
    MismatchedColumns,
    NaiveTime,
    OtrError,
    TimeOutOfRange,
    WrongKind,
)
from otrdb.foreign import arrow_array, is_arrow, is_pandas, pandas_array, unmasked

if TYPE_CHECKING:
    from otrdb.export import Foreign
    from otrdb.model import Array, Int64Array

TimeLike: TypeAlias = "int | np.integer[Any] | np.datetime64 | dt.datetime | str"
"""Integers are ns since 1970 UTC; datetimes must be aware; text is ISO-8601 with an offset or Z."""

WidthLike: TypeAlias = "int | np.integer[Any] | np.timedelta64 | dt.timedelta | str"
"""Integers are ns; text is a number and a unit: "100ms", "5min", "1.5h"."""

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NAT: Final = INT64_MIN  # numpy's own mark of a missing time
_FORMS_OF_TIME: Final = "Give integer nanoseconds, numpy.datetime64, an aware datetime or ISO-8601 text."
_LONGEST_WIDTH: Final = 1 << 63

_NS_PER_UNIT: Final = {
    "ns": Fraction(1),
    "us": Fraction(1_000),
    "ms": Fraction(10**6),
    "s": Fraction(10**9),
    "m": Fraction(60 * 10**9),
    "h": Fraction(3_600 * 10**9),
    "D": Fraction(86_400 * 10**9),
    "W": Fraction(7 * 86_400 * 10**9),
    "ps": Fraction(1, 10**3),
    "fs": Fraction(1, 10**6),
    "as": Fraction(1, 10**9),
}
_WORD_OF_UNIT: Final = {"µs": "us", "μs": "us", "min": "m", "d": "D", "w": "W"}

_ISO: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[Tt ](?P<clock>\d\d:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_WIDTH: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Zµμ]+)", re.ASCII)


def to_ns(time: TimeLike) -> int:
    """`time` as ns since 1970 UTC, exactly.

    Raises NaiveTime for a datetime, date or text without a zone; TimeOutOfRange beyond int64; WrongKind for
    floats, booleans and whatever else is no time.

    Example:
        >>> to_ns("2017-07-14T04:40:00.000000001+02:00")
        1500000000000000001
        >>> to_ns(np.datetime64(1_500_000_000, "s"))
        1500000000000000000
    """
    if type(time) is int:
        return _in_int64(time)
    if isinstance(time, np.datetime64):
        return int(_datetime64_ns(np.asarray(time).reshape(1))[0])
    if isinstance(time, dt.datetime):
        return _datetime_ns(time)
    if isinstance(time, str):
        return _text_ns(time)
    if is_integer(time):
        return _in_int64(int(time))
    raise _no_time(time)


def to_ns_array(times: Foreign) -> Int64Array:
    """A column of times as int64[n] ns since 1970 UTC.

    Takes what `to_ns` takes, many at a time: arrays, sequences, pandas Series and indexes, polars and Arrow
    columns. A contiguous int64 array, or one of datetime64[ns], is given back without a copy: it may share
    the caller's memory.
    """
    if isinstance(times, np.ndarray):
        return _array_ns(times)
    if is_pandas(times, "Series", "Index"):
        return _array_ns(pandas_array(times))
    if is_arrow(times):
        return _array_ns(arrow_array(times))
    if isinstance(times, (str, bytes)) or not isinstance(times, Iterable):
        raise WrongKind(f"{times!r} is no column of times.", advice="Give an array or a sequence.")
    return _sequence_ns(list(times))


def to_width(width: WidthLike) -> int:
    """A window's width in ns: at least 1 and at most 2**63, else InvalidPointWidth.

    Example:
        >>> to_width("5min"), to_width("1.5h"), to_width(np.timedelta64(2, "ms"))
        (300000000000, 5400000000000, 2000000)
    """
    exact = _width_ns(width)
    if exact.denominator != 1 or not 1 <= exact <= _LONGEST_WIDTH:
        raise InvalidPointWidth(
            f"A window of {width!r} cannot be computed.", advice="Widths are whole ns from 1 to 2**63."
        )
    return exact.numerator


def format_ns(time: int) -> str:
    """ISO-8601 text in UTC with as many of nine decimals as it takes; `to_ns` gives `time` back.

    Example:
        >>> format_ns(1_500_000_000_250_000_000)
        '2017-07-14T02:40:00.25Z'
    """
    seconds, fraction = divmod(_in_int64(int(time)), 10**9)
    moment = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{moment}{decimals}Z"


def _in_int64(time: int) -> int:
    if not INT64_MIN <= time <= INT64_MAX:
        raise TimeOutOfRange(f"{time} ns is no 64-bit time.")
    return time


def is_integer(value: object) -> bool:
    """Whether `value` is an integer of Python or NumPy; a boolean is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _no_time(time: object) -> OtrError:
    if isinstance(time, dt.date):
        return NaiveTime(f"{time!r} is a date, and a day begins at another instant in every zone.")
    if isinstance(time, float | np.floating):
        return WrongKind(f"{time!r} is a float, which cannot hold nanoseconds.", advice=_FORMS_OF_TIME)
    return WrongKind(f"{time!r} is no time.", advice=_FORMS_OF_TIME)


def _datetime_ns(time: dt.datetime) -> int:
    if time.tzinfo is None or time.utcoffset() is None:
        raise NaiveTime(f"{time!r} has no time zone.")
    if hasattr(time, "as_unit"):  # pandas.Timestamp, which counts finer than a datetime
        return _pandas_ns(time)
    return _timedelta_ns(time - _EPOCH)


def _pandas_ns(scalar: Foreign) -> int:
    try:
        return int(scalar.as_unit("ns").value)
    except (OverflowError, ValueError) as error:
        raise TimeOutOfRange(f"{scalar!r} is beyond 64 bits of nanoseconds.") from error


def _timedelta_ns(delta: dt.timedelta) -> int:
    return (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1_000


def _text_ns(text: str) -> int:
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise InvalidArgument(f"{text!r} is no ISO-8601 time.", advice="Write it like 2026-11-01T12:00:00Z.")
    if match["zone"] is None:
        raise NaiveTime(f"{text!r} has no offset.")
    try:
        clock, zone = match["clock"] or "00:00", match["zone"].upper()
        moment = dt.datetime.fromisoformat(f"{match['day']}T{clock}{zone}")
    except ValueError as error:
        raise InvalidArgument(f"{text!r} is no ISO-8601 time.", advice=f"{error}.".capitalize()) from error
    return _in_int64(_timedelta_ns(moment - _EPOCH) + int((match["fraction"] or "0").ljust(9, "0")))


def _array_ns(times: Array) -> Int64Array:
    if times.ndim != 1:
        raise MismatchedColumns(f"Times of shape {times.shape} are no column.")
    times = unmasked(times)
    if times.dtype == np.int64:
        return np.ascontiguousarray(times)
    if times.dtype.kind == "M":
        return _datetime64_ns(times)
    if times.dtype.kind in "iu":
        return _integers_ns(times)
    if times.dtype.kind in "OU":
        return _sequence_ns(times.tolist())
    raise WrongKind(
        f"An array of {times.dtype} holds no times.", advice="Give int64 nanoseconds or numpy.datetime64."
    )


def _integers_ns(times: Array) -> Int64Array:
    if times.size and int(times.max()) > INT64_MAX:
        raise TimeOutOfRange(f"{int(times.max())} ns is no 64-bit time.")
    return times.astype(np.int64)


def _sequence_ns(times: list[Any]) -> Int64Array:
    if set(map(type, times)) <= {int}:
        try:
            return np.array(times, dtype=np.int64)
        except OverflowError as error:
            raise TimeOutOfRange("A time is beyond 64 bits of nanoseconds.") from error
    return np.array([to_ns(time) for time in times], dtype=np.int64)


def _datetime64_ns(times: Array) -> Int64Array:
    unit, multiple = np.datetime_data(times.dtype)
    if unit in ("Y", "M"):  # of unequal length, but whole days
        unit, multiple, times = "D", 1, times.astype("datetime64[D]")
    native = times.dtype.newbyteorder("=")
    counts = np.ascontiguousarray(times, dtype=native).view(np.int64)
    if (missing := counts == _NAT).any():
        first = int(np.argmax(missing))
        raise InvalidArgument(f"Time {first} is missing (NaT).", advice="Leave such points out.")
    factor = _NS_PER_UNIT.get(unit, Fraction(1)) * multiple
    return counts if factor == 1 else _scaled(counts, factor)


def _scaled(counts: Int64Array, factor: Fraction) -> Int64Array:
    """`counts * factor`, or an error where that leaves int64 or falls between two nanoseconds."""
    limit = INT64_MAX * factor.denominator // factor.numerator
    if ((counts > limit) | (counts < -limit)).any():
        raise TimeOutOfRange("A time is beyond 64 bits of nanoseconds.")
    whole, rest = np.divmod(counts, factor.denominator)
    if rest.any():
        raise InvalidArgument("A time is no whole number of nanoseconds.", advice="Round the times first.")
    return np.asarray(whole * factor.numerator, dtype=np.int64)


def _width_ns(width: WidthLike) -> Fraction:
    if isinstance(width, str):
        return _text_width(width)
    if isinstance(width, np.timedelta64):
        unit, multiple = np.datetime_data(width.dtype)
        count = int(width.view(np.int64))
        return Fraction(0) if count == _NAT else count * multiple * _NS_PER_UNIT.get(unit, Fraction(0))
    if isinstance(width, dt.timedelta):
        return Fraction(_pandas_ns(width) if hasattr(width, "as_unit") else _timedelta_ns(width))
    if is_integer(width):
        return Fraction(int(width))
    raise WrongKind(f"{width!r} is no width.", advice="Give whole nanoseconds or text such as '5min'.")


def _text_width(text: str) -> Fraction:
    match = _WIDTH.fullmatch(text.strip())
    unit = None if match is None else _NS_PER_UNIT.get(_WORD_OF_UNIT.get(match["unit"], match["unit"]))
    if match is None or unit is None:
        raise InvalidPointWidth(f"{text!r} is no width.", advice="Write it like '100ms', '5min' or '2d'.")
    return Fraction(match["number"]) * unit
