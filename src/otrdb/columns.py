"""Points as people hold them, and as the archive stores them: two int64 columns, times and value *words*.

A word is a float's 64 bits, an integer itself, or 0 and 1 for a boolean (`otrdb.Kind`). Coercion is exact or
refused: nothing is rounded, truncated or taken for something it is not.
"""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.errors import BadValue, InvalidArgument, MismatchedColumns, OtrError, TimeOutOfRange, WrongKind
from otrdb.foreign import arrow_array, arrow_table, is_arrow, is_pandas, pandas_array, unmasked
from otrdb.model import LAST_TIME, MIN_TIME, Array, Float64Array, Int64Array, Kind
from otrdb.results import Points
from otrdb.times import INT64_MAX, INT64_MIN, is_integer, to_ns, to_ns_array

if TYPE_CHECKING:
    from otrdb.export import Foreign

_FLOAT_POINT: Final = struct.Struct("=qd")
_INTEGER_POINT: Final = struct.Struct("=qq")
_FLOAT_BITS: Final = struct.Struct("=d")
_WORD: Final = struct.Struct("=q")
_EXACT_IN_FLOAT: Final = 1 << 53  # every integer up to here is a float64
_INT64: Final = np.dtype(np.int64)
_NUMPY_VALUES: Final = frozenset({np.float64, np.int64, np.bool_})
_SCALARS: Final = (int, float, np.generic, str, dt.date)


def stream_numbers(stream_index: Foreign, streams: int) -> Int64Array:
    """Which of so many streams each point of a wide batch is of, as int64[n]; `InvalidArgument` if it is
    none of them.

    Example:
        >>> stream_numbers([1, 0, 1], 2)
        array([1, 0, 1])
    """
    index = np.asarray(stream_index)
    if index.ndim != 1 or (index.dtype.kind not in "iu" and len(index)):
        raise InvalidArgument("stream_index is not a column of whole numbers.", advice="Count from 0.")
    # Seen without their signs, negative numbers are beyond all others.
    if len(index) and index.astype(np.int64, copy=False).view(np.uint64).max() >= streams:
        raise InvalidArgument(
            f"stream_index names a stream beyond the {streams} given.", advice="Count from 0."
        )
    return index.astype(np.int64, copy=False)


def points(kind: Kind, times: Foreign, values: Foreign = None) -> tuple[Int64Array, Int64Array]:
    """`(times, words)`, both int64[n], of points given in any of these forms:

    * two columns: arrays, sequences, pandas Series, polars Series, Arrow arrays (times: see `otrdb.times`);
    * one point: a time and a value;
    * one object: a tuple `(times, values)` or `(time, value)`, a list of pairs, `Points`, a pandas Series
      with a time index, or a pandas, polars or Arrow table with the columns "time" and "value", or with two
      columns in that order.

    The columns come back in the order given and may share the caller's memory. Values are finite and of the
    stream's kind: float takes floats, and integers a float can hold; int takes integers; bool takes booleans,
    0 and 1. Times are not checked to be legal: `check_times` does that.

    Raises WrongKind, BadValue (NaN, infinite, missing), MismatchedColumns, and the errors of `otrdb.times`.

    Example:
        >>> points(Kind.INT, [2, 1], [20, 10])
        (array([2, 1]), array([20, 10]))
    """
    if type(times) is np.int64:
        times = int(times)
    if type(values) in _NUMPY_VALUES:
        values = values.item()
    if type(times) is int and INT64_MIN <= times <= INT64_MAX:  # the commonest call first: one plain point
        if type(values) is float and kind is Kind.FLOAT and math.isfinite(values):
            return _one_point(_FLOAT_POINT.pack(times, values))
        if type(values) is bool and kind is Kind.BOOL:
            return _one_point(_INTEGER_POINT.pack(times, values))
        if type(values) is int and kind is Kind.INT and INT64_MIN <= values <= INT64_MAX:
            return _one_point(_INTEGER_POINT.pack(times, values))
    if _are_plain(kind, times, values):
        return times, _finite_words(values) if kind is Kind.FLOAT else values
    if values is None:
        return _from_one_object(kind, times)
    if isinstance(times, _SCALARS):
        return _scalar_point(kind, times, values)
    return _paired(to_ns_array(times), words(kind, values))


def words(kind: Kind, values: Foreign) -> Int64Array:
    """A column of values as int64[n] words, by the rules of `points`."""
    if isinstance(values, np.ndarray):
        return _array_words(kind, values)
    if is_pandas(values, "Series", "Index"):
        return _array_words(kind, pandas_array(values))
    if is_arrow(values):
        return _array_words(kind, arrow_array(values))
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise MismatchedColumns(f"{values!r} is no column of values.")
    return _sequence_words(kind, list(values))


