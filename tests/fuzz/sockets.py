"""Connections that no gRPC client makes: half-open, slow, cut, and full of junk."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 8, 9
_END_STREAM, _END_HEADERS = 1, 4
_HELD: Final = 100
"""Connections that are kept open and say nothing, or little at a time."""


def _frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _headers(path: bytes) -> bytes:
    """HPACK without compression: POST, http, and what gRPC asks for."""
    rest = _literal(b":path", path) + _literal(b":authority", b"x") + _literal(b"te", b"trailers")
    return b"\x83\x86" + rest + _literal(b"content-type", b"application/grpc")


def _call(stream: int, body: bytes, claimed: int | None = None) -> bytes:
    message = b"\x00" + struct.pack(">I", len(body) if claimed is None else claimed) + body
    head = _frame(_HEADERS, _END_HEADERS, stream, _headers(b"/v5api.BTrDB/Info"))
    return head + _frame(_DATA, _END_STREAM, stream, message)


class Sockets(threading.Thread):
    """Makes such connections until it is told to stop, from one seed."""

    def __init__(self, rng: Random, port: int, most: int) -> None:
        super().__init__(name="fuzz-sockets", daemon=True)
        self.made: Counter[str] = Counter()
        self.over = threading.Event()
        self._rng = rng
        self._port = port
        self._most = most
        self._held: list[tuple[socket.socket, bytes]] = []

    def run(self) -> None:
        kinds: tuple[Callable[[], None], ...] = (
            self._half_open,
            self._slow,
            self._cut,
            self._reset,
            self._junk,
            self._junk_frames,
            self._many_resets,
            self._claims,
            self._http_1,
        )
        while not self.over.is_set() and self.made.total() < self._most:
            kind = self._rng.choice(kinds)
            with suppress(OSError):
                kind()
            self.made[kind.__name__.strip("_").replace("_", " ")] += 1
            self._trickle()
            self.over.wait(0.02)
        for held, _ in self._held:
            held.close()

    def _open(self, *, begun: bool = True) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=2)
        if begun:
            made.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b""))
        return made

    def _hold(self, made: socket.socket, rest: bytes) -> None:
        """Keep it open; ``rest`` is sent a byte at a time."""
        made.setblocking(False)
        self._held.append((made, rest))
        if len(self._held) > _HELD:
            self._held.pop(0)[0].close()

    def _trickle(self) -> None:
        for index, (held, rest) in enumerate(self._held):
            with suppress(OSError):
                held.send(rest[:1])
            self._held[index] = held, rest[1:]

    def _half_open(self) -> None:
        made = self._open(begun=False)
        made.sendall(_PREFACE[: self._rng.randrange(len(_PREFACE))])
        self._hold(made, b"")

    def _slow(self) -> None:
        self._hold(self._open(begun=False), _PREFACE + _frame(_SETTINGS, 0, 0, b"") + _call(1, bytes(4_000)))

    def _cut(self) -> None:
        with self._open() as made:
            whole = _call(1, self._rng.randbytes(500))
            made.sendall(whole[: self._rng.randrange(1, len(whole))])

    def _reset(self) -> None:
        """Cut by a reset instead of an end."""
        with self._open() as made:
            made.sendall(_call(1, b"")[: self._rng.randrange(10, 100)])
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _junk(self) -> None:
        with self._open(begun=self._rng.random() < 0.5) as made:
            made.sendall(self._rng.randbytes(self._rng.choice((1, 9, 100, 20_000))))

    def _junk_frames(self) -> None:
        rng = self._rng
        with self._open() as made:
            for _ in range(rng.randrange(1, 30)):
                payload = rng.randbytes(rng.choice((0, 1, 4, 8, 5, 200)))
                claimed = rng.choice((None, None, None, 0, 16_384, 2**24 - 1))
                made.sendall(
                    _frame(rng.randrange(12), rng.randrange(256), rng.randrange(8), payload, claimed)
                )

    def _many_resets(self) -> None:
        """Calls that are taken back at once: fewer than the server takes in, or others would be refused."""
        with self._open() as made:
            calls = [_call(stream, b"") + _frame(_RESET, 0, stream, bytes(4)) for stream in range(1, 100, 2)]
            made.sendall(b"".join(calls))
            made.sendall(b"".join(_frame(_PING, 0, 0, bytes(8)) for _ in range(100)))
        self.over.wait(0.1)

    def _claims(self) -> None:
        """Messages that claim to be long, flags and lengths that make no sense."""
        with self._open() as made:
            made.sendall(_call(1, b"abc", claimed=self._rng.choice((2**31, 2**32 - 1, 4, 16 << 20))))
            made.sendall(_frame(_WINDOW, 0, 0, struct.pack(">I", 2**31 - 1)))
            made.sendall(_frame(_CONTINUATION, 0, 3, bytes(100)))

    def _http_1(self) -> None:
        with self._open(begun=False) as made:
            made.sendall(
                b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * self._rng.randrange(2_000) + b"\r\n"
            )
