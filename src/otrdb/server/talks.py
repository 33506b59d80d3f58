"""Calls in which both sides speak for as long as they like.

Each is a task on the event loop, which waits until a request has come or the answering function asked to be
woken, and then has it say on a thread what it has to say. So a call in which nothing happens holds no thread;
a client that does not listen holds one batch of answers, and is read from no further.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from otrdb.errors import Overloaded
from otrdb.server.answers import Answers
from otrdb.server.sending import send
from otrdb.server.status import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from concurrent.futures import Executor

    from otrdb.export import Foreign
    from otrdb.server.limits import Limits

    Spoken = Generator[bytes | None, None, None]
    Context = grpc.aio.ServicerContext[Any, Any]

_AT_ONCE: Final = 1 << 16
"""Bytes of answers: what a client that does not listen holds."""


class Requests:
    """What the client has said: at most one request that was not taken yet."""

    def __init__(self, message: Foreign) -> None:
        self.ended = False
        """Whether the client says no more, besides what waits to be taken."""
        self.woken = asyncio.Event()
        self._message = message
        self._waiting: deque[bytes] = deque()
        self._room = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def take(self) -> Foreign | None:
        """The next request, or None if there is none now. From any thread."""
        if not self._waiting:
            return None
        request = self._waiting.popleft()
        self._loop.call_soon_threadsafe(self._room.set)
        return self._message.FromString(request)

    def wake(self) -> None:
        """There is something to say. From any thread."""
        self._loop.call_soon_threadsafe(self.woken.set)

    async def listen(self, requests: AsyncIterator[bytes]) -> None:
        """Take in what the client says, until it says no more."""
        async for request in requests:
            self._room.clear()
            self._waiting.append(request)
            self.woken.set()
            await self._room.wait()
        self.ended = True
        self.woken.set()


class Talks:
    """All such calls of a server."""

    def __init__(self, pool: Executor, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self._under_way: set[Requests] = set()
        self._quiet = asyncio.Event()
        """Set while none is under way."""
        self._quiet.set()
        self._stopping = False

    async def talk(
        self, requests: AsyncIterator[bytes], context: Context, heard: Requests, spoken: Spoken
    ) -> None:
        """Have ``spoken`` say what it has to say; it gives None when that is nothing for now."""
        most = self._limits.talks
        if len(self._under_way) >= most:
            await send(context, told(Overloaded(f"There are {most:,} such calls already.")))
            return
        answers = Answers(spoken, _AT_ONCE)
        listening = asyncio.create_task(heard.listen(requests))
        self._under_way.add(heard)
        self._quiet.clear()
        try:
            await self._converse(context, heard, answers)
        finally:
            stopped = asyncio.wrap_future(self._pool.submit(answers.stop))
            listening.cancel()
            await asyncio.gather(listening, stopped, return_exceptions=True)
            self._under_way.discard(heard)
            if not self._under_way:
                self._quiet.set()

    def stop(self) -> None:
        """End all calls at once, and take no more. On the event loop.

        One whose client does not listen cannot be told: it ends when all calls are cut.
        """
        self._stopping = True
        for heard in self._under_way:
            heard.woken.set()

    async def over(self, patience: float) -> None:
        """Return when all calls have let go of what they held, or after so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), patience)

    async def _converse(self, context: Context, heard: Requests, answers: Answers) -> None:
        while not answers.ended:
            heard.woken.clear()
            if self._stopping:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "The server stops.")
            taken, more = await asyncio.get_running_loop().run_in_executor(self._pool, answers.take)
            for answer in taken:
                await send(context, answer)
            if not more and not answers.ended:
                await heard.woken.wait()
