"""A server from its start to its stop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import grpc.aio

from otrdb.closing import Closing
from otrdb.server import service
from otrdb.server.access import Anyone
from otrdb.server.dispatch import Dispatcher
from otrdb.server.own import service as own
from otrdb.server.rpc import Door

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb import Archive
    from otrdb.server.access import Access

THREADS: Final = 16
"""Answers that are made at a time."""

GRACE: Final = 5.0
"""Seconds that calls have to end when the server stops."""

LONGEST_REQUEST: Final = 16 << 20
"""Bytes. 50,000 points, which clients send at once, take 1 MB."""

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LONGEST_REQUEST),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


class Server(Closing):
    """A server of an archive on a thread of its own. Closing it leaves the archive open.

    Example:
        >>> import grpc, otrdb, tempfile
        >>> with otrdb.open(tempfile.mkdtemp()) as db, Server(db, ["127.0.0.1:0"]) as server:
        ...     server.ports[0] > 0
        True
    """

    def __init__(self, archive: Archive, addresses: Sequence[str], access: Access | None = None) -> None:
        self.ports: list[int] = []
        """The port of each address, which may have asked for any by 0."""
        self._archive = archive
        self._addresses = addresses
        self._access = access or Anyone()
        self._pool = ThreadPoolExecutor(THREADS, "otrdb-answer")
        self._loop = asyncio.new_event_loop()
        self._server = self._made()
        self._thread = threading.Thread(target=self._run, name="otrdb-server")
        started = threading.Event()
        self._loop.call_soon(started.set)
        self._thread.start()
        started.wait()

    def _made(self) -> grpc.aio.Server:
        return self._loop.run_until_complete(self._start())

    async def _start(self) -> grpc.aio.Server:
        server = grpc.aio.server(options=_OPTIONS)
        self.ports = [server.add_insecure_port(address) for address in self._addresses]
        endpoints = tuple(
            f"{address.rpartition(':')[0]}:{port}"
            for address, port in zip(self._addresses, self.ports, strict=True)
        )
        self.door = Door(self._archive, endpoints)
        dispatcher = Dispatcher(self.door, self._access, self._pool)
        services = (service, own)
        server.add_generic_rpc_handlers([dispatcher.service(each.NAME, each.RPCS) for each in services])
        await server.start()
        return server

    def _run(self) -> None:
        self._loop.run_forever()

    def close(self) -> None:
        """Stop: calls that are being answered have `GRACE` seconds, new ones are refused. May be called again."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._server.stop(GRACE), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._pool.shutdown()
            self.door.held.close()
