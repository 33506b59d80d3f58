"""A server from its start to its stop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc.aio

from otrdb.closing import Closing
from otrdb.server import service
from otrdb.server.access import Anyone
from otrdb.server.addresses import Address
from otrdb.server.dispatch import Dispatcher
from otrdb.server.health import NAME as HEALTH
from otrdb.server.health import Health, add_reflection
from otrdb.server.limits import Limits
from otrdb.server.loop import shared_loop
from otrdb.server.own import service as own
from otrdb.server.rpc import Door

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from otrdb import Archive
    from otrdb.server.access import Access
    from otrdb.server.certificates import Certificate

_Done = TypeVar("_Done")

SERVICES: Final = (service, own)

THREADS: Final = 16
"""Answers that are made at a time."""

GRACE: Final = 3.0
"""Seconds that calls have to end when the server stops."""

LAST_ANSWERS: Final = 1.0
"""Seconds that answers still have, whose calls were ended then."""


class Server(Closing):
    """A server of an archive on threads of its own. Closing it leaves the archive open.

    It listens on `addresses` in plain text, and on `secured` with the `certificate`. `InvalidArgument` says
    why it cannot.

    Example:
        >>> import grpc, otrdb, tempfile
        >>> with otrdb.open(tempfile.mkdtemp()) as db, Server(db, ["127.0.0.1:0"]) as server:
        ...     server.ports[0] > 0
        True
    """

    def __init__(
        self,
        archive: Archive,
        addresses: Sequence[str],
        access: Access | None = None,
        *,
        secured: Sequence[str] = (),
        certificate: Certificate | None = None,
        threads: int = THREADS,
        limits: Limits | None = None,
    ) -> None:
        self.ports: list[int] = []
        """The port of each address, first of the plain ones, which may have asked for any by 0."""
        self.ended = False
        """Whether it was closed, and no answer is being made any more."""
        self._archive = archive
        self._plain = [Address.parse(address) for address in addresses]
        self._secured = [Address.parse(address) for address in secured]
        self._certificate = certificate
        self._access = access or Anyone()
        self._limits = limits or Limits()
        self._pool = ThreadPoolExecutor(threads, "otrdb-answer")
        self._health = Health([each.NAME for each in SERVICES])
        self._loop = shared_loop()
        self._open = False
        self._server = self._await(self._start())
        self._open = True

    @property
    def addresses(self) -> list[str]:
        """Where it listens, with the ports it has got: first in plain text, then secured."""
        places = [*self._plain, *self._secured]
        return [place.at(port) for place, port in zip(places, self.ports, strict=True)]

    async def _start(self) -> grpc.aio.Server:
        server = grpc.aio.server(options=_options(self._limits))
        self.ports = [self._listen(server, address, None) for address in self._plain]
        if self._certificate is not None:
            credentials = self._certificate.credentials()
            self.ports += [self._listen(server, address, credentials) for address in self._secured]
        self.door = Door(self._archive, tuple(self.addresses), limits=self._limits)
        self._dispatcher = Dispatcher(self.door, self._access, self._pool, self._limits)
        handlers = [self._dispatcher.service(each.NAME, each.RPCS) for each in SERVICES]
        server.add_generic_rpc_handlers([*handlers, self._health.handler()])
        names = [*(each.NAME for each in SERVICES), HEALTH]
        add_reflection(server, names, [each.FILE for each in SERVICES])
        await server.start()
        return server

    def _listen(
        self, server: grpc.aio.Server, address: Address, credentials: grpc.ServerCredentials | None
    ) -> int:
        address.check_free()
        try:
            if credentials is None:
                return server.add_insecure_port(address.text)
            return server.add_secure_port(address.text, credentials)
        except RuntimeError as error:
            raise address.refusal(None) from error

    def close(self) -> None:
        """Stop: calls that are being answered have `GRACE` seconds, new ones are refused. May be repeated.

        Answers that take longer go on without anybody who waits for them, until they are made or meet the
        closed archive.
        """
        if self._open:
            self._open = False
            self._await(self._stop())
            self.door.held.close()
            self.ended = self._end_answers()

    def _await(self, work: Coroutine[Any, Any, _Done]) -> _Done:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _stop(self) -> None:
        self._health.stop()
        self._dispatcher.stop()
        await self._server.stop(GRACE)
        await self._dispatcher.over(LAST_ANSWERS)

    def _end_answers(self) -> bool:
        """Whether all threads have ended in time."""
        ending = threading.Thread(
            target=self._pool.shutdown, kwargs={"cancel_futures": True}, name="otrdb-ending", daemon=True
        )
        ending.start()
        ending.join(LAST_ANSWERS)
        return not ending.is_alive()


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.request),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", limits.calls_of_one + limits.talks),
        ("grpc.so_reuseport", 0),
        # Clients that wait for an answer may look every half minute whether the server is still there.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # A client that has gone without a word must not hold its calls for ever.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.max_pings_without_data", 0),
    ]
