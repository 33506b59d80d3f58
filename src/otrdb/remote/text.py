"""Text for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import InvalidArgument
from otrdb.wire import otrdb as wire

if TYPE_CHECKING:
    from otrdb.metadata import Pattern


def text(value: str) -> str:
    """The same, or `InvalidArgument` if it is no text that can be sent."""
    try:
        value.encode()
    except (AttributeError, UnicodeEncodeError):
        raise InvalidArgument(f"{value!r} is no text.", advice="Give a string.") from None
    return value


def pattern(properties: Pattern) -> list[wire.Property]:
    """Properties to look for, None for any value."""
    return [
        wire.Property(key=text(key), value=None if value is None else text(value))
        for key, value in properties.items()
    ]
