"""What can be called: the methods of the server's services, from their descriptors."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from google.protobuf import message_factory

from otrdb.server import service
from otrdb.wire import btrdb

CHANGES: Final = frozenset(
    {
        "Insert",
        "ArrowInsert",
        "Delete",
        "Obliterate",
        "Create",
        "Flush",
        "SetStreamAnnotations",
        "SetStreamTags",
    }
)
"""The methods that may change a stream. They are called for none whose points are compared later."""


class Method(NamedTuple):
    """One method: its path on the wire, and what goes in and out."""

    name: str
    path: str
    request: Any
    response: Any
    talks: bool
    streams: bool

    @property
    def changes(self) -> bool:
        """Whether it may change a stream."""
        return self.name in CHANGES


def methods() -> list[Method]:
    """All methods of BTrDB's interface."""
    found = btrdb.DESCRIPTOR.services_by_name[service.NAME.rpartition(".")[2]].methods
    return [
        Method(
            method.name,
            f"/{service.NAME}/{method.name}",
            message_factory.GetMessageClass(method.input_type),
            message_factory.GetMessageClass(method.output_type),
            method.client_streaming,
            method.server_streaming,
        )
        for method in found
    ]
