"""What our own Parquet files say of their columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from otrdb.errors import InvalidArgument
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otrdb.interface import StreamLike

ORIGINS_KEY: Final = "otrdb.streams"
"""Key in the file's metadata: JSON, by column the fields of `Origin`."""


class Origin(NamedTuple):
    """The stream that a column was exported from. Not every file tells its uuid."""

    collection: str
    kind: str
    tags: dict[str, str]
    annotations: dict[str, str]
    uuid: str | None = None

    @property
    def identity(self) -> UUID | None:
        """The uuid, if the file tells it."""
        return None if self.uuid is None else UUID(self.uuid)


def origins_text(streams: Mapping[str, StreamLike]) -> str:
    """What an export writes under ORIGINS_KEY, by column."""
    origins = {
        column: Origin(
            stream.collection, stream.kind.value, stream.tags, stream.annotations, str(stream.uuid)
        )._asdict()
        for column, stream in streams.items()
    }
    return json.dumps(origins, ensure_ascii=False)


def parse_origins(path: Path, text: bytes) -> dict[str, Origin]:
    """What stands under ORIGINS_KEY; InvalidArgument if somebody else wrote it."""
    try:
        origins = {column: Origin(**fields) for column, fields in json.loads(text).items()}
        for origin in origins.values():
            _ = origin.identity, Kind(origin.kind)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidArgument(f"{path}: its metadata {ORIGINS_KEY!r} cannot be read: {error}.") from error
    return origins
