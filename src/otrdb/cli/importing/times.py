"""The column of times: which form it has, and reading it to the nanosecond."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from otrdb.cli.importing.cells import whole_numbers
from otrdb.cli.importing.salvage import salvage
from otrdb.cli.zones import Ambiguous, parse_zone, to_utc
from otrdb.errors import InvalidArgument, NaiveTime
from otrdb.model import LAST_TIME, MIN_TIME

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from otrdb.export import Foreign
    from otrdb.model import Array, BoolArray, Int64Array

TimeUnit: TypeAlias = Literal["s", "ms", "us", "ns"]

_UNIT_NS: Final[dict[TimeUnit, int]] = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_UNIT_WORDS: Final = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_HAS_OFFSET: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Zz]|[T ].*(?:[Zz]|[+-]\d\d(?::?\d\d)?))", re.ASCII | re.IGNORECASE
)
_INT64: Final = np.dtype(np.int64)


class TimeRules(NamedTuple):
    """What the user said about times; None is found out."""

    zone: str | None = None
    ambiguous: Ambiguous = "refuse"
    unit: TimeUnit | None = None
    format: str | None = None
    decimal: str = "."
    accept: tuple[int, int] = (MIN_TIME, LAST_TIME + 1)


class Times(NamedTuple):
    """`times` int64[n], ns since 1970 UTC; where `unreadable`, `unclear` (a local time that was skipped or
    shown twice) or `outside` what an archive holds, the row cannot be stored."""

    times: Int64Array
    unreadable: BoolArray
    unclear: BoolArray
    outside: BoolArray

    @property
    def bad(self) -> BoolArray:
        """Any of the three."""
        return self.unreadable | self.unclear | self.outside


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reads a column in the form described. `zone` is set if the form itself names no instants."""

    description: str
    convert: Callable[[Any], Array]
    zone: dt.tzinfo | None = None
    ambiguous: Ambiguous = "refuse"
    accept: tuple[int, int] = (MIN_TIME, LAST_TIME + 1)

    def read(self, cells: pa.Array, most: int | None = None) -> Times:
        """The times of a column, up to the unreadable one of number `most`."""
        times, unreadable = salvage(self.convert, cells, _INT64, most)
        unclear = np.zeros(len(times), dtype=np.bool_)
        if self.zone is not None:
            times, unclear = to_utc(times, self.zone, self.ambiguous)
        outside = (times < self.accept[0]) | (times >= self.accept[1])
        return Times(times, unreadable, unclear & ~unreadable, outside & ~unreadable)


def time_reader(cells: pa.Array, rules: TimeRules) -> TimeReader:
    """The reader for a column that begins with `cells`. NaiveTime if it takes a zone that was not given."""
    return replace(_reader(cells, rules), accept=rules.accept)


def _reader(cells: pa.Array, rules: TimeRules) -> TimeReader:
    form = cells.type
    if pa.types.is_timestamp(form) or pa.types.is_date(form):
        return _typed_reader(form, rules)
    if pa.types.is_integer(form) or pa.types.is_floating(form):
        return _number_reader(_first(pc.drop_null(cells), 0), rules)
    if not pa.types.is_string(form) and not pa.types.is_large_string(form):
        raise InvalidArgument(
            f"A column of {form} holds no times.", advice="Name another with --time-column."
        )
    return _text_reader(str(_first(_filled(cells), "")), rules)


def _filled(cells: pa.Array) -> pa.Array:
    texts = pc.drop_null(cells)
    return texts.filter(pc.not_equal(texts, pa.scalar("", texts.type)))


def _first(cells: pa.Array, otherwise: Foreign) -> Foreign:
    return cells[0].as_py() if len(cells) else otherwise


def _text_reader(example: str, rules: TimeRules) -> TimeReader:
    example = example.strip()
    if rules.format is not None:
        return _formatted_reader(rules.format, rules)
    if _NUMBER.fullmatch(example.replace(rules.decimal, ".")) or rules.unit is not None:
        return _number_reader(example.replace(rules.decimal, ".") or "0", rules)
    if _HAS_OFFSET.fullmatch(example):
        return TimeReader("ISO-8601 with an offset", lambda cells: _iso(cells, "UTC"))
    return _local_reader("ISO-8601", lambda cells: _iso(cells, None), rules)


def _typed_reader(form: pa.DataType, rules: TimeRules) -> TimeReader:
    if pa.types.is_timestamp(form) and form.tz is not None:
        return TimeReader(str(form), lambda cells: _as_int64(pc.cast(cells, pa.timestamp("ns", form.tz))))
    return _local_reader(str(form), lambda cells: _as_int64(pc.cast(cells, pa.timestamp("ns"))), rules)


