"""`otrdb.connect`. What needs gRPC is imported when it is called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from otrdb.errors import InvalidArgument
from otrdb.export import import_extra

if TYPE_CHECKING:
    from otrdb.remote.archive import Archive

_PORTS: Final = {"grpc": 4410, "grpcs": 4411}
_FORMS: Final = "Write it like grpc://host:4410, or grpcs://host:4411 for TLS."
_CA_VARIABLE: Final = "OTRDB_CA_BUNDLE"
_LONGEST_CONNECT: Final = 10.0


class Address(NamedTuple):
    """Where a server is: what gRPC takes as its address, and whether TLS is spoken there."""

    target: str
    secure: bool


def connect(
    url: str,
    *,
    api_key: str | None = None,
    ca: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
) -> Archive:
    """The archive that the server at ``url`` serves (`otrdb serve`), by the same interface as `otrdb.open`
    gives. A context manager; safe to use from several threads.

    Args: url: "grpc://host:port" (4410 unless given), or "grpcs://host:port" (4411) for TLS. api_key: a key
    of the server. Over "grpc" it can be read on its way: give it there only on a network you trust. ca: a PEM
    file of the certificates to trust with TLS, else that in $OTRDB_CA_BUNDLE, else those gRPC brings along.
    timeout: seconds that any call may take, None for any time; connecting takes at most 10 in any case.

    The server is asked at once what it is. A call that it may have seen is never repeated: when the
    connection breaks, `Unreachable` is raised, whose ``fate_unknown`` says whether a change may have been
    made, and the next call connects again.

    Raises:
        InvalidArgument: the url is none, or the file of certificates cannot be read.
        Unreachable: nobody answers there, or no OtrDB server.
        TookTooLong: it does not answer in time.
        AccessDenied: it does not know the key.
        MissingExtra: gRPC is not installed.

    Example:
        >>> import otrdb, tempfile
        >>> from otrdb.server.running import Server
        >>> with otrdb.open(tempfile.mkdtemp()) as local, Server(local, ["127.0.0.1:0"]) as server:
        ...     with otrdb.connect(f"grpc://127.0.0.1:{server.ports[0]}") as db:
        ...         heat = db.create("plant/line1", tags={"name": "heat"})
        ...         _ = heat.insert([1, 2], [20.5, 20.7])
        ...         heat.latest()
        Point(time=2, value=20.7)
    """
    address = parsed(url)
    _check_timeout(timeout)
    roots = _roots(ca) if address.secure else None
    import_extra("grpc", "remote")
    import_extra("google.protobuf.message", "remote")
    from otrdb.remote import archive, link

    opened = link.Link(url, link.channel(address, roots), api_key, timeout)
    try:
        opened.introduce(min(timeout or _LONGEST_CONNECT, _LONGEST_CONNECT))
        return archive.Archive(opened)
    except BaseException:
        opened.close()
        raise


def parsed(url: str) -> Address:
    """The address in a url; `InvalidArgument` if it is none.

    Example:
        >>> parsed("grpcs://plant.example")
        Address(target='plant.example:4411', secure=True)
    """
    if not isinstance(url, str):
        raise InvalidArgument(f"{url!r} is no url.", advice=_FORMS)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidArgument(f"{url!r} is no url: {error}.", advice=_FORMS) from None
    if parts.scheme not in _PORTS or not host:
        raise InvalidArgument(f"{url!r} is no address of a server.", advice=_FORMS)
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment or port == 0:
        raise InvalidArgument(
            f"{url!r} is more than an address.", advice=f"{_FORMS} The key is given as api_key=."
        )
    name = f"[{host}]" if ":" in host else host
    return Address(f"{name}:{port or _PORTS[parts.scheme]}", parts.scheme == "grpcs")


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not timeout > 0:
        raise InvalidArgument(f"A timeout of {timeout!r} lets no call end.", advice="Give seconds, or None.")


def _roots(ca: str | os.PathLike[str] | None) -> bytes | None:
    """The certificates to trust; None for those gRPC brings along."""
    file = ca or os.environ.get(_CA_VARIABLE)
    if not file:
        return None
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidArgument(
            f"The certificates in {os.fspath(file)!r} cannot be read: {error.strerror}.",
            advice=f"Name a PEM file by ca= or ${_CA_VARIABLE}.",
        ) from error
