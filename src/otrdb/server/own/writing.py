"""Insert, InsertParts, Delete, Flush: changes of points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from otrdb.columns import decode
from otrdb.errors import InvalidArgument, MismatchedColumns
from otrdb.model import Kind, Merge
from otrdb.server.asking import stream_of
from otrdb.server.own.answering import one
from otrdb.server.rpc import Scope
from otrdb.wire import otrdb as wire
from otrdb.wire.tables import INDEX, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otrdb import Stream
    from otrdb.model import Array, Int64Array
    from otrdb.server.rpc import Door
    from otrdb.wire.tables import Buffer


def insert(door: Door, params: wire.InsertParams) -> wire.InsertResponse:
    """Store a batch that came in one message."""
    return _stored(door, params, params.index, params.times, params.values)


def insert_parts(door: Door, requests: list[bytes]) -> wire.InsertResponse:
    """Store a batch that came in several messages, atomically as any other."""
    head, index, times, values = wire.InsertParams(), bytearray(), bytearray(), bytearray()
    for position, part in enumerate(_taken(requests)):
        if not position:
            head = part
        index += part.index
        times += part.times
        values += part.values
    return _stored(door, head, index, times, values)


def delete(door: Door, params: wire.RangeParams) -> wire.NumberResponse:
    """Remove the points of a range."""
    stream = stream_of(door.archive, params.uuid)
    return wire.NumberResponse(number=stream.delete(params.start, params.end))


def flush(door: Door, params: wire.StreamParams) -> wire.NumberResponse:
    """Commit what is pending of a stream."""
    return wire.NumberResponse(number=stream_of(door.archive, params.uuid).flush())


def flush_all(door: Door, _: object) -> wire.DoneResponse:
    """Commit what is pending of all streams."""
    door.archive.flush()
    return wire.DoneResponse()


def _taken(requests: list[bytes]) -> Iterator[wire.InsertParams]:
    """The messages in order; the bytes they came as are let go one by one."""
    requests.reverse()
    while requests:
        yield wire.InsertParams.FromString(requests.pop())


def _stored(
    door: Door, head: wire.InsertParams, index: Buffer, times: Buffer, values: Buffer
) -> wire.InsertResponse:
    archive, merge = door.archive, Merge(head.merge or "never")
    streams = door.known.of(archive, head.uuid)
    columns = numbers(times), numbers(values)
    if head.way == wire.ONE and len(streams) == 1:
        done = streams[0].insert(columns[0], _values(streams[0].kind, columns[1]), merge=merge)
        points = len(columns[0])
        return wire.InsertResponse(points=points, streams=int(points > 0), **done._asdict())
    if head.way == wire.MANY:
        batch = archive.insert(_parted(streams, head.number, *columns), merge=merge)
    elif head.way == wire.WIDE:
        kind = streams[0].kind if streams else Kind.FLOAT
        given = numbers(index, INDEX), columns[0], _values(kind, columns[1])
        batch = archive.insert_columns(*given, streams, merge=merge)
    else:
        raise InvalidArgument(f"There is no way {head.way} to insert into {len(streams)} streams.")
    return wire.InsertResponse(**batch._asdict())


def _values(kind: Kind, words: Int64Array) -> Array:
    """The values that words stand for; those of bools as they came: other than 0 and 1 will be refused."""
    return words if kind is Kind.BOOL else decode(kind, words)


def _parted(
    streams: Sequence[Stream], lengths: Sequence[int], times: Int64Array, words: Int64Array
) -> dict[Stream, tuple[Int64Array, Array]]:
    if len(set(streams)) != len(streams) or len(lengths) != len(streams):
        raise InvalidArgument("A batch names each stream once, and says how many points it has.")
    if not sum(lengths) == len(times) == len(words):
        raise MismatchedColumns(
            f"There are {len(times)} times and {len(words)} values for {sum(lengths)} points."
        )
    parts, at = {}, 0
    for stream, length in zip(streams, lengths, strict=True):
        own = slice(at, at + length)
        parts[stream] = times[own], _values(stream.kind, words[own])
        at += length
    return parts


RPCS: Final = (
    one("Insert", Scope.WRITE, insert, wire.InsertParams),
    replace(one("InsertParts", Scope.WRITE, insert_parts, None), gathers=True),
    one("Delete", Scope.WRITE, delete, wire.RangeParams),
    one("Flush", Scope.WRITE, flush, wire.StreamParams),
    one("FlushAll", Scope.WRITE, flush_all),
)
