# Types of protobuf.py for type checkers, which cannot read C types; documentation is there.

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Column: TypeAlias = NDArray[Any]
"""Of int64, uint64 or float64."""

def decode_points(
    message: bytes,
    field: int,
    times_out: NDArray[np.int64],
    values_out: NDArray[np.float64],
    rest_out: NDArray[np.uint8] | bytearray,
) -> tuple[int, int]: ...
def encode_points(head: bytes, field: int, columns: tuple[Column, ...]) -> bytes: ...
