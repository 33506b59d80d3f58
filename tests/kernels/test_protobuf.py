"""Points in protobuf messages: the kernels, their plain twins and protobuf itself agree, bit for bit."""

import struct
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import assume, given
from hypothesis import strategies as st

from otrdb import kernels
from otrdb.wire import btrdb
from tests.kernels import protobuf_twins as twins
from tests.kernels.strategies import int64s

FIELD = 3
WORDS = st.integers(-(1 << 63), (1 << 63) - 1) | st.sampled_from([0, 0, 1, -1, 1 << 62])
SMALL = st.integers(0, 300) | st.integers(0, (1 << 64) - 1)


def varint(number: int, *, longer: int = 0) -> bytes:
    """A number as it is written, or with bytes that it does not need."""
    groups = bytearray()
    while number > 0x7F or longer:
        longer -= number <= 0x7F
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def tag(number: int, wire: int, longer: int = 0) -> bytes:
    """A tag has five bytes at most."""
    return varint(number << 3 | wire, longer=longer if number < 1 << 18 else 0)


@st.composite
def any_field(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> bytes:
    """A field that is well-formed, of any type but a group; none that must hold a point."""
    number, wire = draw(numbers), draw(st.sampled_from([0, 1, 2, 5]))
    wire = twins.FIXED64 if (number, wire) == (FIELD, twins.LENGTH) else wire
    written = tag(number, wire, draw(st.integers(0, 2)))
    if wire == twins.VARINT:
        return written + varint(draw(SMALL))
    if wire == twins.LENGTH:
        body = draw(st.binary(max_size=20))
        return written + varint(len(body), longer=draw(st.integers(0, 2))) + body
    size = 8 if wire == twins.FIXED64 else 4
    return written + draw(st.binary(min_size=size, max_size=size))


@st.composite
def point_bytes(draw: st.DrawFn) -> bytes:
    """A point: as it is usually written, or in any other way."""
    if draw(st.booleans()):
        return b"\x09" + struct.pack("<q", draw(WORDS)) + b"\x11" + struct.pack("<q", draw(WORDS))
    return b"".join(draw(st.lists(any_field(st.integers(1, 3) | st.integers(1, (1 << 29) - 1)), max_size=5)))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """An InsertParams of points and of other fields, known and unknown, in any order."""
    others = st.sampled_from([1, 2, 4, 5, 6, 3]) | st.integers(1, (1 << 29) - 1)
    parts = list[bytes]()
    for is_point in draw(st.lists(st.booleans(), max_size=8)):
        if is_point:
            point = draw(point_bytes())
            parts.append(tag(FIELD, 2) + varint(len(point), longer=draw(st.integers(0, 1))) + point)
        else:
            parts.append(draw(any_field(others)))
    return b"".join(parts)


def decoded(message: bytes, room: int | None = None) -> tuple[list[twins.Point], bytes]:
    """What the kernel makes of it; ValueError if it refuses."""
    rest = np.zeros(len(message), np.uint8)
    room = len(message) if room is None else room
    times, values = np.full(room, -7, np.int64), np.full(room, -7.0)
    count, kept = kernels.decode_points(message, FIELD, times, values, rest)
    points = list(zip(times.tolist(), values.view(np.int64).tolist(), strict=True))
    return points[: min(count, room)], rest[:kept].tobytes()


def by_protobuf(message: bytes) -> Any:
    return btrdb.InsertParams.FromString(message)


def words_of(points: Any) -> list[twins.Point]:
    return [(point.time, struct.unpack("<q", struct.pack("<d", point.value))[0]) for point in points]


@given(message=messages())
def test_decoding(message: bytes) -> None:
    points, rest = decoded(message)
    assert (points, rest) == twins.decode_points(message, FIELD)


def no_nan(words: list[twins.Point]) -> list[twins.Point]:
    """The payload of a NaN does not survive Python's own floats on every machine."""
    return [(time, 0 if np.isnan(int64s([word]).view(np.float64)[0]) else word) for time, word in words]


@given(message=messages())
def test_what_protobuf_reads_is_read_alike(message: bytes) -> None:
    try:
        expected = by_protobuf(message)
    except (
        DecodeError
    ):  # a field that is known has content that is not: it is the kernel's only if it is a point
        points, rest = decoded(message)
        with pytest.raises(DecodeError):
            by_protobuf(rest)
        return
    points, rest = decoded(message)
    assert no_nan(points) == no_nan(words_of(expected.values))
    del expected.values[:]
    assert by_protobuf(rest) == expected


@given(data=st.data(), message=messages())
def test_a_cut_message_is_read_as_protobuf_reads_it(data: st.DataObject, message: bytes) -> None:
    assume(message)
    check_alike(message[: data.draw(st.integers(0, len(message) - 1))])


@given(data=st.data(), message=messages())
def test_a_changed_message_is_read_as_protobuf_reads_it(data: st.DataObject, message: bytes) -> None:
    assume(message)
    changed = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    check_alike(bytes(changed))


@given(message=st.binary(max_size=60))
def test_any_bytes_are_read_as_protobuf_reads_them(message: bytes) -> None:
    check_alike(message)


def check_alike(message: bytes) -> None:
    """The kernel and its twin agree. So do they and protobuf, save that groups are refused."""
    try:
        expected = twins.decode_points(message, FIELD)
    except twins.Malformed:
        with pytest.raises(ValueError, match="malformed"):
            decoded(message)
        return
    points, rest = decoded(message)
    assert (points, rest) == expected
    try:
        params = by_protobuf(message)
    except DecodeError:
        with pytest.raises(DecodeError):
            by_protobuf(rest)
    else:
        assert no_nan(points) == no_nan(words_of(params.values))


@given(
    rows=st.lists(st.tuples(WORDS, WORDS), max_size=20),
    head=st.binary(max_size=5),
    field=st.integers(1, 15),
)
def test_encoding(rows: list[twins.Point], head: bytes, field: int) -> None:
    columns = int64s([row[0] for row in rows]), int64s([row[1] for row in rows]).view(np.float64)
    assert kernels.encode_points(head, field, columns) == twins.encode_points(head, field, rows)


@given(points=st.lists(st.tuples(WORDS, st.floats(allow_nan=False)), max_size=20))
def test_points_are_written_as_protobuf_writes_them(points: list[tuple[int, float]]) -> None:
    expected = btrdb.RawValuesResponse(
        versionMajor=11, values=[btrdb.RawPoint(time=time, value=value) for time, value in points]
    )
    head = btrdb.RawValuesResponse(versionMajor=11).SerializeToString()
    columns = int64s([time for time, _ in points]), np.array([value for _, value in points], np.float64)
    assert kernels.encode_points(head, 4, columns) == expected.SerializeToString()


DOUBLES = st.floats(allow_nan=False) | st.just(0.0)


@given(
    rows=st.lists(
        st.tuples(WORDS, DOUBLES, DOUBLES, DOUBLES, st.integers(0, (1 << 64) - 1), DOUBLES), max_size=9
    )
)
def test_windows_are_written_as_protobuf_writes_them(rows: list[tuple[Any, ...]]) -> None:
    names = ("time", "min", "mean", "max", "count", "stddev")
    windows = [btrdb.StatPoint(**dict(zip(names, row, strict=True))) for row in rows]
    expected = btrdb.WindowsResponse(values=windows).SerializeToString()
    dtypes = (np.int64, np.float64, np.float64, np.float64, np.uint64, np.float64)
    columns = tuple(np.array([row[i] for row in rows], dtype) for i, dtype in enumerate(dtypes))
    assert kernels.encode_points(b"", 4, columns) == expected


def test_large_calls_give_what_small_ones_do() -> None:
    """Those that give up the GIL."""
    rng = np.random.default_rng(7)
    times, values = rng.integers(-5, 5, 30_000), np.round(rng.normal(size=30_000))
    written = kernels.encode_points(b"", FIELD, (times, values))
    pieces = [
        kernels.encode_points(b"", FIELD, (times[i : i + 100], values[i : i + 100]))
        for i in range(0, 30_000, 100)
    ]
    assert written == b"".join(pieces)
    points, rest = decoded(written, 30_000)
    assert points == list(zip(times.tolist(), values.view(np.int64).tolist(), strict=True))
    assert rest == b""


def test_points_beyond_the_room_are_counted() -> None:
    message = kernels.encode_points(b"", FIELD, (np.arange(5), np.ones(5)))
    times, values = np.full(2, -7), np.full(2, -7.0)
    assert kernels.decode_points(message, FIELD, times, values, bytearray(len(message))) == (5, 0)
    assert times.tolist() == [0, 1]


@pytest.mark.parametrize(
    "message", [b"\x0b\x0c", b"\x1b\x1c", b"\x1a\x02\x0b\x0c", b"\x0c", b"\x1e", b"\x1f"]
)
def test_groups_are_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="malformed"):
        decoded(message)


