"""Rules: how long the points of which streams are kept, and which of their old versions.

A rule is a setting of a scope: of one stream, or of all streams whose collection starts with a prefix (the
empty prefix is the archive). The most specific rule holds: the stream's own, else that of the longest prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument
from otrdb.results import Rule
from otrdb.times import WidthLike, to_width

from .history import History

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from otrdb.metadata import Metadata

RETENTION: Final = "retention"
HISTORY: Final = "history"

FOREVER: Final = "forever"
"""The value of a retention that drops nothing, where a wider rule would."""

_PREFIX: Final = "prefix:"
_STREAM: Final = "stream:"


def scope_of(prefix: str, uuid: UUID | None) -> str:
    """The scope of one stream, or of the collections with a prefix; `InvalidArgument` if both are given."""
    if uuid is None:
        return _PREFIX + prefix
    if prefix:
        raise InvalidArgument("A rule is for a prefix or for a stream.", advice="Give one of them.")
    return f"{_STREAM}{uuid}"


def retention_value(age: WidthLike) -> str:
    """The value of a retention of ``age`` ns or "forever"."""
    return FOREVER if age == FOREVER else f"{to_width(age)}ns"


class Rules:
    """The rules of an archive. Used under the archive's lock."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], str] = {}
        self._prefixes: list[str] = []
        """The prefixes that have rules, the longest first."""

    def __iter__(self) -> Iterator[Rule]:
        for (scope, key), value in sorted(self._values.items()):
            stream = scope.removeprefix(_STREAM) if scope.startswith(_STREAM) else None
            yield Rule(key, value, None if stream else scope.removeprefix(_PREFIX), stream)

    def load(self, settings: Mapping[tuple[str, str], str]) -> None:
        """Take over settings by scope and key."""
        for (scope, key), value in settings.items():
            self.put(scope, key, value)

    def put(self, scope: str, key: str, value: str) -> None:
        """A rule was set; no value takes it away."""
        if value:
            self._values[scope, key] = value
        else:
            self._values.pop((scope, key), None)
        prefixes = {scope.removeprefix(_PREFIX) for scope, _ in self._values if scope.startswith(_PREFIX)}
        self._prefixes = sorted(prefixes, key=len, reverse=True)

    def value(self, scope: str, key: str) -> str:
        """The value of one rule; none if it is not set."""
        return self._values.get((scope, key), "")

    def retention(self, metadata: Metadata) -> int | None:
        """How old a stream's points may become, ns; None: for ever."""
        value = self._value(metadata, RETENTION)
        return None if value in (None, FOREVER) else to_width(value)

    def history(self, metadata: Metadata, default: History) -> History:
        """Which versions of a stream are kept."""
        value = self._value(metadata, HISTORY)
        return default if value is None else History.parse(value)

    def _value(self, metadata: Metadata, key: str) -> str | None:
        if not self._values:
            return None
        own = self._values.get((f"{_STREAM}{metadata.uuid}", key))
        if own is not None:
            return own
        for prefix in self._prefixes:
            value = self._values.get((_PREFIX + prefix, key))
            if value is not None and metadata.collection.startswith(prefix):
                return value
        return None
