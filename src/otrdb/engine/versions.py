"""The committed versions of a stream, packed: a busy stream makes thousands an hour, and most are never asked
for.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.storage.blocks import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from otrdb.tree import Address

_RECORD: Final = struct.Struct("<Q4IQq")
"""Version, root (`NOWHERE`: no points yet), applied LSN, time of the commit."""

_NUMBER: Final = struct.Struct("<Q")


class Committed(NamedTuple):
    """A committed version: its root (None: no points yet), the LSN applied in it, and when it was committed
    (ns).
    """

    version: int
    root: Address | None
    applied: int
    time: int


class Versions:
    """The versions of one stream that are kept, ascending, 40 bytes each. Used under the archive's lock.

    Example:
        >>> versions = Versions([Committed(10, None, 0, 0), Committed(11, (1, 40, 900, 80), 7, 1_000)])
        >>> versions.append(Committed(12, (1, 2_000, 900, 80), 9, 2_000))
        >>> versions.discard({11})
        >>> versions.put(Committed(10, (2, 60, 900, 80), 0, 0))
        >>> len(versions), versions.find(11), versions.find(12).applied
        (2, None, 9)
    """

    __slots__ = ("_packed",)

    def __init__(self, versions: Iterable[Committed] = ()) -> None:
        self._packed = bytearray().join(map(_packed, versions))

    def __len__(self) -> int:
        return len(self._packed) // _RECORD.size

    def __iter__(self) -> Iterator[Committed]:
        return map(_unpacked, _RECORD.iter_unpack(bytes(self._packed)))

    def append(self, committed: Committed) -> None:
        """The next version: its number is larger than those before."""
        self._packed += _packed(committed)

    def put(self, committed: Committed) -> None:
        """A version of any number: the one there was of that number goes."""
        at = bisect_left(range(len(self)), committed.version, key=self._number)
        known = at < len(self) and self._number(at) == committed.version
        begin = at * _RECORD.size
        self._packed[begin : begin + known * _RECORD.size] = _packed(committed)

    def find(self, version: int) -> Committed | None:
        """The version of that number, if it is kept."""
        at = bisect_left(range(len(self)), version, key=self._number)
        if at == len(self) or self._number(at) != version:
            return None
        return _unpacked(_RECORD.unpack_from(self._packed, at * _RECORD.size))

    def discard(self, gone: Container[int]) -> None:
        """Forget the versions of these numbers."""
        kept = (committed for committed in self if committed.version not in gone)
        self._packed = bytearray().join(map(_packed, kept))

    def _number(self, at: int) -> int:
        number: int = _NUMBER.unpack_from(self._packed, at * _RECORD.size)[0]
        return number


def _packed(committed: Committed) -> bytes:
    version, root, applied, time = committed
    return _RECORD.pack(version, *(root or NOWHERE), applied, time)


def _unpacked(fields: tuple[int, ...]) -> Committed:
    version, segment, offset, length, head, applied, time = fields
    root = (segment, offset, length, head)
    return Committed(version, None if root == NOWHERE else root, applied, time)