def decode(kind: Kind, words: Int64Array) -> Array:
    """The values that words stand for, in the kind's dtype; shares memory with `words` where it can.

    Example:
        >>> decode(Kind.FLOAT, np.array([0x3FF0_0000_0000_0000]))
        array([1.])
    """
    if kind is Kind.FLOAT:
        return words.view(np.float64)
    return words if kind is Kind.INT else words.astype(np.bool_)


def decode_one(kind: Kind, word: int) -> float | int | bool:
    """The value one word stands for, as a Python float, int or bool.

    Example:
        >>> decode_one(Kind.BOOL, 1)
        True
    """
    if kind is Kind.FLOAT:
        value: float = _FLOAT_BITS.unpack(_WORD.pack(word))[0]
        return value
    return int(word) if kind is Kind.INT else bool(word)


def check_times(times: Int64Array) -> None:
    """TimeOutOfRange, naming the first, if a time is one no point may have: MIN_TIME <= t <= LAST_TIME."""
    if len(times) and not (times.min() >= MIN_TIME and times.max() <= LAST_TIME):
        index = int(np.argmax((times < MIN_TIME) | (times > LAST_TIME)))
        raise TimeOutOfRange(f"Point {index} has time {int(times[index])}.")


def _are_plain(kind: Kind, times: Foreign, values: Foreign) -> bool:
    """Whether these are two contiguous columns whose bytes are stored as they are."""
    return (
        type(times) is np.ndarray
        and type(values) is np.ndarray
        and times.dtype is _INT64
        and values.dtype is kind.dtype
        and kind is not Kind.BOOL
        and times.ndim == 1
        and times.shape == values.shape
        and times.flags.c_contiguous
        and values.flags.c_contiguous
    )


def _one_point(packed: bytes) -> tuple[Int64Array, Int64Array]:
    both = np.frombuffer(packed, dtype=np.int64)
    return both[:1], both[1:]


def _scalar_point(kind: Kind, time: Foreign, value: Foreign) -> tuple[Int64Array, Int64Array]:
    if not isinstance(value, _SCALARS) and value is not None:
        raise MismatchedColumns("There is one time, and a column of values.")
    return np.array([to_ns(time)], dtype=np.int64), _sequence_words(kind, [value])


def _paired(times: Int64Array, words: Int64Array) -> tuple[Int64Array, Int64Array]:
    if len(times) != len(words):
        raise MismatchedColumns(f"There are {len(times)} times and {len(words)} values.")
    return times, words


def _from_one_object(kind: Kind, data: Foreign) -> tuple[Int64Array, Int64Array]:
    if isinstance(data, Points):
        return data.times, words(kind, data.values)
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], _SCALARS):
        return _scalar_point(kind, *data)
    times, values = _two_columns(data)
    return _paired(to_ns_array(times), words(kind, values))


def _two_columns(data: Foreign) -> tuple[Foreign, Foreign]:
    """The columns of times and of values in one object."""
    if isinstance(data, tuple) and len(data) == 2:
        return data
    if is_pandas(data, "Series"):
        return data.index, data
    if is_pandas(data, "DataFrame"):
        return _frame_columns(data)
    if is_arrow(data):
        return _named_columns(arrow_table(data))
    if isinstance(data, list) and all(isinstance(pair, Sequence) and len(pair) == 2 for pair in data):
        return [pair[0] for pair in data], [pair[1] for pair in data]
    raise MismatchedColumns(f"An object of {type(data).__name__} holds no points by itself.")


def _frame_columns(frame: Foreign) -> tuple[Foreign, Foreign]:
    columns = {name: frame[name] for name in frame.columns}
    if "time" not in columns and len(columns) == 1:
        return frame.index, columns.popitem()[1]
    return _named_columns(columns)


def _named_columns(columns: dict[str, Foreign]) -> tuple[Foreign, Foreign]:
    if {"time", "value"} <= columns.keys():
        return columns["time"], columns["value"]
    if len(columns) == 2:
        times, values = columns.values()
        return times, values
    raise MismatchedColumns(
        f"The table has the columns {', '.join(map(str, columns))}; expected time and value."
    )


