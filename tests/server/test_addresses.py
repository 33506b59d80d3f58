"""Addresses: what is one, who reaches it, and why one cannot listen there."""

import socket

import pytest

from otrdb.errors import InvalidArgument
from otrdb.server.addresses import Address


@pytest.mark.parametrize(
    ("text", "host", "port", "local"),
    [
        ("127.0.0.1:4410", "127.0.0.1", 4410, True),
        ("127.8.9.1:0", "127.8.9.1", 0, True),
        ("localhost:4410", "localhost", 4410, True),
        ("[::1]:65535", "::1", 65535, True),
        ("unix:/run/otrdb.sock", "", 0, True),
        ("0.0.0.0:4410", "0.0.0.0", 4410, False),
        ("[::]:4410", "::", 4410, False),
        ("192.0.2.7:1", "192.0.2.7", 1, False),
        ("[2001:db8::1]:4410", "2001:db8::1", 4410, False),
    ],
)
def test_what_is_an_address(text: str, host: str, port: int, local: bool) -> None:
    address = Address.parse(text)
    assert (address.text, address.host, address.port, address.is_local) == (text, host, port, local)


@pytest.mark.parametrize(
    "text",
    ["", "4410", ":4410", "host", "host:", "host:x", "host:65536", "::1:4410", "a b:1", "unix:", "[::1]"],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"no address to listen on"):
        Address.parse(text)


def test_a_host_that_nobody_knows() -> None:
    with pytest.raises(InvalidArgument, match=r"no host 'nobody.invalid'"):
        _ = Address.parse("nobody.invalid:4410").is_local


def test_the_port_it_has_got() -> None:
    assert Address.parse("127.0.0.1:0").at(17) == "127.0.0.1:17"
    assert Address.parse("[::1]:0").at(17) == "[::1]:17"
    assert Address.parse("unix:/a:b").at(1) == "unix:/a:b"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(InvalidArgument, match=r"Address already in use. Stop the other server"):
            Address.parse(taken).check_free()
    Address.parse(taken).check_free()


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(InvalidArgument, match=r"Cannot listen on 192.0.2.7:4410.*address of this machine"):
        Address.parse("192.0.2.7:4410").check_free()
