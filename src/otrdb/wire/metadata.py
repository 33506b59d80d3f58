"""What is known of a stream, as the message of our own service and back."""

from __future__ import annotations

from uuid import UUID

from otrdb.metadata import Metadata
from otrdb.model import Kind
from otrdb.wire import otrdb as wire


def metadata_told(metadata: Metadata) -> wire.Metadata:
    """All that is known of a stream but its points."""
    return wire.Metadata(
        uuid=metadata.uuid.bytes,
        kind=metadata.kind.value,
        collection=metadata.collection,
        tags=metadata.tags,
        annotations=metadata.annotations,
        property_version=metadata.property_version,
    )


def metadata_of(told: wire.Metadata) -> Metadata:
    """The same from the message."""
    return Metadata(
        UUID(bytes=told.uuid),
        Kind(told.kind),
        told.collection,
        dict(sorted(told.tags.items())),
        dict(sorted(told.annotations.items())),
        told.property_version,
    )
