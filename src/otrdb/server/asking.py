"""What most RPCs begin with: the stream that is meant, the state of it, the range."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from otrdb.errors import InvalidArgument, InvalidTimeRange
from otrdb.model import MAX_TIME

if TYPE_CHECKING:
    from otrdb import Archive, Stream, View

_UUID_BYTES = 16


class Asked(NamedTuple):
    """What a question is asked of, and the version that its answer names."""

    view: View
    major: int
    minor: int
    """How many points of it are pending; 0 if a version was asked for."""


def to_uuid(identity: bytes) -> UUID:
    """The uuid on the wire; `InvalidArgument` unless it has 16 bytes."""
    if len(identity) != _UUID_BYTES:
        raise InvalidArgument(f"A uuid has {_UUID_BYTES} bytes; {len(identity)} were given.")
    return UUID(bytes=identity)


def stream_of(archive: Archive, identity: bytes) -> Stream:
    """The stream; `NoSuchStream` if there is none."""
    return archive.stream(to_uuid(identity))


def asked(archive: Archive, identity: bytes, version: int) -> Asked:
    """That version of a stream, or with 0 its latest state, fixed."""
    stream = stream_of(archive, identity)
    if version:
        return Asked(stream.at(version), version, 0)
    view = stream.now()
    return Asked(view, view.version, view.pending)


def check_end(end: int) -> None:
    """`InvalidTimeRange` if a range ends later than BTrDB lets it. All other bounds are the library's."""
    if end >= MAX_TIME:
        raise InvalidTimeRange(
            f"A range that ends at {end} is too long.",
            advice=f"It may end at {MAX_TIME - 1}, behind every point.",
        )
