"""Statistics of groups of points, in plain NumPy.

Sums are taken of values scaled by the group's own power of two, so no finite input overflows, in two passes:
the mean first, then the squared deviations from it. Integers are summed exactly, in two halves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.columns import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.model import Array, Float64Array, Int64Array, Kind

_LOW_HALF: Final = (1 << 32) - 1
_ALL_BUT_SIGN: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One group of points per row, in ascending order of `key`. int64[n], but `mean` and `m2` float64[n]."""

    key: Int64Array
    count: Int64Array
    min: Int64Array
    """Value words, as `max`, `first` and `last`; -0.0 is less than 0.0."""
    max: Int64Array
    first: Int64Array
    last: Int64Array
    mean: Float64Array
    m2: Float64Array
    """Sum of squared deviations from the mean, of values divided by 2**exponent (see `_exponents`)."""
    high: Int64Array
    """An integer sum is high * 2**32 + low, with 0 <= low < 2**32; both 0 for floats."""
    low: Int64Array

    @classmethod
    def of(cls, columns: Iterable[Array]) -> Rows:
        """Rows of these columns, in the order of the fields."""
        return cls(*columns)

    @classmethod
    def stacked(cls, parts: Iterable[Rows]) -> Rows:
        """The rows of all parts, one below the other."""
        return cls.of(map(np.concatenate, zip(_NO_ROWS, *(part.columns() for part in parts), strict=True)))

    def columns(self) -> list[Array]:
        """The fields in their order."""
        return [getattr(self, field.name) for field in fields(self)]

    def __getitem__(self, chosen: slice) -> Rows:
        return self.of(column[chosen] for column in self.columns())


ROW_FIELDS: Final = tuple(field.name for field in fields(Rows))
FLOAT_FIELDS: Final = frozenset({"mean", "m2"})

_NO_ROWS: Final = [np.empty(0, np.float64 if name in FLOAT_FIELDS else np.int64) for name in ROW_FIELDS]


def summarise(keys: Int64Array, words: Int64Array, kind: Kind) -> Rows:
    """One row for each run of equal `keys`, which ascend with the points."""
    if not len(keys):
        return Rows.of(_NO_ROWS)
    starts = _run_starts(keys)
    count = np.diff(starts, append=len(keys))
    ordered = _sortable(words, kind)
    least = _sortable(np.minimum.reduceat(ordered, starts), kind)
    most = _sortable(np.maximum.reduceat(ordered, starts), kind)
    high, low = _integer_sums(words, starts, kind)
    exponent = _exponents(least, most, kind)
    scaled = np.ldexp(decode(kind, words).astype(np.float64), -np.repeat(exponent, count))
    if kind.integer:
        mean = _integer_means(high, low, count)
    else:
        mean = np.ldexp(np.add.reduceat(scaled, starts) / count, exponent)
    mean = _clamp(mean, least, most, kind)
    deviations = scaled - np.repeat(np.ldexp(mean, -exponent), count)
    m2 = np.add.reduceat(deviations * deviations, starts)
    last = words[starts + count - 1]
    return Rows(keys[starts], count, least, most, words[starts], last, mean, m2, high, low)


def combine(parts: list[Rows], kind: Kind) -> Rows:
    """The rows of all `parts`, which follow each other in time, with rows of equal keys merged into one."""
    rows = Rows.stacked(parts)
    starts = _run_starts(rows.key)
    if len(starts) == len(rows.key):
        return rows
    count = np.add.reduceat(rows.count, starts)
    least = _sortable(np.minimum.reduceat(_sortable(rows.min, kind), starts), kind)
    most = _sortable(np.maximum.reduceat(_sortable(rows.max, kind), starts), kind)
    high, low = _carried(np.add.reduceat(rows.high, starts), np.add.reduceat(rows.low, starts))
    sizes = np.diff(starts, append=len(rows.key))
    own, exponent = _exponents(rows.min, rows.max, kind), _exponents(least, most, kind)
    common = np.repeat(exponent, sizes)
    means = np.ldexp(rows.mean, -common)
    if kind.integer:
        mean = _integer_means(high, low, count)
    else:
        mean = np.ldexp(np.add.reduceat(means * rows.count, starts) / count, exponent)
    mean = _clamp(mean, least, most, kind)
    apart = means - np.repeat(np.ldexp(mean, -exponent), sizes)
    m2 = np.add.reduceat(np.ldexp(rows.m2, 2 * (own - common)) + rows.count * apart * apart, starts)
    ends = starts + sizes - 1
    return Rows(
        rows.key[starts], count, least, most, rows.first[starts], rows.last[ends], mean, m2, high, low
    )


