"""What tests of the server ask with."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

from btrdb.exceptions import BTrDBError
from btrdb.grpcinterface import btrdb_pb2 as pb

UNKNOWN = UUID(int=404)


def make(
    client: Any,
    collection: str = "plant",
    *,
    annotations: dict[str, str] | None = None,
    uuid: UUID | None = None,
    tags: dict[str, str] | None = None,
    **more: str,
) -> Any:
    """A new stream, as the client's `create` makes it."""
    return client.create(uuid or uuid4(), collection, tags={**(tags or {}), **more}, annotations=annotations)


def refused(ask: Callable[..., object], *arguments: Any, **named: Any) -> type[BTrDBError]:
    """The class of what the client raises; a streamed answer is taken to its end."""
    try:
        answer = ask(*arguments, **named)
        if isinstance(answer, Iterable):
            list(answer)
    except BTrDBError as error:
        return type(error)
    raise AssertionError("Nothing was refused.")


def pair(key: str, value: str | None = None) -> Any:
    """A `KeyOptValue`, without a value if that is None."""
    return pb.KeyOptValue(key=key, val=None if value is None else pb.OptValue(value=value))
