"""Answers in the types a client asks for by an Arrow schema: columns by position, renamed and converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from otrdb.errors import InvalidArrow
from otrdb.foreign import ARROW_FORMATS, ARROW_TIME_UNITS
from otrdb.wire import arrow, arrow_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.model import Array, Float64Array, Int64Array

_UNITS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class Shape:
    """How the columns of an answer are sent: a time, then doubles; as a template says, if there is one."""

    def __init__(self, names: Sequence[str], template: bytes = b"") -> None:
        if template:
            self._schema, fields = arrow_reading.template(template)
        else:
            doubles = [arrow.Field(name, arrow.DOUBLE) for name in names[1:]]
            fields = (arrow.Field(names[0], arrow.TIME), *doubles)
            self._schema = arrow.schema(fields)
        if len(fields) != len(names):
            raise InvalidArrow(f"The template has {len(fields)} columns; the answer has {len(names)}.")
        self._formats = [field.format for field in fields]
        self.stream(np.empty(0, np.int64), [np.empty(0)] * (len(names) - 1))  # refused now, if at all

    def stream(self, times: Int64Array, doubles: Sequence[Float64Array]) -> list[bytes | memoryview]:
        """The columns as an Arrow stream; `InvalidArrow` if the template wants a type they do not fit."""
        first, *others = self._formats
        values = [_of_doubles(column, form) for column, form in zip(doubles, others, strict=True)]
        return arrow.stream(self._schema, [_of_times(times, first), *values])


def _of_times(times: Int64Array, form: str) -> Array:
    unit = "ns" if form == "l" else ARROW_TIME_UNITS.get(form[:4])
    if unit is None:
        raise _refused(form)
    divisor = _UNITS[unit]
    return times if divisor == 1 else _exact(times // divisor, times % divisor == 0, form)


def _of_doubles(values: Float64Array, form: str) -> Array:
    if form not in ARROW_FORMATS or ARROW_FORMATS[form] is np.bool_:
        raise _refused(form)
    dtype: np.dtype[Any] = np.dtype(ARROW_FORMATS[form])
    if dtype.kind == "f":
        with np.errstate(over="ignore"):  # as Arrow's own conversion has it
            return values.astype(dtype, copy=False)
    least, beyond = float(np.iinfo(dtype).min), float(int(np.iinfo(dtype).max) + 1)
    fits = (values == np.rint(values)) & (values >= least) & (values < beyond)
    return _exact(np.where(fits, values, 0).astype(dtype), fits, form)


def _exact(converted: Array, fits: Array, form: str) -> Array:
    if not fits.all():
        raise InvalidArrow(
            f"Row {int(np.argmin(fits))} of the answer does not fit the template's type {form!r}."
        )
    return converted


def _refused(form: str) -> InvalidArrow:
    return InvalidArrow(f"The template wants the Arrow type {form!r}, which the answer cannot have.")
