"""Subscribe: points as they are acknowledged."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from otrdb.errors import ClosedArchive, InvalidArgument, NoSuchStream, OtrError
from otrdb.server.asking import stream_of
from otrdb.server.doubles import to_doubles
from otrdb.server.rpc import Rpc, Scope
from otrdb.server.status import told
from otrdb.server.templates import Shape
from otrdb.wire import btrdb
from otrdb.wire.points import with_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb import Archive, Arrival, Stream, Subscription
    from otrdb.model import Array, Int64Array
    from otrdb.server.rpc import Door, Heard
    from otrdb.wire.btrdb import SubscriptionUpdate

POINTS: Final = 4_096
"""Of one message: a client that does not listen holds as many."""

_ARROW: Final = 3

_UUIDS: Final = 256
"""Looked up at a time."""

_Part = tuple[bytes, "Int64Array", "Array"]


def subscribe(door: Door, heard: Heard) -> Iterator[bytes | None]:
    """The points of the streams that the client names, from then on, until it goes away. Or until it names no
    more streams and none is left.
    """
    parts: deque[_Part] = deque()

    def wake() -> None:
        if subscription.ended:
            parts.clear()  # who was cut off keeps nothing, whenever it listens again
        heard.wake()

    with door.archive.subscribe([], wake=wake) as subscription:
        while True:
            yield from _messages(parts)
            over = heard.ended  # asked before, so that nothing it said last is missed
            update = heard.take()
            if update is not None:
                yield from _change(door.archive, subscription, update)
                continue
            arrival = subscription.get(timeout=0)
            if arrival is not None:
                parts.extend(_parts(arrival))
                yield from (_refusal(each.uuid.bytes, _gone(each)) for each in arrival.obliterated)
                del arrival
            elif subscription.ended:
                raise ClosedArchive("The archive has been closed.")
            elif over and not subscription.streams:
                return
            else:
                yield None


def _change(archive: Archive, subscription: Subscription, update: SubscriptionUpdate) -> Iterator[bytes]:
    """Follow other streams; the answers are of those that cannot be followed."""
    identities = update.uuid
    if update.op == btrdb.REMOVE_UUIDS:
        unwanted = set(identities)
        subscription.remove([each for each in subscription.streams if each.uuid.bytes in unwanted])
    elif update.op != btrdb.ADD_UUIDS:
        raise InvalidArgument(
            f"{update.op} is no way to change a subscription.", advice="Add or remove uuids."
        )
    else:
        for first in range(0, len(identities), _UUIDS):
            yield from _add(archive, subscription, identities[first : first + _UUIDS])


def _add(archive: Archive, subscription: Subscription, identities: Sequence[bytes]) -> list[bytes]:
    streams, refused = [], []
    for identity in identities:
        try:
            streams.append(stream_of(archive, identity))
        except OtrError as error:
            refused.append(_refusal(identity, error))
    subscription.add(streams)
    return refused


def _parts(arrival: Arrival) -> Iterator[_Part]:
    """What arrived, in pieces of one message each."""
    for stream, (times, values) in arrival.points.items():
        for first in range(0, len(times), POINTS):
            piece = slice(first, first + POINTS)
            yield stream.uuid.bytes, times[piece], values[piece]


def _messages(parts: deque[_Part]) -> Iterator[bytes]:
    """One message of each part, none of which is kept while its message waits to be sent."""
    shape = Shape(("time", "value"))
    while parts:
        with suppress(IndexError):  # cut off meanwhile
            yield _message(shape, *parts.popleft())


def _message(shape: Shape, identity: bytes, times: Int64Array, values: Array) -> bytes:
    return with_bytes(_of_stream(identity), _ARROW, shape.stream(times, [to_doubles(values)]))


def _gone(stream: Stream) -> NoSuchStream:
    return NoSuchStream(f"Stream {stream.uuid} was obliterated.")


def _refusal(identity: bytes, error: OtrError) -> bytes:
    """The answer about one stream: the status, and which stream it is about."""
    return told(error) + _of_stream(identity)


def _of_stream(identity: bytes) -> bytes:
    uuid: bytes = btrdb.SubscriptionResp(uuid=identity).SerializeToString()
    return uuid


RPCS: Final = (Rpc("Subscribe", Scope.READ, subscribe, btrdb.SubscriptionUpdate, talking=True),)
