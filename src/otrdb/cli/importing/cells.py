"""Columns of values, and the kinds they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from otrdb.cli.importing.salvage import salvage
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.model import Array, BoolArray

_EXACT: Final = float(1 << 53)  # integers below it are told apart by a float
_WORDS: Final = {"true": True, "false": False}
_DIGITS: Final = {"1": True, "0": False, "1.0": True, "0.0": False}
_GUESSES: Final = (Kind.BOOL, Kind.INT, Kind.FLOAT)  # from the narrowest


class CellRules(NamedTuple):
    """What cells of a file mean: `absent` are texts that stand for no value, `decimal` is the decimal
    sign."""

    absent: tuple[str, ...] = ("",)
    decimal: str = "."


class Prepared(NamedTuple):
    """A column ready to be read as one kind or another; where not `present` the cell is empty."""

    cells: pa.Array
    present: BoolArray
    text: bool


class Values(NamedTuple):
    """A column read as one kind: `values` [n]; where `bad` the cell is no such value, where not `present` it
    is empty."""

    values: Array
    bad: BoolArray
    present: BoolArray


def guessable(form: pa.DataType) -> Sequence[Kind]:
    """The kinds a column of this Arrow type can turn out to be, narrowest first; none if it has no
    numbers."""
    if _is_text(form):
        return _GUESSES
    if pa.types.is_boolean(form):
        return (Kind.BOOL,)
    if pa.types.is_integer(form):
        return (Kind.INT,)
    return (Kind.FLOAT,) if pa.types.is_floating(form) else ()


def prepare(cells: pa.Array, rules: CellRules) -> Prepared:
    """Cells without blanks around them, and which of them hold anything."""
    text = _is_text(cells.type)
    plain = _trimmed(cells, rules) if text else cells
    return Prepared(plain, _present(plain, rules, text), text)


def read_values(cells: Prepared, kind: Kind, *, lenient: bool, most: int | None = None) -> Values:
    """Reads a column as `kind`, up to bad cell number `most`.

    If `lenient`, also what means the same: 32.0 as an int, 0 and 1 as bools.
    """
    plain, present, text = cells
    filled = plain if present.all() else pc.if_else(pa.array(present), plain, _filler(plain.type, kind))

    def convert(part: pa.Array) -> Array:
        return _text_values(part, kind, lenient) if text else _typed_values(part, kind)

    return Values(*salvage(convert, filled, kind.dtype, most), present)


def _is_text(form: pa.DataType) -> bool:
    return bool(pa.types.is_string(form) or pa.types.is_large_string(form))


def _trimmed(cells: pa.Array, rules: CellRules) -> pa.Array:
    texts = pc.utf8_trim_whitespace(cells)
    return (
        texts if rules.decimal == "." else pc.replace_substring(texts, rules.decimal, ".", max_replacements=1)
    )


def _present(cells: pa.Array, rules: CellRules, text: bool) -> BoolArray:
    present = _numpy(pc.is_valid(cells))
    if text:
        absent = pc.is_in(cells, value_set=pa.array(rules.absent, cells.type))
        return present & ~_numpy(absent)
    if pa.types.is_floating(cells.type) and "nan" in (word.lower() for word in rules.absent):
        return present & ~_numpy(pc.fill_null(pc.is_nan(cells), True))
    return present


def _filler(form: pa.DataType, kind: Kind) -> pa.Scalar:
    """A cell that any reader accepts, in the place of an absent one."""
    if _is_text(form):
        return pa.scalar("false" if kind is Kind.BOOL else "0", form)
    return pa.scalar(0).cast(form)


def _text_values(texts: pa.Array, kind: Kind, lenient: bool) -> Array:
    """Raises ArrowInvalid if one cell is no such value."""
    if kind is Kind.FLOAT:
        return _finite(_numpy(pc.cast(texts, pa.float64())))
    if kind is Kind.BOOL:
        return _bools(texts, lenient)
    return _integers(texts, lenient)


def _bools(texts: pa.Array, lenient: bool) -> Array:
    words = _WORDS | _DIGITS if lenient else _WORDS
    lower = pc.ascii_lower(texts)
    if not pc.all(pc.is_in(lower, value_set=pa.array(list(words), texts.type)), min_count=0).as_py():
        raise pa.ArrowInvalid("a cell is no boolean")
    truths = pa.array([word for word, truth in words.items() if truth], texts.type)
    return _numpy(pc.is_in(lower, value_set=truths))


def whole_numbers(texts: pa.Array) -> pa.Array:
    """Decimal digits as int64; ArrowInvalid if one cell is anything else."""
    if pc.any(pc.match_substring(texts, "x", ignore_case=True), min_count=0).as_py():
        raise pa.ArrowInvalid("pyarrow would read a hexadecimal number")
    return pc.cast(texts, pa.int64())


def _integers(texts: pa.Array, lenient: bool) -> Array:
    try:
        return _numpy(whole_numbers(texts))
    except pa.ArrowInvalid:
        if not lenient:
            raise
    return _typed_values(pc.cast(texts, pa.float64()), Kind.INT)


def _typed_values(cells: pa.Array, kind: Kind) -> Array:
    """Numbers as another kind, exactly; ArrowInvalid if one does not fit."""
    if pa.types.is_floating(cells.type) and kind is not Kind.FLOAT:
        if not (np.abs(_numpy(pc.cast(cells, pa.float64()))) < _EXACT).all():
            raise pa.ArrowInvalid("a float of this size stands for many integers")
        cells = pc.cast(cells, pa.int64())
    if kind is Kind.BOOL and not pa.types.is_boolean(cells.type):
        if not pc.all(pc.is_in(cells, value_set=pa.array([0, 1], cells.type)), min_count=0).as_py():
            raise pa.ArrowInvalid("a cell is neither 0 nor 1")
        return _numpy(pc.equal(cells, pa.scalar(1, cells.type)))
    target = {Kind.FLOAT: pa.float64(), Kind.INT: pa.int64(), Kind.BOOL: pa.bool_()}[kind]
    values = _numpy(pc.cast(cells, target))
    return _finite(values) if kind is Kind.FLOAT else values


def _finite(values: Array) -> Array:
    if not np.isfinite(values).all():
        raise pa.ArrowInvalid("a cell is infinite or no number")
    return values


def _numpy(cells: pa.Array) -> Array:
    array: Array = cells.to_numpy(zero_copy_only=False)
    return array
