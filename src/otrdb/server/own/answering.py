"""How RPCs of OtrDB's own answer when something fails: by the library's own error, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otrdb.errors import OtrError
from otrdb.server.rpc import Rpc
from otrdb.wire import otrdb as wire
from otrdb.wire.failures import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otrdb.server.rpc import Door, Scope


def one(name: str, scope: Scope, answer: Callable[[Door, Any], Any], request: Any = wire.EmptyParams) -> Rpc:  # noqa: ANN401
    """An RPC with one answer, or `Failure`."""

    def told(door: Door, asked: Any) -> Any:  # noqa: ANN401
        try:
            return answer(door, asked)
        except OtrError as error:
            return _failed(error)

    return Rpc(name, scope, told, request)


def many(name: str, scope: Scope, answer: Callable[[Door, Any], Iterable[Any]], request: Any) -> Rpc:  # noqa: ANN401
    """An RPC with several answers, the last of which may be a `Failure`."""

    def told(door: Door, asked: Any) -> Iterator[Any]:  # noqa: ANN401
        try:
            yield from answer(door, asked)
        except OtrError as error:
            yield _failed(error)

    return Rpc(name, scope, told, request, streaming=True)


def _failed(error: OtrError) -> wire.DoneResponse:
    """`stat` is field 1 of every answer, so this can be read as any of them."""
    return wire.DoneResponse(stat=failure(error))
