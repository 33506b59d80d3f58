"""What most RPCs begin with: the stream that is meant, and the version of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from otrdb import Archive, Stream, View

_UUID_BYTES = 16


def to_uuid(identity: bytes) -> UUID:
    """The uuid on the wire; `InvalidArgument` unless it has 16 bytes."""
    if len(identity) != _UUID_BYTES:
        raise InvalidArgument(f"A uuid has {_UUID_BYTES} bytes; {len(identity)} were given.")
    return UUID(bytes=identity)


def stream_of(archive: Archive, identity: bytes) -> Stream:
    """The stream; `NoSuchStream` if there is none."""
    return archive.stream(to_uuid(identity))


def state_of(archive: Archive, identity: bytes, version: int) -> Stream | View:
    """What a question is asked of: that version, or with 0 the latest state, pending points included."""
    stream = stream_of(archive, identity)
    return stream.at(version) if version else stream
