"""Who may call what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.server.rpc import Scope


class Refused(Exception):
    """A call is refused before it is looked at: `unknown` if the key is none, else the key may not do this."""

    def __init__(self, details: str, *, unknown: bool) -> None:
        super().__init__(details)
        self.details = details
        self.unknown = unknown


class Access(Protocol):
    """Knows who may call what."""

    def check(self, metadata: Iterable[tuple[str, str | bytes]], scope: Scope) -> None:
        """`Refused` unless a call with this `metadata` may do what needs `scope`."""
        ...


class Anyone:
    """Everybody may do everything: only for addresses that nobody else reaches."""

    def check(self, metadata: Iterable[tuple[str, str | bytes]], scope: Scope) -> None:
        """Never refuses."""
