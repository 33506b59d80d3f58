"""An archive and its server, as the settings say."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import otrdb
from otrdb.errors import InvalidArgument
from otrdb.server.access import KeyAccess
from otrdb.server.addresses import Address
from otrdb.server.certificates import Certificate
from otrdb.server.keys import KeyFile
from otrdb.server.limits import Limits
from otrdb.server.running import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb import Archive
    from otrdb.server.keys import Key
    from otrdb.server.settings import Settings

_NONE: Final = "none"


class Doors(NamedTuple):
    """Where a server is to listen: in plain text, and with a certificate."""

    plain: list[Address]
    secured: list[Address]
    certificate: Certificate | None

    @property
    def public(self) -> list[Address]:
        """The addresses that other machines reach."""
        return [address for address in [*self.plain, *self.secured] if not address.is_local]


class Serving(NamedTuple):
    """What is being served, and what there is to say about it."""

    archive: Archive
    server: Server
    keys_needed: bool
    remarks: list[str]


@contextmanager
def serving(settings: Settings) -> Iterator[Serving]:
    """Serve the archive, which is made if it is not there, to the end of the block; then it is closed.

    Raises:
        InvalidArgument: it cannot listen where it should, or without keys must not.
        ArchiveLocked: somebody else writes the archive.
    """
    doors = doors_of(settings)
    _check_keys(settings, doors)
    with (
        otrdb.open(
            settings.archive,
            durability=settings.durability,
            memory=settings.memory,
            journal=settings.journal,
            new_streams=settings.new_streams,
        ) as archive,
        Server(
            archive,
            [address.text for address in doors.plain],
            KeyAccess(settings.archive, trusting=not doors.public),
            secured=[address.text for address in doors.secured],
            certificate=doors.certificate,
            threads=settings.threads,
            limits=Limits(settings.calls, settings.calls_of_one, settings.request_bytes),
        ) as server,
    ):
        keys = KeyFile(settings.archive).read()
        yield Serving(archive, server, keys is not None, _remarks(settings, doors, keys))


def doors_of(settings: Settings) -> Doors:
    """Where the settings let others in; `InvalidArgument` if that makes no sense."""
    plain = [] if settings.grpc == _NONE else [Address.parse(settings.grpc)]
    secured = [] if settings.grpc_tls in (None, _NONE) else [Address.parse(settings.grpc_tls)]
    if not plain and not secured:
        raise InvalidArgument(
            "There is no address to listen on.", advice="Give --grpc or --grpc-tls HOST:PORT."
        )
    if not secured and (settings.tls_certificate or settings.tls_key):
        raise InvalidArgument(
            "There is a certificate, and no address for TLS.", advice="Give --grpc-tls HOST:PORT."
        )
    for address in [*plain, *secured]:
        address.check_free()
    return Doors(plain, secured, _certificate(settings) if secured else None)


def _certificate(settings: Settings) -> Certificate:
    if settings.tls_certificate is None or settings.tls_key is None:
        raise InvalidArgument(
            "TLS needs a certificate and its key.", advice="Give --tls-certificate FILE and --tls-key FILE."
        )
    return Certificate(settings.tls_certificate, settings.tls_key)


def _check_keys(settings: Settings, doors: Doors) -> None:
    if doors.public and not KeyFile(settings.archive).read():
        raise InvalidArgument(
            f"Other machines can reach {doors.public[0].text}, and the archive has no API key yet.",
            advice=f"Make one first: {_create(settings)}. Or listen on 127.0.0.1.",
        )


def _remarks(settings: Settings, doors: Doors, keys: Sequence[Key] | None) -> list[str]:
    """What whoever starts the server should know."""
    remarks = []
    if keys is None:
        remarks.append(
            "There are no API keys: everybody on this machine may read, write and remove everything. "
            f"To change that: {_create(settings)}"
        )
    elif not keys:
        remarks.append(f"All API keys are revoked: nobody is let in. To make one: {_create(settings)}")
    remarks += [
        f"Warning: {address.text} is reached by other machines, and not encrypted: whoever can listen to the "
        "network can read points and keys. --grpc-tls is for that."
        for address in doors.plain
        if not address.is_local
    ]
    return remarks


def _create(settings: Settings) -> str:
    return f"otrdb -a {settings.archive} keys create NAME --scope read|write|admin"
