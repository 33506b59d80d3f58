"""The words everything else is written in: the range of time, kinds of stream, merge policies."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from otrdb.errors import InvalidArgument

MIN_TIME: Final = -(1 << 60)
"""Smallest legal time, ns since 1970 UTC (1933-06-20T00:01:35Z); the tree begins here. Inclusive."""

MAX_TIME: Final = 3 << 60
"""End of time, ns since 1970 UTC (2079-08-08T23:55:13Z). Exclusive; legal as the end of a range."""

LAST_TIME: Final = MAX_TIME - 2
"""Largest time a point may have. MAX_TIME - 1 is left free so that a wire protocol whose ranges end there at
the latest can still reach every point."""

FIRST_VERSION: Final = 10
"""Version of a stream that was created and never written. The first commit makes the next one."""

Int64Array: TypeAlias = npt.NDArray[np.int64]
Float64Array: TypeAlias = npt.NDArray[np.float64]
UInt64Array: TypeAlias = npt.NDArray[np.uint64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]


class Kind(StrEnum):
    """What the values of a stream are. Fixed when the stream is created.

    Inside the archive every value is one int64 *word*: the bits of a float, the integer itself, or 0 and 1.

    Example:
        >>> Kind("int") is Kind.INT, Kind.BOOL.dtype, Kind.BOOL.integer
        (True, dtype('bool'), True)
    """

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"

    dtype: np.dtype[Any]
    """The NumPy type values are given out in: float64, int64 or bool."""

    integer: bool
    """Whether words are numbers by themselves (int and bool) and not the bits of a float."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise _unknown(cls, "kind", value)


for _kind, _dtype in zip(Kind, (np.float64, np.int64, np.bool_), strict=True):
    _kind.dtype = np.dtype(_dtype)
    _kind.integer = _kind is not Kind.FLOAT


class Merge(StrEnum):
    """What becomes of a new point whose time is taken already, by a stored point or by one earlier in its
    batch.

    NEVER keeps all; EQUAL drops the new point if its value is equal too; RETAIN drops it in any case; REPLACE
    drops the old ones.

    Example:
        >>> Merge("replace").code
        3
    """

    NEVER = "never"
    EQUAL = "equal"
    RETAIN = "retain"
    REPLACE = "replace"

    code: int
    """The policy's number on disk, on the wire and in the kernels: 0 to 3 in the order above."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise _unknown(cls, "merge policy", value)


for _code, _merge in enumerate(Merge):
    _merge.code = _code


def _unknown(choices: type[Enum], what: str, value: object) -> InvalidArgument:
    words = ", ".join(repr(choice.value) for choice in choices)
    return InvalidArgument(f"{value!r} is no {what}.", advice=f"Give one of {words}.")


KindLike: TypeAlias = Kind | Literal["float", "int", "bool"]
MergeLike: TypeAlias = Merge | Literal["never", "equal", "retain", "replace"]
