"""NumPy arrays out of pandas and Arrow containers, without importing pandas and without losing a nanosecond.

A column of times keeps the unit it was stored in (pandas 3 infers microseconds from most sources), as
numpy.datetime64 of that unit; who reads it converts.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from otrdb.errors import BadValue, NaiveTime, WrongKind
from otrdb.export import Foreign, import_extra

if TYPE_CHECKING:
    from otrdb.model import Array

# Format strings of the Arrow C data interface, https://arrow.apache.org/docs/format/CDataInterface.html
ARROW_FORMATS: Final = {
    "b": np.bool_,
    "c": np.int8,
    "C": np.uint8,
    "s": np.int16,
    "S": np.uint16,
    "i": np.int32,
    "I": np.uint32,
    "l": np.int64,
    "L": np.uint64,
    "e": np.float16,
    "f": np.float32,
    "g": np.float64,
}
ARROW_TIME_UNITS: Final = {"tss:": "s", "tsm:": "ms", "tsu:": "us", "tsn:": "ns"}
_ARROW_STRUCT: Final = "+s"


def is_pandas(value: object, *classes: str) -> bool:
    """Whether `value` is one of these classes of pandas; never imports it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, tuple(getattr(pandas, name) for name in classes))


def is_arrow(value: object) -> bool:
    """Whether `value` hands out Arrow data through the C interface."""
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def unmasked(values: Array) -> Array:
    """`values` as a plain array; BadValue if some are masked."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if np.ma.is_masked(values):
        raise BadValue(f"Value {int(np.argmax(np.ma.getmaskarray(values)))} is masked.")
    return np.asarray(values.data)


def pandas_array(column: Foreign) -> Array:
    """A pandas Series or Index as NumPy; aware times as numpy.datetime64 of their unit in UTC.

    Naive times are refused, and a value that is missing is named by BadValue.
    """
    if getattr(column.dtype, "kind", "O") == "M":
        return _pandas_times(column)
    missing = np.asarray(column.isna())
    if missing.any():
        raise BadValue(f"Row {int(np.argmax(missing))} is missing.")
    return np.asarray(column.to_numpy())


def _pandas_times(column: Foreign) -> Array:
    if getattr(column.dtype, "tz", None) is None and getattr(_arrow_dtype(column), "tz", None) is None:
        raise NaiveTime("These pandas times have no time zone.")
    accessor: Foreign = getattr(column, "dt", column)
    utc = accessor.tz_convert("UTC")
    return np.asarray(getattr(utc, "dt", utc).tz_localize(None).to_numpy())


def _arrow_dtype(column: Foreign) -> Foreign:
    return getattr(column.dtype, "pyarrow_dtype", None)


def arrow_array(column: Foreign) -> Array:
    """One Arrow column as NumPy. BadValue names the first null."""
    nanoarrow = import_extra("nanoarrow", "arrow")
    stream = nanoarrow.c_array_stream(column)
    chunk_format = stream.get_schema().format
    return _joined([_column(chunk.view(), chunk_format, 0, len(chunk)) for chunk in stream], chunk_format)


def arrow_table(table: Foreign) -> dict[str, Array]:
    """The columns of an Arrow table as NumPy, by name. BadValue names the first null."""
    nanoarrow = import_extra("nanoarrow", "arrow")
    stream = nanoarrow.c_array_stream(table)
    schema = stream.get_schema()
    if schema.format != _ARROW_STRUCT:
        raise WrongKind("This Arrow object is one column, not a table.", advice="Give times and values.")
    formats = [(child.name, child.format) for child in schema.children]
    chunks = list(stream)
    return {
        name: _joined([_child(chunk, position, form) for chunk in chunks], form)
        for position, (name, form) in enumerate(formats)
    }


def _child(chunk: Foreign, position: int, form: str) -> Array:
    # A view of a child does not keep the chunk's memory alive: what outlives the chunk must be a copy.
    return _column(chunk.view().child(position), form, chunk.offset, chunk.length).copy()


def _column(view: Foreign, form: str, start: int, length: int) -> Array:
    """Items [start, start + length) of an Arrow array with no nulls among them."""
    dtype = _dtype(form)
    first = view.offset + start
    validity, data = (np.asarray(view.buffer(position)) for position in range(2))
    if validity.size:
        _refuse_nulls(_bits(validity, first, length))
    if form == "b":
        return _bits(data.view(np.uint8), first, length)
    return data.view(dtype)[first : first + length]


def _refuse_nulls(valid: Array) -> None:
    if not valid.all():
        raise BadValue(f"Row {int(np.argmin(valid))} of the Arrow data is null.")


def _bits(packed: Array, first: int, length: int) -> Array:
    return np.unpackbits(packed.view(np.uint8), bitorder="little")[first : first + length].astype(np.bool_)


def _dtype(form: str) -> np.dtype[Any]:
    unit = ARROW_TIME_UNITS.get(form[:4])
    if unit is not None and form == form[:4]:
        raise NaiveTime("These Arrow times have no time zone.")
    if unit is not None:
        return np.dtype(f"datetime64[{unit}]")
    if form not in ARROW_FORMATS:
        raise WrongKind(f"Arrow data of format {form!r} are neither times nor numbers.")
    return np.dtype(ARROW_FORMATS[form])


def _joined(chunks: list[Array], form: str) -> Array:
    if len(chunks) == 1:
        return chunks[0]
    return np.concatenate([np.empty(0, _dtype(form)), *chunks])
