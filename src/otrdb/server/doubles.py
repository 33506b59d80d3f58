"""Values as BTrDB's interface has them: doubles, whatever the kind of the stream.

Integers beyond 2**53 are rounded on the way out. On the way in nothing is: a double that is no value of the
stream's kind is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.errors import BadValue, WrongKind
from otrdb.model import Array, Float64Array, Kind

if TYPE_CHECKING:
    from otrdb.model import BoolArray

_INT_LIMIT: Final = 2.0**63


def to_doubles(values: Array) -> Float64Array:
    """A column of any kind as float64; not copied if it is one.

    Example:
        >>> to_doubles(np.array([True, False]))
        array([1., 0.])
    """
    return values.astype(np.float64, copy=False)


def of_kind(kind: Kind, values: Array) -> Array:
    """A column of floats as values of ``kind``; others as they are.

    `BadValue` for one that is not finite, `WrongKind` for one that an int or a bool stream cannot hold.

    Example:
        >>> of_kind(Kind.INT, np.array([3.0, -1.0]))
        array([ 3, -1])
    """
    if kind is Kind.FLOAT or values.dtype.kind != "f":
        return values
    finite = np.isfinite(values)
    if not finite.all():
        index = int(np.argmin(finite))
        raise BadValue(f"Value {index} is {values[index]}.")
    fits = _is_bool(values) if kind is Kind.BOOL else _is_integer(values)
    if not fits.all():
        index = int(np.argmin(fits))
        raise WrongKind(
            f"Value {index} is {values[index]}, which a stream of kind {kind.value} does not take."
        )
    return values.astype(kind.dtype)


def _is_bool(values: Array) -> BoolArray:
    either: BoolArray = (values == 0) | (values == 1)
    return either


def _is_integer(values: Array) -> BoolArray:
    whole: BoolArray = (values == np.rint(values)) & (values >= -_INT_LIMIT) & (values < _INT_LIMIT)
    return whole
