"""Rules: how long the points of which streams are kept, how long as they came, and which old versions.

A rule is a setting of a scope: of one stream, or of all streams whose collection starts with a prefix (the
empty prefix is the archive). The most specific rule holds: the stream's own, else that of the longest prefix.
One more setting of a stream is no rule, but says before which time some of it is thinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otrdb.errors import InvalidArgument, InvalidPointWidth
from otrdb.model import MIN_TIME
from otrdb.ranges import check_pointwidth
from otrdb.results import Rule
from otrdb.storage.records import SettingSet
from otrdb.times import WidthLike, to_width
from otrdb.tree import THINNABLE

from .history import History

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from otrdb.metadata import Metadata
    from otrdb.model import Int64Array

RETENTION: Final = "retention"
HISTORY: Final = "history"
THINNING: Final = "thin"
THINNED: Final = "thinned"
"""The setting of a stream that says before which time, ns, ranges of it may be thinned."""

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


def thinning_value(age: WidthLike, pointwidth: int) -> str:
    """The value of a thinning after ``age`` ns to windows of ``2**pointwidth`` ns, or "forever" for none."""
    if age == FOREVER:
        return FOREVER
    if check_pointwidth(pointwidth) not in THINNABLE:
        near = " or ".join(str(each) for each in THINNABLE if abs(each - pointwidth) < 4)
        advice = f"Take {near or THINNABLE[0 if pointwidth < THINNABLE[0] else -1]}."
        raise InvalidPointWidth(f"Points are not thinned to pointwidth {pointwidth}.", advice=advice)
    return f"{to_width(age)}ns,{pointwidth}"


class Rules:
    """The rules of an archive. Used under the archive's lock."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], str] = {}
        self._prefixes: list[str] = []
        """The prefixes that have rules, the longest first."""
        self.newest_thinned = MIN_TIME
        """The time, ns, from which on nothing of any stream is thinned."""

    def __iter__(self) -> Iterator[Rule]:
        for (scope, key), value in sorted(self._values.items()):
            if key == THINNED:
                continue
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
        if key == THINNED and value:
            self.newest_thinned = max(self.newest_thinned, int(value))
        if scope.startswith(_PREFIX):
            prefixes = {each.removeprefix(_PREFIX) for each, _ in self._values if each.startswith(_PREFIX)}
            self._prefixes = sorted(prefixes, key=len, reverse=True)

    def value(self, scope: str, key: str) -> str:
        """The value of one rule; none if it is not set."""
        return self._values.get((scope, key), "")

    def retention(self, metadata: Metadata) -> int | None:
        """How old a stream's points may become, ns; None: for ever."""
        value = self._value(metadata, RETENTION)
        return None if value in (None, FOREVER) else to_width(value)

    def thinning(self, metadata: Metadata) -> tuple[int, int] | None:
        """How old a stream's points may become as they came, ns, and the pointwidth of the windows they give
        way to then; None: they stay.
        """
        value = self._value(metadata, THINNING)
        if value is None or value == FOREVER:
            return None
        age, pointwidth = value.split(",")
        return to_width(age), int(pointwidth)

    def bar(self, uuid: UUID, before: int) -> SettingSet:
        """From now on ranges of a stream before that time, ns, may be thinned; returns what makes it last."""
        before = max(before, self.thinned_before(uuid))
        setting = SettingSet(scope_of("", uuid), THINNED, str(before))
        self.put(setting.scope, setting.key, setting.value)
        return setting

    def thinned_before(self, uuid: UUID) -> int:
        """The time, ns, from which on nothing of the stream is thinned."""
        return int(self.value(scope_of("", uuid), THINNED) or MIN_TIME)

    def may_be_thinned(self, times: Int64Array) -> bool:
        """Whether any of ``times`` is so old that some stream may be thinned there."""
        return self.newest_thinned > MIN_TIME and bool((times < self.newest_thinned).any())

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
