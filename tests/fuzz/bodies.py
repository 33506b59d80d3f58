"""Bytes that were a message, and what may have become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_HUGE: Final = (
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff" * 9 + b"\x01",
    b"\x80\x80\x80\x80\x08",
)
"""Varints for lengths that no message has."""


def damaged(rng: Random, body: bytes) -> bytes:
    """The same, damaged once or several times."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        body = rng.choice(_DAMAGES)(rng, body)
    return body


def _flip(rng: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(rng: Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _cut_out(rng: Random, body: bytes) -> bytes:
    first = rng.randrange(len(body) + 1)
    return body[:first] + body[first + rng.randrange(1, 9) :]


def _put(what: Callable[[Random], bytes]) -> Callable[[Random, bytes], bytes]:
    def put(rng: Random, body: bytes) -> bytes:
        at = rng.randrange(len(body) + 1)
        return body[:at] + what(rng) + body[at:]

    return put


def _overwrite(what: Callable[[Random], bytes]) -> Callable[[Random, bytes], bytes]:
    def overwrite(rng: Random, body: bytes) -> bytes:
        at, part = rng.randrange(len(body) + 1), what(rng)
        return body[:at] + part + body[at + len(part) :]

    return overwrite


def _junk(rng: Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 40))


def _huge(rng: Random) -> bytes:
    return rng.choice(_HUGE)


def _word(rng: Random) -> bytes:
    """A length or an offset, as Arrow has them."""
    value = rng.choice((0, 1, -1, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63), 7, 8, 64, 1_000_000_000))
    return value.to_bytes(8, "little", signed=True)[: rng.choice((4, 8))]


def _groups(rng: Random) -> bytes:
    """The beginnings of groups in groups, which an unknown field may be."""
    return bytes([rng.choice((0x0B, 0x7B))]) * rng.choice((3, 101, 10_000))


def _nested(rng: Random) -> bytes:
    """Messages in messages."""
    body, tag = b"", bytes([rng.choice((0x0A, 0x12, 0x1A, 0x22))])
    for _ in range(rng.choice((3, 101, 400))):
        length, size = len(body), b""
        while length > 0x7F:
            size += bytes([length & 0x7F | 0x80])
            length >>= 7
        body = tag + size + bytes([length]) + body
    return body


def _retag(rng: Random, body: bytes) -> bytes:
    """Another wire type, or another number, for a field: most likely the first."""
    if not body:
        return body
    at = 0 if rng.random() < 0.7 else rng.randrange(len(body))
    return body[:at] + bytes([body[at] & 0xF8 | rng.randrange(8)]) + body[at + 1 :]


def _twice(_: Random, body: bytes) -> bytes:
    return body + body


def _other_order(rng: Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[at:] + body[:at]


def _nothing(_: Random, __: bytes) -> bytes:
    return b""


_DAMAGES: Final = (
    _flip,
    _flip,
    _flip,
    _cut,
    _cut,
    _cut_out,
    _put(_junk),
    _put(_huge),
    _put(_groups),
    _put(_nested),
    _overwrite(_huge),
    _overwrite(_junk),
    _overwrite(_word),
    _overwrite(_word),
    _retag,
    _retag,
    _twice,
    _other_order,
    _nothing,
)