def _array_words(kind: Kind, values: Array) -> Int64Array:
    if values.ndim != 1:
        raise MismatchedColumns(f"Values of shape {values.shape} are no column.")
    if values.dtype.kind == "O":
        return _sequence_words(kind, values.tolist())
    plain = unmasked(values)
    if kind is Kind.FLOAT:
        return _float_words(plain)
    return _integer_words(plain) if kind is Kind.INT else _bool_words(plain)


def _float_words(values: Array) -> Int64Array:
    if values.dtype.kind in "iu":
        floats = _floats_of_integers(values)
    elif values.dtype.kind == "f" and values.dtype.itemsize <= 8:
        floats = np.ascontiguousarray(values, dtype=np.float64)
    else:
        raise WrongKind(f"A float stream takes no array of {values.dtype}.")
    return _finite_words(floats)


def _finite_words(floats: Float64Array) -> Int64Array:
    finite = np.isfinite(floats)
    if np.count_nonzero(finite) != len(floats):  # a quarter of what all() costs for a few points
        index = int(np.argmin(finite))
        raise BadValue(f"Value {index} is {floats[index]}.")
    return floats.view(np.int64)


def _floats_of_integers(values: Array) -> Array:
    floats = values.astype(np.float64)
    if (np.abs(floats) >= _EXACT_IN_FLOAT).any():
        _refuse_rounded(values, floats)
    return floats


def _refuse_rounded(values: Array, floats: Array) -> None:
    """WrongKind if a float is not the integer it was made of."""
    beyond = floats >= float(np.iinfo(values.dtype).max)  # that is a power of two, one too large
    rounded = beyond | (np.where(beyond, 0, floats).astype(values.dtype) != values)
    if rounded.any():
        index = int(np.argmax(rounded))
        raise _not_exact(index, int(values[index]))


def _not_exact(index: int, value: int) -> OtrError:
    return WrongKind(f"Value {index} is {value}, which a float cannot hold exactly.")


def _integer_words(values: Array) -> Int64Array:
    if values.dtype.kind not in "iu":
        raise WrongKind(f"An int stream takes no array of {values.dtype}.")
    if values.dtype.kind == "u" and values.size and int(values.max()) > INT64_MAX:
        index = int(np.argmax(values))
        raise _beyond_int64(index, int(values[index]))
    return np.ascontiguousarray(values, dtype=np.int64)


def _beyond_int64(index: int, value: int) -> OtrError:
    return BadValue(f"Value {index} is {value}, beyond 64 bits.", advice="Store it in a float stream.")


def _bool_words(values: Array) -> Int64Array:
    if values.dtype.kind not in "biu":
        raise WrongKind(f"A bool stream takes no array of {values.dtype}.")
    other = values > 1 if values.dtype.kind != "i" else (values < 0) | (values > 1)
    if other.any():
        index = int(np.argmax(other))
        raise WrongKind(f"Value {index} is {values[index]}; a bool stream takes booleans, 0 and 1.")
    return values.astype(np.int64)


_PLAIN: Final = {Kind.FLOAT: float, Kind.INT: int, Kind.BOOL: bool}


def _sequence_words(kind: Kind, values: list[Foreign]) -> Int64Array:
    """Words of Python objects, whose types matter: numpy would take True for 1.0 and 2**60 + 1 for 2**60."""
    if set(map(type, values)) == {_PLAIN[kind]}:
        exact = values
    else:
        exact = [_exact(kind, index, value) for index, value in enumerate(values)]
    try:
        return _array_words(kind, np.array(exact, dtype=kind.dtype))
    except OverflowError:
        index = next(index for index, value in enumerate(exact) if not INT64_MIN <= value <= INT64_MAX)
        raise _beyond_int64(index, exact[index]) from None


def _exact(kind: Kind, index: int, value: Foreign) -> float | int | bool:
    """`value` as the Python type of `kind`, or an error that names its `index`."""
    is_bool = isinstance(value, bool | np.bool_)
    integer = is_integer(value)
    if kind is Kind.FLOAT and isinstance(value, float | np.float16 | np.float32):
        return float(value)
    if kind is Kind.FLOAT and integer:
        return _float_of_integer(index, int(value))
    if kind is Kind.INT and integer:
        return int(value)
    if kind is Kind.BOOL and (is_bool or (integer and value in (0, 1))):
        return bool(value)
    if value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType":
        raise BadValue(f"Value {index} is missing.")
    raise WrongKind(f"Value {index} is {value!r}, which a stream of kind {kind.value} does not take.")


def _float_of_integer(index: int, value: int) -> float:
    try:
        exact = float(value)
    except OverflowError:
        raise _not_exact(index, value) from None
    if int(exact) != value:
        raise _not_exact(index, value)
    return exact
