"""Who may call what."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

from otrdb.errors import OtrError
from otrdb.server.keys import CurrentKeys, KeyFile, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otrdb.server.keys import Key
    from otrdb.server.rpc import Scope

_LOG: Final = logging.getLogger(__name__)
_INVALID: Final = "invalid api key"
"""In exactly these words clients expect it."""


class Refused(Exception):  # noqa: N818  (named by the condition, as all our errors)
    """A call is refused before it is looked at: `unknown` if the key is none, else it may not do this."""

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


class KeyAccess:
    """Lets in who has one of the API keys of the archive in `directory`, as they are when called.

    While there is no file of keys, everybody is let in if `trusting`, else nobody. A file without keys lets
    nobody in: the last key was revoked, which must not open what it had closed.
    """

    def __init__(self, directory: Path, *, trusting: bool) -> None:
        self._keys = CurrentKeys(KeyFile(directory))
        self._trusting = trusting

    def check(self, metadata: Iterable[tuple[str, str | bytes]], scope: Scope) -> None:
        """`Refused` unless the call carries a key of at least that scope. Costs a `stat` and a SHA-256."""
        keys = self._current()
        if keys is None and self._trusting:
            return
        held = _scope(keys or (), presented(metadata))
        if held is None:
            raise Refused(_INVALID, unknown=True)
        if held < scope:
            raise Refused(
                f"This API key has the scope {held.name.lower()}; the call needs {scope.name.lower()}.",
                unknown=False,
            )

    def _current(self) -> tuple[Key, ...] | None:
        try:
            return self._keys()
        except (OtrError, OSError) as error:
            _LOG.error("Nobody is let in, since the API keys cannot be read: %s", error)
            raise Refused("The server cannot read its API keys; its log says more.", unknown=False) from error


def presented(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The key a call carries, as `authorization: Bearer KEY`; the scheme in any case.

    Example:
        >>> presented([("x-api-client", "btrdbpy-5.34.2"), ("authorization", "bearer otrdb_x")])
        'otrdb_x'
    """
    for name, value in metadata:
        if name == "authorization" and isinstance(value, str):
            scheme, _, key = value.partition(" ")
            return key.strip() if scheme.lower() == "bearer" else None
    return None


def _scope(keys: Iterable[Key], secret: str | None) -> Scope | None:
    if secret is None:
        return None
    digest = digest_of(secret)
    found = [key.scope for key in keys if key.opens(digest)]
    return found[0] if found else None
