"""Where a server listens."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final

from otrdb.errors import InvalidArgument

_TCP: Final = re.compile(r"(\[(?P<six>[^\]]+)\]|(?P<host>[^:/\s]+)):(?P<port>[0-9]{1,5})")
_UNIX: Final = "unix:"
_ADVICE: Final = "Give HOST:PORT, such as 127.0.0.1:4410 or [::1]:4410, or unix:/PATH."


@dataclass(frozen=True, slots=True)
class Address:
    """HOST:PORT, or the path of a Unix socket (then `host` is empty).

    Example:
        >>> Address.parse("127.0.0.1:4410").is_local, Address.parse("0.0.0.0:4410").is_local
        (True, False)
    """

    text: str
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address as gRPC takes it."""
        if text.startswith(_UNIX) and len(text) > len(_UNIX):
            return cls(text)
        found = _TCP.fullmatch(text)
        if found is None or int(found["port"]) >= 1 << 16:
            raise InvalidArgument(f"{text!r} is no address to listen on.", advice=_ADVICE)
        return cls(text, found["six"] or found["host"], int(found["port"]))

    @property
    def is_local(self) -> bool:
        """Whether nothing but this machine reaches it. Asks for the addresses of a host's name."""
        return not self.host or all(_is_loopback(place) for _, place in self._places())

    def at(self, port: int) -> str:
        """The same address with the port it has got."""
        return self.text if not self.host else f"{self.text.rpartition(':')[0]}:{port}"

    def check_free(self) -> None:
        """`InvalidArgument` that says why, if one cannot listen here now: gRPC would not."""
        refused = [self._refusal(family, place) for family, place in self._places()] if self.host else []
        taken = [error for error in refused if error is not None and error.errno == errno.EADDRINUSE]
        if taken or (refused and all(refused)):
            raise self.refusal((taken or refused)[0])

    def refusal(self, error: OSError | None) -> InvalidArgument:
        """The error that says that one cannot listen here."""
        reason = "" if error is None else f": {error.strerror}"
        taken = error is not None and error.errno == errno.EADDRINUSE
        advice = (
            "Stop the other server, or choose another port."
            if taken
            else "Choose an address of this machine."
        )
        return InvalidArgument(f"Cannot listen on {self.text}{reason}.", advice=advice)

    def _places(self) -> list[tuple[int, tuple[str, int]]]:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise InvalidArgument(f"There is no host {self.host!r}.", advice=_ADVICE) from error
        return [(family, (str(place[0]), self.port)) for family, _, _, _, place in found]

    def _refusal(self, family: int, place: tuple[str, int]) -> OSError | None:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # A port whose last connections have just ended is free; one that somebody listens on is not.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
        except OSError as error:
            return error
        return None


def _is_loopback(place: tuple[str, int]) -> bool:
    return ipaddress.ip_address(place[0].partition("%")[0]).is_loopback
