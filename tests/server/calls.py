"""What the tests of the server ask for."""

from collections.abc import Sequence
from typing import Any

from btrdb.grpcinterface import btrdb_pb2

REQUESTS = {
    "ArrowAlignedWindows": "AlignedWindowsParams",
    "ArrowWindows": "WindowsParams",
}


def raw(client: Any, rpc: str, **fields: Any) -> list[Any]:
    """The messages a streaming RPC answers with, errors too."""
    params = getattr(btrdb_pb2, REQUESTS.get(rpc, f"{rpc}Params"))
    return list(getattr(client.ep.stub, rpc)(params(**fields)))


def times_of(messages: Sequence[Any]) -> list[int]:
    return [point.time for message in messages for point in message.values]


def changed(
    client: Any, stream: Any, older: int, newer: int, resolution: int = 0
) -> tuple[list[tuple[int, int]], int]:
    """Changed ranges, and the version they lead to."""
    answers = list(client.ep.changes(stream.uuid, older, newer, resolution))
    (version,) = {version for _, version in answers}
    return [(each.start, each.end) for ranges, _ in answers for each in ranges], version
