"""Journal records: the bytes of one acknowledged batch, and their proof."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from otrdb.errors import MismatchedColumns
from otrdb.layout import Layout

if TYPE_CHECKING:
    from otrdb.model import Int64Array, UInt64Array

RECORD_HEADER: Final = Layout(
    ("crc", "I", "CRC of the rest of the record"),
    ("length", "I", "bytes of the record with this header, a multiple of 8"),
    ("type", "B", "1 points, 2 carried points, 3 closed, 4 opened"),
    ("policy", "B", "merge policy: 0 never, 1 equal, 2 retain, 3 replace"),
    ("flags", "H", "bit 0: uniform, one point for each stream and no counts"),
    ("file", "I", "number of the file the record was written to"),
    ("lsn", "Q", "log sequence number; ascending, with gaps"),
    ("durable", "Q", "LSN of the newest record known durable when this was written"),
)

POINTS: Final = 1
CARRIED: Final = 2
CLOSED: Final = 3
OPENED: Final = 4
TYPES: Final = (POINTS, CARRIED, CLOSED, OPENED)
"""Record types."""

UNIFORM: Final = 1
"""Flag: every part has one point, and there are no counts."""

HEADER_BYTES: Final = RECORD_HEADER.size
ALIGNMENT: Final = 8
"""Every record begins at a multiple of this."""

UInt32Array: TypeAlias = NDArray[np.uint32]

_CRC_BYTES: Final = 4
_SEALED: Final = struct.Struct("<IBBHIQQ")
_SIZES: Final = struct.Struct("<II")
_U32: Final = np.dtype("<u4")
_U64: Final = np.dtype("<u8")
_I64: Final = np.dtype("<i8")
_ONE: Final = struct.Struct("<IIIIqq")
_ONE_DTYPE: Final = np.dtype(
    {
        "names": ["lsn", "number", "time", "word"],
        "formats": ["<u8", "<u4", "<i8", "<i8"],
        "offsets": [RECORD_HEADER.offset("lsn"), *(HEADER_BYTES + offset for offset in (8, 16, 24))],
        "itemsize": HEADER_BYTES + _ONE.size,
    }
)
"""A record of one point: parts, points, number, padding, time and word behind the header."""


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """Acknowledged points as they were appended, those of the parts one after the other, in order of arrival.

    It is one record, or a run of neighbours of one point each under the same policy (which makes no
    difference: merging them one by one gives the same). Then a stream may have several parts. Arrays may be
    read-only views of a larger buffer; copy what is kept.

    Attributes:
        lsn: of the record, or of the last one of the run.
        policy: code of the merge policy.
        carried: whether the parts repeat points that were acknowledged before.
        lsns: uint64[parts], under which each part was acknowledged.
        numbers: uint32[parts], stream numbers.
        counts: uint32[parts], points of each part.
        times: int64[points], ns since 1970.
        words: int64[points], the values.
    """

    lsn: int
    policy: int
    carried: bool
    lsns: UInt64Array
    numbers: UInt32Array
    counts: UInt32Array
    times: Int64Array
    words: Int64Array


class Sealed(NamedTuple):
    """A proved record, not yet taken apart. `at` and `end` are its place in the buffer it was found in."""

    at: int
    end: int
    type: int
    policy: int
    flags: int
    lsn: int
    durable: int


def seal(kind: int, policy: int, flags: int, file: int, lsn: int, durable: int, payload: bytes) -> bytes:
    """The header of a record with that payload, which follows it."""
    rest = _SEALED.pack(HEADER_BYTES + len(payload), kind, policy, flags, file, lsn, durable)
    return crc32c(payload, crc32c(rest)).to_bytes(_CRC_BYTES, "little") + rest


def unseal(data: memoryview, at: int, file: int) -> Sealed | None:
    """The record of journal file ``file`` that begins at ``data[at]``; None if no sound one does."""
    if at + HEADER_BYTES > len(data):
        return None
    crc, length, kind, policy, flags, own_file, lsn, durable = RECORD_HEADER.unpack_from(data, at)
    end = at + length
    if (
        own_file != file
        or kind not in TYPES
        or length < HEADER_BYTES
        or length % ALIGNMENT
        or end > len(data)
    ):
        return None
    if crc32c(data[at + _CRC_BYTES : end]) != crc:
        return None
    return Sealed(at, end, kind, policy, flags, lsn, durable)


def pack_points(
    numbers: UInt32Array,
    counts: UInt32Array | None,
    times: Int64Array,
    words: Int64Array,
    originals: UInt64Array | None = None,
) -> tuple[int, bytes]:
    """The flags and the payload of a record of points.

    Raises:
        MismatchedColumns: the lengths do not fit together.
    """
    parts, points = len(numbers), len(times)
    if counts is None and originals is None and parts == points == len(words) == 1:
        return UNIFORM, _ONE.pack(1, 1, numbers.item(), 0, times.item(), words.item())
    by_part = [column for column in (counts, originals) if column is not None]
    total = parts if counts is None else counts.sum()
    if total != points or len(words) != points or any(len(column) != parts for column in by_part):
        raise MismatchedColumns(f"{parts} parts with {points} times and {len(words)} words are no batch.")
    index: list[Any] = (
        [_stored(numbers, _U32)] if counts is None else [_stored(numbers, _U32), _stored(counts, _U32)]
    )
    padding = bytes(4 * (parts * len(index) & 1))
    columns: list[Any] = [_stored(times, _I64), _stored(words, _I64)]
    if originals is not None:
        columns.insert(0, _stored(originals, _U64))
    return int(counts is None), b"".join((_SIZES.pack(parts, points), *index, padding, *columns))


def unpack_points(data: memoryview, record: Sealed) -> JournalRecord | None:
    """A record of points taken apart; None if its sizes do not add up, though its checksum holds."""
    at = record.at + HEADER_BYTES
    if at + _SIZES.size > record.end:
        return None
    parts, points = _SIZES.unpack_from(data, at)
    uniform, carried = bool(record.flags & UNIFORM), record.type == CARRIED
    index = at + _SIZES.size
    columns = index + -(-4 * parts * (2 - uniform) // ALIGNMENT) * ALIGNMENT
    begin = columns + 8 * parts * carried
    if begin + 16 * points != record.end or (uniform and parts != points):
        return None
    return JournalRecord(
        record.lsn,
        record.policy,
        carried,
        np.frombuffer(data, _U64, parts, columns) if carried else np.full(parts, record.lsn, _U64),
        np.frombuffer(data, _U32, parts, index),
        np.ones(parts, _U32) if uniform else np.frombuffer(data, _U32, parts, index + 4 * parts),
        np.frombuffer(data, _I64, points, begin),
        np.frombuffer(data, _I64, points, begin + 8 * points),
    )


def is_one_point(record: Sealed) -> bool:
    """Whether it is a record of one point of one stream, all of which have the same shape."""
    return record.end - record.at == _ONE_DTYPE.itemsize and record.flags == UNIFORM and record.type == POINTS


def unpack_run(data: memoryview, first: Sealed, last: Sealed) -> JournalRecord:
    """The records of one point each from ``first`` to ``last``, which stand side by side, as one."""
    count = (last.end - first.at) // _ONE_DTYPE.itemsize
    run = np.frombuffer(data, _ONE_DTYPE, count, first.at)
    lsns, numbers, times, words = (run[name].copy() for name in ("lsn", "number", "time", "word"))
    return JournalRecord(last.lsn, first.policy, False, lsns, numbers, np.ones(count, _U32), times, words)


def _stored(column: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The column as it goes to disk; as it is, if it is like that already."""
    return (
        column if column.dtype == dtype and column.flags.c_contiguous else np.ascontiguousarray(column, dtype)
    )
