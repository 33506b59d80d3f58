"""An archive, a server of it in this process, and a connection to that."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import otrdb
from otrdb.remote.archive import Archive as Remote
from otrdb.server.limits import Limits
from otrdb.server.running import Server


class Served:
    """An archive and a server of it, which can be stopped and started again where it was."""

    def __init__(self, archive: otrdb.Archive, limits: Limits | None = None) -> None:
        self.archive = archive
        self.server = Server(archive, ["127.0.0.1:0"], limits=limits)
        self.url = f"grpc://127.0.0.1:{self.server.ports[0]}"

    def start_again(self) -> None:
        self.stop()
        self.server = Server(self.archive, [self.url.removeprefix("grpc://")])

    def stop(self) -> None:
        self.server.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[otrdb.Archive]:
    """The archive itself."""
    with otrdb.open(tmp_path / "archive.otr") as archive:
        yield archive


@pytest.fixture
def served(local: otrdb.Archive) -> Iterator[Served]:
    running = Served(local)
    yield running
    running.stop()


@pytest.fixture
def connect(served: Served) -> Iterator[Callable[..., Remote]]:
    """Makes connections, which end with the test."""
    made: list[Remote] = []

    def connected(**options: Any) -> Remote:
        made.append(otrdb.connect(served.url, **options))
        return made[-1]

    yield connected
    for each in made:
        each.close()


@pytest.fixture
def remote(connect: Callable[..., Remote]) -> Remote:
    return connect()
