"""The event loop of all servers of this process.

gRPC has one queue of events for all loops of a process. An event of a loop that was closed is an error there,
which keeps the events behind it from the loops they are for: calls then wait for ever. So there is one loop,
on a thread of its own, and it is not closed.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
"""By process: a thread does not come along into a child."""


def shared_loop() -> asyncio.AbstractEventLoop:
    """The loop, running."""
    with _lock:
        loop = _loops.get(os.getpid())
        return _started() if loop is None else loop


def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="otrdb-server", daemon=True)
    thread.start()
    atexit.register(_stop, loop, thread)
    _loops[os.getpid()] = loop
    return loop


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """While the interpreter ends no other thread may run in it."""
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
