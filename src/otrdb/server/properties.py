"""Tags and annotations as they go over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.wire import btrdb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.metadata import Metadata, Properties


def pairs(properties: Properties) -> list[btrdb.KeyOptValue]:
    """Properties as messages."""
    return [btrdb.KeyOptValue(key=key, val=btrdb.OptValue(value=text)) for key, text in properties.items()]


def value(pair: btrdb.KeyOptValue) -> str | None:
    """A pair's value; None if it has none, which is not the same as an empty one."""
    return pair.val.value if pair.HasField("val") else None


def given(pairs: Iterable[btrdb.KeyOptValue]) -> dict[str, str]:
    """The properties that have a value. Of several with one key the last counts."""
    return {pair.key: text for pair in pairs if (text := value(pair)) is not None}


def changes(pairs: Iterable[btrdb.KeyOptValue]) -> dict[str, str | None]:
    """Properties to set, and with None to remove. Of several with one key the last counts."""
    return {pair.key: value(pair) for pair in pairs}


def holds(properties: Properties, wanted: Iterable[btrdb.KeyOptValue]) -> bool:
    """Whether all ``wanted`` are among the properties; one without a value only has to be there."""
    return all(pair.key in properties and value(pair) in (None, properties[pair.key]) for pair in wanted)


def descriptor(metadata: Metadata) -> btrdb.StreamDescriptor:
    """Everything known of a stream but its points."""
    return btrdb.StreamDescriptor(
        uuid=metadata.uuid.bytes,
        collection=metadata.collection,
        tags=pairs(metadata.tags),
        annotations=pairs(metadata.annotations),
        propertyVersion=metadata.property_version,
    )
