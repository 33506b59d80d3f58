"""From gRPC to the functions that answer, and back.

A call is admitted on the event loop and answered on a thread of the pool. A stream of answers is made some at
a time, when those before were taken: a slow client holds a few messages and no thread. A call that is
cancelled stops after the message that is being made.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from otrdb.errors import OtrError, Overloaded
from otrdb.server.access import Refused
from otrdb.server.answers import Answers
from otrdb.server.gathering import Gathering
from otrdb.server.limits import Limits, Load
from otrdb.server.sending import send
from otrdb.server.status import INTERNAL, failed, told
from otrdb.server.talks import Requests, Talks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Sequence
    from concurrent.futures import Executor

    from otrdb.server.access import Access
    from otrdb.server.rpc import Door, Rpc

    Context = grpc.aio.ServicerContext[Any, Any]

_Result = TypeVar("_Result")

_LOG: Final = logging.getLogger(__name__)
_WRONG_ARGUMENTS: Final = 421


class Dispatcher:
    """Handlers for gRPC that answer from a door, on the threads of a pool, to whom access allows it."""

    def __init__(self, door: Door, access: Access, pool: Executor, limits: Limits | None = None) -> None:
        self._door = door
        self._access = access
        self._pool = pool
        limits = limits or Limits()
        self._load = Load(limits)
        self._gathering = Gathering(limits)
        self._talks = Talks(pool, limits)

    def stop(self) -> None:
        """End at once the calls that would not end by themselves. On the event loop."""
        self._talks.stop()

    async def over(self, patience: float) -> None:
        """Return when those calls have ended, or after so many seconds."""
        await self._talks.over(patience)

    def service(self, name: str, rpcs: Sequence[Rpc]) -> grpc.GenericRpcHandler:
        """The handler of a whole service."""
        return grpc.method_handlers_generic_handler(name, {rpc.name: self._handler(rpc) for rpc in rpcs})

    def _handler(self, rpc: Rpc) -> grpc.RpcMethodHandler[Any, Any]:
        async def one(request: bytes, context: Context) -> bytes:
            await self._admit(rpc, context)
            try:
                with self._load.call(context.peer(), len(request)):
                    return await self._run(partial(next, self._answers(rpc, request)))
            except Overloaded as overloaded:
                return told(overloaded)

        async def many(request: bytes, context: Context) -> None:
            await self._admit(rpc, context)
            try:
                with self._load.call(context.peer(), len(request)):
                    await self._send(Answers(self._answers(rpc, request)), context)
            except Overloaded as overloaded:
                await send(context, told(overloaded))

        async def gathered(requests: AsyncIterator[bytes], context: Context) -> bytes:
            await self._admit(rpc, context)
            try:
                with self._load.call(context.peer(), 0):
                    async with self._gathering.all(requests) as taken:
                        answer: bytes = await self._run(partial(next, self._answers(rpc, taken)))
                        return answer
            except OtrError as refused:
                return told(refused)

        async def both(requests: AsyncIterator[bytes], context: Context) -> None:
            await self._admit(rpc, context)
            heard = Requests(rpc.request)
            await self._talks.talk(requests, context, heard, self._answers(rpc, heard))

        if rpc.gathers:
            return grpc.stream_unary_rpc_method_handler(gathered)
        if rpc.talking:
            return grpc.stream_stream_rpc_method_handler(both)
        if rpc.streaming:
            return grpc.unary_stream_rpc_method_handler(many)
        return grpc.unary_unary_rpc_method_handler(one)

    async def _send(self, answers: Answers, context: Context) -> None:
        """The answers, as they are made and taken."""
        more = True
        try:
            while more:
                taken, more = await self._run(answers.take)
                for answer in taken:
                    await send(context, answer)
        finally:
            if more:  # cancelled, or nobody is there any more
                self._pool.submit(answers.stop)

    async def _admit(self, rpc: Rpc, context: Context) -> None:
        try:
            self._access.check(context.invocation_metadata() or (), rpc.scope)
        except Refused as refused:
            code = grpc.StatusCode.UNAUTHENTICATED if refused.unknown else grpc.StatusCode.PERMISSION_DENIED
            await context.abort(code, refused.details)

    async def _run(self, function: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def _answers(self, rpc: Rpc, request: bytes | list[bytes] | Requests) -> Generator[Any, None, None]:
        """The answers as bytes, or None where `Rpc.answer` gives it; a failure is the last of them."""
        try:
            whole = rpc.request is None or rpc.talking
            answered = rpc.answer(self._door, request if whole else rpc.request.FromString(request))
            for answer in answered if rpc.streaming or rpc.talking else (answered,):
                yield answer.SerializeToString() if isinstance(answer, Message) else answer
        except DecodeError:
            yield failed(_WRONG_ARGUMENTS, f"That is no request of {rpc.name}.")
        except OtrError as error:
            yield told(error)
        except Exception:  # noqa: BLE001  (whatever it is, the client is told, and the log says what)
            _LOG.exception("%s failed", rpc.name)
            yield failed(INTERNAL, f"{rpc.name} failed: this is a bug of the server, whose log says more.")
