"""A server in this process, and BTrDB's own client connected to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from btrdb.conn import BTrDB, Connection
from btrdb.endpoint import Endpoint

import otrdb
from otrdb.server.running import Server


def pytest_itemcollected(item: pytest.Item) -> None:
    """The client says on connecting, and at every lookup, that it will be replaced."""
    item.add_marker(pytest.mark.filterwarnings("ignore::FutureWarning"))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[otrdb.Archive]:
    with otrdb.open(tmp_path / "archive.otr", durability="off") as db:
        yield db


@pytest.fixture
def server(archive: otrdb.Archive) -> Iterator[Server]:
    with Server(archive, ["127.0.0.1:0"]) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    """A `btrdb.conn.BTrDB`, as `btrdb.connect` makes it. ``client.ep.stub`` takes any message."""
    channel = Connection(f"127.0.0.1:{server.ports[0]}").channel
    try:
        yield BTrDB(Endpoint(channel))
    finally:
        channel.close()


@pytest.fixture
def stream(archive: otrdb.Archive) -> otrdb.Stream:
    return archive.create("plant", tags={"name": "heat"})


@pytest.fixture
def remote(client: Any, stream: otrdb.Stream) -> Any:
    """The same stream, as the client knows it."""
    return client.stream_from_uuid(stream.uuid)
