"""Messages that carry points, straight from and to columns: no object is made of a point.

All answers of BTrDB's interface that carry points or windows have the same fields: 2 and 3 are the version, 4
is the list of points, or Arrow bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from otrdb import kernels
from otrdb.errors import InvalidArgument
from otrdb.wire import btrdb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.model import Array, Float64Array, Int64Array

_INSERTED: Final = 3  # the field of the points in InsertParams
_ANSWERED: Final = 4
_POINT_BYTES: Final = 20  # of a point without zeros, its tag and length included


def take_points(request: bytes) -> tuple[Any, Int64Array, Float64Array]:
    """An `InsertParams` without its points; and these: times, int64[n], and values, float64[n], in order.

    `InvalidArgument`, or protobuf's `DecodeError`, if the request is no such message.

    Example:
        >>> points = [btrdb.RawPoint(time=7, value=20.5), btrdb.RawPoint(time=5)]
        >>> request = btrdb.InsertParams(uuid=b"u" * 16, values=points).SerializeToString()
        >>> params, times, values = take_points(request)
        >>> params.uuid, times, values
        (b'uuuuuuuuuuuuuuuu', array([7, 5]), array([20.5,  0. ]))
    """
    room = len(request) // _POINT_BYTES + 1
    rest = np.empty(len(request), np.uint8)
    try:
        while True:
            times, values = np.empty(room, np.int64), np.empty(room, np.float64)
            count, kept = kernels.decode_points(request, _INSERTED, times, values, rest)
            if count <= room:
                return btrdb.InsertParams.FromString(rest[:kept].tobytes()), times[:count], values[:count]
            room = count  # some leave out a field that is zero, and take less room
    except ValueError as error:
        raise InvalidArgument("That is no message of inserted points.") from error


def head(major: int, minor: int) -> bytes:
    """How an answer with points begins: the version they are of, and how many points of it are pending."""
    begun: bytes = btrdb.RawValuesResponse(versionMajor=major, versionMinor=minor).SerializeToString()
    return begun


def with_points(begun: bytes, columns: Sequence[Array]) -> bytes:
    """An answer with a point, a window or a range per row of ``columns``: the fields of it in order.

    Example:
        >>> answer = with_points(head(11, 0), [np.array([7]), np.array([20.5])])
        >>> btrdb.RawValuesResponse.FromString(answer).values[0].value
        20.5
    """
    return kernels.encode_points(begun, _ANSWERED, tuple(columns))


def with_bytes(begun: bytes, field: int, parts: Sequence[bytes | memoryview]) -> bytes:
    """An answer whose ``field`` is the ``parts`` together: Arrow data, copied once.

    Example:
        >>> btrdb.ArrowRawValuesResponse.FromString(with_bytes(head(11, 0), 4, [b"arr", b"ow"])).arrowBytes
        b'arrow'
    """
    size = sum(memoryview(part).nbytes for part in parts)
    return b"".join([begun, bytes([field << 3 | 2]), _varint(size), *parts])


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
