"""What an RPC is: a name, who may call it, and a function that answers.

Answers are made on threads of a pool, never on the event loop, and know nothing of gRPC:
`otrdb.server.dispatch` calls them. They raise `OtrError`s; `otrdb.server.status` turns these into what goes
over the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

from otrdb.server.limits import Limits
from otrdb.server.own.held import Held
from otrdb.server.own.known import KnownStreams
from otrdb.server.sql.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb import Archive
    from otrdb.export import Foreign


class Scope(IntEnum):
    """What a caller may do; each includes those before it."""

    READ = 1
    WRITE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Door:
    """What answers are made from."""

    archive: Archive
    endpoints: tuple[str, ...] = ()
    """Where the server can be reached, as it tells its clients."""
    limits: Limits = field(default_factory=Limits)
    """How much is taken on at a time."""
    catalog: Catalog = field(default_factory=Catalog)
    """The metadata, as SQL sees it."""
    held: Held = field(default_factory=Held)
    """The snapshots that are held for clients."""
    known: KnownStreams = field(default_factory=KnownStreams)
    """The streams of batches that came lately."""


class Heard(Protocol):
    """What the client says in a call in which both sides speak."""

    @property
    def ended(self) -> bool:
        """Whether it says no more, besides what waits to be taken."""
        ...

    def take(self) -> Foreign | None:
        """The next request, or None if none has come."""
        ...

    def wake(self) -> None:
        """Have the answers asked for again: there may be one now. From any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method of a service.

    `answer(door, request)` gives one message, or with `streaming` an iterable of at least one. The request
    is a `request` message, or the bytes as they came if that is None. Messages may be given as bytes, too.
    With `gathers` a call has many requests, and their bytes are given as a list.

    With `talking` both sides speak: `answer(door, heard)` gives an iterable that never waits, but gives None
    when there is nothing to say for now. It is asked again when a request has come, or `heard` was woken.
    """

    name: str
    scope: Scope
    answer: Callable[[Door, Any], Any]
    request: Any = None
    streaming: bool = False
    gathers: bool = False
    talking: bool = False