def columns(rows: Rows, kind: Kind, names: tuple[str, ...]) -> dict[str, Array]:
    """The statistics called `names`, as results give them (`otrdb.results.Windows`)."""
    return {name: _column(rows, kind, name) for name in names}


def spread(rows: Rows, length: int) -> Rows:
    """A row for each key from 0 to `length` - 1, of zeros where `rows` has none."""
    wide = Rows.of(np.zeros(length, dtype=column.dtype) for column in rows.columns())
    for column, values in zip(wide.columns(), rows.columns(), strict=True):
        column[rows.key] = values
    return replace(wide, key=np.arange(length))


def _column(rows: Rows, kind: Kind, name: str) -> Array:
    if name in ("min", "max", "first", "last"):
        return decode(kind, getattr(rows, name))
    if name == "mean":
        return rows.mean
    if name == "count":
        return rows.count.astype(np.uint64)
    return _stddev(rows, kind) if name == "stddev" else _sum(rows, kind)


def _stddev(rows: Rows, kind: Kind) -> Float64Array:
    variance = rows.m2 / np.maximum(rows.count, 1)
    return np.asarray(np.ldexp(np.sqrt(variance), _exponents(rows.min, rows.max, kind)))


def _sum(rows: Rows, kind: Kind) -> Array:
    if not kind.integer:
        with np.errstate(over="ignore"):  # a sum beyond float64 is infinite
            return np.asarray(rows.mean * rows.count)
    totals = np.empty(len(rows.key), dtype=object)
    totals[:] = [(high << 32) + low for high, low in zip(rows.high.tolist(), rows.low.tolist(), strict=True)]
    return totals


def _run_starts(keys: Int64Array) -> Int64Array:
    return np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), dtype=np.bool_), keys[1:] != keys[:-1]]))


def _sortable(words: Int64Array, kind: Kind) -> Int64Array:
    """Words as integers in the order of the values they stand for; applied twice, the words again."""
    if kind.integer:
        return words
    return np.asarray(words ^ ((words >> 63) & _ALL_BUT_SIGN))


def _exponents(least: Int64Array, most: Int64Array, kind: Kind) -> Array:
    """For each group the power of two that brings its largest magnitude into [0.5, 1); 0 for integers."""
    if kind.integer:
        return np.zeros(len(least), dtype=np.int64)
    return np.frexp(np.maximum(np.abs(least.view(np.float64)), np.abs(most.view(np.float64))))[1]


def _integer_sums(words: Int64Array, starts: Int64Array, kind: Kind) -> tuple[Int64Array, Int64Array]:
    if not kind.integer:
        return np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
    return _carried(np.add.reduceat(words >> 32, starts), np.add.reduceat(words & _LOW_HALF, starts))


def _carried(high: Int64Array, low: Int64Array) -> tuple[Int64Array, Int64Array]:
    return high + (low >> 32), low & _LOW_HALF


def _integer_means(high: Int64Array, low: Int64Array, count: Int64Array) -> Float64Array:
    # Exact terms, or too large for their rounding to show: low cancels at most the last unit of high.
    return np.asarray((high.astype(np.float64) * 2.0**32 + low) / count)


def _clamp(mean: Float64Array, least: Int64Array, most: Int64Array, kind: Kind) -> Float64Array:
    low, high = (decode(kind, words).astype(np.float64) for words in (least, most))
    return np.clip(mean, low, high)
