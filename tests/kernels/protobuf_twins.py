"""Plain twins of the kernels for points in protobuf messages.

https://protobuf.dev/programming-guides/encoding/ says how a message is written.
"""

import struct
from collections.abc import Iterator, Sequence

Point = tuple[int, int]
"""Two words: the time, and the bits of the value."""

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class Malformed(ValueError):  # noqa: N818
    """These bytes are no message."""


def decode_points(message: bytes, field: int) -> tuple[list[Point], bytes]:
    """The points of the repeated field, and the other fields as they are."""
    points, rest = list[Point](), b""
    for number, wire, start, body, end in fields(message):
        if (number, wire) == (field, LENGTH):
            points.append(decode_point(message[body:end]))
        else:
            rest += message[start:end]
    return points, rest


def decode_point(message: bytes) -> Point:
    words = [0, 0]
    for number, wire, _, body, end in fields(message):
        if number in (1, 2) and wire == FIXED64:
            words[number - 1] = int.from_bytes(message[body:end], "little", signed=True)
    return words[0], words[1]


def fields(message: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Number and wire type of each field, where it starts, where what it holds starts, and its end."""
    at = 0
    while at < len(message):
        start = at
        tag, at = varint(message, at, 5)
        number, wire = tag >> 3, tag & 7
        if not number or tag >> 32:
            raise Malformed
        body = at
        if wire == VARINT:
            _, at = varint(message, at, 10)
        elif wire == LENGTH:
            size, body = varint(message, at, 5)
            at = body + size
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        else:
            raise Malformed
        if at > len(message):
            raise Malformed
        yield number, wire, start, body, at


def varint(message: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for position, byte in enumerate(message[at : at + most]):
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise Malformed


def encode_points(head: bytes, field: int, rows: Sequence[Sequence[int]]) -> bytes:
    """A submessage per row of words; zeros are left out."""
    written = bytearray(head)
    for row in rows:
        point = b"".join(
            bytes([number << 3 | FIXED64]) + struct.pack("<q", word)
            for number, word in enumerate(row, start=1)
            if word
        )
        written += bytes([field << 3 | LENGTH, len(point)]) + point
    return bytes(written)