def _local_reader(form: str, convert: Callable[[Any], Array], rules: TimeRules) -> TimeReader:
    if rules.zone is None:
        raise NaiveTime(
            f"These times ({form}) have no offset.", advice="Say where they were written: --tz UTC."
        )
    zone = parse_zone(rules.zone)
    return TimeReader(f"{form} without an offset, read as {rules.zone}", convert, zone, rules.ambiguous)


def _formatted_reader(form: str, rules: TimeRules) -> TimeReader:
    if form.endswith("%f"):
        whole, sign = form[:-3], form[-3:-2]
        return _local_reader(form, lambda cells: _formatted_fraction(cells, whole, sign), rules)
    if "%z" in form:
        return TimeReader(form, lambda cells: _formatted(cells, form) * _UNIT_NS["s"])
    return _local_reader(form, lambda cells: _formatted(cells, form) * _UNIT_NS["s"], rules)


def _number_reader(example: Foreign, rules: TimeRules) -> TimeReader:
    unit = rules.unit or _unit_of(abs(float(example)))
    guessed = "" if rules.unit else ", by their size"
    description = f"{_UNIT_WORDS[unit]} since 1970{guessed}"
    return TimeReader(description, lambda cells: _numbers(cells, _UNIT_NS[unit], rules.decimal))


def _unit_of(size: float) -> TimeUnit:
    """Seconds until the year 5138, and the finer units by the same measure."""
    limits: tuple[tuple[TimeUnit, float], ...] = (("s", 1e11), ("ms", 1e14), ("us", 1e17))
    return next((unit for unit, limit in limits if size < limit), "ns")


def _iso(cells: pa.Array, zone: str | None) -> Array:
    return _as_int64(pc.cast(pc.utf8_trim_whitespace(cells), pa.timestamp("ns", zone)))


def _formatted(cells: pa.Array, form: str) -> Array:
    seconds = pc.strptime(pc.utf8_trim_whitespace(cells), format=form, unit="s", error_is_null=True)
    if seconds.null_count:
        raise pa.ArrowInvalid(f"a cell is not of the form {form}")
    return _as_int64(seconds)


def _formatted_fraction(cells: pa.Array, whole: str, sign: str) -> Array:
    """Whole seconds by the format, and up to nine decimals behind `sign`, exactly."""
    parts = pc.extract_regex(
        pc.utf8_trim_whitespace(cells), rf"^(?P<whole>.*){re.escape(sign)}(?P<fraction>\d{{1,9}})$"
    )
    if parts.null_count:
        raise pa.ArrowInvalid("a cell has no fraction")
    fraction = pc.utf8_rpad(pc.struct_field(parts, "fraction"), 9, "0")
    nanoseconds = _as_int64(pc.cast(fraction, pa.int64()))
    return _formatted(pc.struct_field(parts, "whole"), whole) * _UNIT_NS["s"] + nanoseconds


def _numbers(cells: pa.Array, width: int, decimal: str) -> Array:
    """Counts of `width` ns as ns. Decimal text is exact; floats are taken to the nearest nanosecond."""
    if pa.types.is_floating(cells.type):
        return _floats(cells, width)
    if pa.types.is_integer(cells.type):
        return _multiplied(pc.cast(cells, pa.int64()), width)
    texts = pc.replace_substring(pc.utf8_trim_whitespace(cells), decimal, ".")
    try:
        return _multiplied(whole_numbers(texts), width)
    except pa.ArrowInvalid:  # the precisions of the factors make 38 digits, the most a product can have
        exact = pc.cast(texts, pa.decimal128(27, 9))
        return _as_int64(pc.multiply(exact, pa.scalar(width, pa.decimal128(10, 0))))


def _multiplied(counts: pa.Array, width: int) -> Array:
    return _as_int64(pc.multiply_checked(counts, pa.scalar(width, pa.int64())))


def _floats(cells: pa.Array, width: int) -> Array:
    numbers = np.asarray(pc.cast(cells, pa.float64()))
    if cells.null_count or not (np.abs(numbers) * width < 2**63).all():
        raise pa.ArrowInvalid("a cell is no time")
    whole = np.floor(numbers)
    fraction: Array = np.rint((numbers - whole) * width).astype(np.int64)
    nanoseconds: Array = whole.astype(np.int64) * width + fraction
    return nanoseconds


def _as_int64(cells: pa.Array) -> Array:
    if cells.null_count:
        raise pa.ArrowInvalid("a cell is empty")
    array: Array = pc.cast(cells, pa.int64()).to_numpy(zero_copy_only=False)
    return array
