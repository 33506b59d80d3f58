"""What lies on a disk, taken apart and named: the answer of a dump.

Fields, their order and their meaning come from the layouts that also write and read them.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otrdb.layout import Layout


class Section(NamedTuple):
    """A part of a block, a record or a file: one record of named fields, or ``many`` of the same.

    `offset` is where it begins in its file, `meanings` says what fields mean, `times` names those that are
    times (ns), `note` what is wrong with it.

    Example:
        >>> from otrdb.layout import Layout
        >>> pair = Layout(("kind", "B", "0 float, 1 int"), ("start", "q", "first time"))
        >>> section = taken_apart("pair", pair, pair.pack(1, 0), offset=64)
        >>> section.records, section.words("kind", 1), section.words("start", 0)
        ([{'kind': 1, 'start': 0}], '1 (int)', '0 (1970-01-01T00:00:00Z)')
    """

    name: str
    offset: int
    records: Sequence[Mapping[str, Any]]
    meanings: Mapping[str, str] = {}
    times: frozenset[str] = frozenset()
    many: bool = False
    note: str = ""

    def words(self, field: str, value: object) -> str:
        """A value as it is shown to people."""
        if isinstance(value, int) and not isinstance(value, bool):
            named = format_ns(value) if field in self.times else self.named(field, value)
            return f"{value} ({named})" if named else str(value)
        return str(value)

    def named(self, field: str, value: int) -> str:
        """What a number stands for, if the meaning of its field says so; else nothing."""
        return _legend(self.meanings.get(field, "")).get(value, "")

    def plain(self) -> Any:  # noqa: ANN401
        """The records as JSON knows them: one object, or an array of them."""
        records = [dict(record) for record in self.records]
        return records if self.many or not records else records[0]


class Dump(NamedTuple):
    """A block, record or file header, taken apart. `sound` is whether all of its checksums hold."""

    title: str
    sound: bool
    sections: Sequence[Section]

    def plain(self) -> dict[str, Any]:
        """All of it as one JSON object."""
        notes = [section.note for section in self.sections if section.note]
        parts = {section.name: section.plain() for section in self.sections}
        return {"title": self.title, "sound": self.sound, "notes": notes, **parts}


def taken_apart(name: str, layout: Layout, data: bytes, at: int = 0, *, offset: int) -> Section:
    """The record of ``layout`` that stands at ``data[at]`` and at ``offset`` of its file."""
    return Section(name, offset, [_plain(layout, data, at)], *_facts(layout))


def all_taken_apart(name: str, layout: Layout, data: bytes, at: int, count: int, *, offset: int) -> Section:
    """``count`` records of ``layout``, one after the other."""
    records = [_plain(layout, data, at + index * layout.size) for index in range(count)]
    return Section(name, offset, records, *_facts(layout), many=True)


def _facts(layout: Layout) -> tuple[dict[str, str], frozenset[str]]:
    """What fields mean, and which are times: all that are i64."""
    meanings = {name: meaning for name, _, meaning in layout.fields}
    return meanings, frozenset(name for name, code, _ in layout.fields if code == "q")


def _plain(layout: Layout, data: bytes, at: int) -> dict[str, Any]:
    codes = {name: code for name, code, _ in layout.fields}
    values = layout.named(layout.unpack_from(data, at))
    return {name: _value(codes[name], value) for name, value in values.items()}


def _value(code: str, value: Any) -> Any:  # noqa: ANN401
    """A value as JSON knows it: names as text, sixteen bytes as the uuid they are."""
    if not isinstance(value, bytes):
        return value
    if code == "16s":
        return str(UUID(bytes=value))
    return value.rstrip(b"\0").decode("ascii", "backslashreplace")


def finite(values: list[float]) -> list[float | None]:
    """The values, None where one is no number that JSON knows.

    Example:
        >>> finite([0.5, float("inf")])
        [0.5, None]
    """
    return [value if isfinite(value) else None for value in values]


def _legend(meaning: str) -> dict[int, str]:
    """What the numbers of a field stand for, if that is what its meaning says."""
    found = re.findall(r"(?:^|[,;:] )(\d+) (?!to |or |for |bytes)([^,;]+)", meaning)
    return {int(number): text for number, text in found} if len(found) > 1 else {}