@pytest.mark.parametrize("field", [0, 16, -1])
def test_other_fields_are_refused(field: int) -> None:
    with pytest.raises(ValueError, match="field must be"):
        kernels.encode_points(b"", field, (np.arange(2),))


@pytest.mark.parametrize(
    "columns",
    [
        (),
        (np.arange(2),) * 7,
        (np.arange(2), np.arange(3)),
        (np.arange(2, dtype=np.int32),),
        (np.arange(4)[::2],),
        (np.zeros((2, 2), np.int64),),
    ],
    ids=["none", "seven", "lengths", "int32", "strided", "two-dimensional"],
)
def test_other_columns_are_refused(columns: Any) -> None:
    with pytest.raises(ValueError, match=r"columns|length|documented type|contiguous"):
        kernels.encode_points(b"", FIELD, columns)


@pytest.mark.parametrize(
    ("times", "values", "rest"),
    [
        (np.zeros(2), np.zeros(2), bytearray(9)),
        (np.zeros(2, np.int64), np.zeros(2, np.int64), bytearray(9)),
        (np.zeros(2, np.int64), np.zeros(3), bytearray(9)),
        (np.zeros(2, np.int64), np.zeros(2), bytearray(1)),
        (np.zeros(2, np.int64), np.zeros(2), b"read-only"),
    ],
    ids=["times", "values", "lengths", "rest", "read-only"],
)
def test_other_outputs_are_refused(times: Any, values: Any, rest: Any) -> None:
    with pytest.raises((ValueError, BufferError)):
        kernels.decode_points(b"\x1a\x00", FIELD, times, values, rest)
