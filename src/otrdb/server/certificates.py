"""The certificate of a server."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Final

import grpc

from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from pathlib import Path

_LOG: Final = logging.getLogger(__name__)


class Certificate:
    """A certificate with its chain and its key, in two PEM files. New ones are used once both are there.

    Raises `InvalidArgument` if they are no pair. Costs two `stat` for each connection.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._stamp = self._look()
        self._first = self._read()

    def credentials(self) -> grpc.ServerCredentials:
        """For gRPC, which asks before every handshake whether there is a new pair."""
        # Its types do not know of None, which its documentation gives for "no change".
        return grpc.dynamic_ssl_server_credentials(self._first, self._renewed)  # type: ignore[arg-type]

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """The new pair; None while the one before is to be used."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return None
            self._stamp = stamp
            return self._read()
        except InvalidArgument as error:
            _LOG.warning("The certificate stays the one before: %s", error.message)
            return None

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        try:
            found = [file.stat() for file in self._files]
        except OSError as error:
            raise _unreadable(error) from error
        return tuple((status.st_ino, status.st_mtime_ns, status.st_size) for status in found)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        certificate, key = self._files
        try:
            # gRPC would take anything, and then refuse every client.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
            pair = (key.read_bytes(), certificate.read_bytes())
        except ssl.SSLError as error:
            raise InvalidArgument(
                f"{certificate} and {key} are no certificate and its key: {error.reason or error}.",
                advice="Give two PEM files that belong together, the key without a passphrase.",
            ) from error
        except OSError as error:
            raise _unreadable(error) from error
        return grpc.ssl_server_certificate_configuration([pair])


def _unreadable(error: OSError) -> InvalidArgument:
    return InvalidArgument(
        f"Cannot read {error.filename}: {error.strerror}.",
        advice="Check --tls-certificate and --tls-key, and who may read them.",
    )
