"""Requests with likely, odd and absurd values in their fields."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor as Field

from tests.fuzz.arrows import Arrows
from tests.fuzz.streams import COLLECTION, POINTS, SECOND, START

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.fuzz.streams import Streams

_EDGES: Final = (0, 1, 2, 10, 11, 62, 63, 64, 255, 4_096, 10**9, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**60)
_WIDE: Final = (*_EDGES, 2**62, 3 * 2**60 - 2, 3 * 2**60 - 1, 3 * 2**60, 2**63 - 1, 2**63, 2**64 - 1)
_DOUBLES: Final = (0.0, -0.0, 1.5, 5e-324, 1.7976931348623157e308, -1e300, math.inf, -math.inf, math.nan)
_TEXTS: Final = (
    "",
    COLLECTION,
    "kno",
    "victims",
    "fuzz/a",
    "name",
    "unit",
    "V",
    "x" * 255,
    "x" * 256,
    "x" * 70_000,
    "\0",
    "a\0b",
    "Ωmega",
    "\U0001f9a6",
    "%",
    "_",
    "'; --",
    "..",
    "A b",
    "\u202e",
    "\ud7ff",
)
_PLAIN: Final = 4
"""So many of the queries make sense."""

QUERIES: Final = (
    "select * from streams",
    "select collection, name from streams where collection like $1",
    "select distinct name, unit from streams where collection like $1",
    "select uuid, tags from streams where name = $1 or unit = $2 order by name limit 3",
    "SELECT 1",
    "select count(*) from streams a, streams b, streams c, streams d, streams e",
    "with recursive t(x) as (select 1 union all select x + 1 from t) select * from t",
    "with recursive t(x) as (select 1 union all select x + 1 from t) select max(x) from t",
    "select zeroblob(2000000000)",
    "select hex(zeroblob(900000000))",
    "select printf('%.900000000c', 'x')",
    "select randomblob(1000000000)",
    "select group_concat(a.uuid || b.uuid || c.uuid) from streams a, streams b, streams c",
    "select replace(hex(zeroblob(1000000)), '00', hex(zeroblob(1000000)))",
    "delete from streams",
    "drop table streams",
    "update streams set collection = 'x'",
    "insert into streams values (1)",
    "attach database '/tmp/elsewhere' as other",
    "attach ':memory:' as m",
    "pragma writable_schema = on",
    "pragma journal_mode = delete",
    "vacuum into '/tmp/elsewhere'",
    "select load_extension('x')",
    "select readfile('/etc/passwd')",
    "begin exclusive",
    "select 1; select 2",
    "select (" + "(" * 2_000 + "1" + ")" * 2_000 + ")",
    "select " + "1 + " * 5_000 + "1",
    "select " + ", ".join(["1"] * 3_000),
    "select * from sqlite_master",
    "select * from pragma_table_info('streams')",
    "select * from",
    "\0",
    "",
    "é" * 50_000,
    "explain select * from streams",
    "select * from streams where name glob '" + "*a" * 40 + "'",
    "select * from json_each('" + "[" * 3_000 + "]" * 3_000 + "')",
)


_LEFT_OUT: Final = {"uuid": 0.02, "rounding": 0.9, "queryType": 0.3, "merge_policy": 0.5}
"""How often some fields are left out of a request that is to make sense."""


class Values:
    """Fills messages, from one seed."""

    def __init__(self, rng: Random, streams: Streams) -> None:
        self._rng = rng
        self._streams = streams
        self._known = [uuid.bytes for uuid in streams.known]
        self._arrows = Arrows(rng)
        self._named: dict[str, Callable[[], Any]] = {
            "start": lambda: self._time(0.0, 0.6),
            "end": lambda: self._time(0.4, 1.0),
            "time": lambda: self._time(0.0, 1.0),
            "startTime": lambda: self._time(0.0, 0.6),
            "endTime": lambda: self._time(0.4, 1.0),
            "versionMajor": self._version,
            "version": self._version,
            "fromMajor": self._version,
            "toMajor": self._version,
            "CompactedVersion": self._version,
            "pointWidth": self._pointwidth,
            "resolution": self._pointwidth,
            "depth": self._pointwidth,
            "width": self._width,
            "windowSize": self._width,
            "snapPeriodNs": self._width,
            "arrowBytes": self._arrows.points,
            "templateBytes": self._arrows.template,
            "query": self._query,
            "expectedPropertyVersion": self._small,
            "merge_policy": self._small,
            "queryType": self._small,
            "op": self._small,
            "bits": lambda: rng.choice((1, 10, 30, 52, 0, 64)),
        }

    def message(self, request: Any, *, changes: bool, absurd: bool) -> Any:
        """A request, whose streams may be changed if it ``changes`` some. An ``absurd`` one is extreme."""
        made = request()
        self._fill(made, changes=changes, absurd=absurd)
        if "query" in request.DESCRIPTOR.fields_by_name and not absurd:
            wanted = range(made.query.count("$"))
            made.params[:] = [json.dumps(self._rng.choice(_TEXTS[:8])) for _ in wanted]
        return made

    def uuid(self, *, changes: bool) -> bytes:
        """Of a stream, or what is none."""
        turn = self._rng.random()
        if turn < 0.85:
            return self._rng.choice(self._streams.victims).bytes if changes else self._rng.choice(self._known)
        if turn < 0.9:
            return self._rng.choice(self._streams.victims).bytes
        if turn < 0.93:
            return self._rng.choice(self._streams.gone).bytes
        return self._rng.randbytes(16 if turn < 0.97 else self._rng.choice((0, 1, 15, 17, 64, 5_000)))

    def _fill(self, message: Any, *, changes: bool, absurd: bool) -> None:
        rng = self._rng
        for field in message.DESCRIPTOR.fields:
            if rng.random() < (0.3 if absurd else _LEFT_OUT.get(field.name, 0.1)):
                continue
            if _is_repeated(field):
                self._fill_all(message, field, changes=changes, absurd=absurd)
            elif field.message_type is not None:
                part = getattr(message, field.name)
                part.SetInParent()
                self._fill(part, changes=changes, absurd=absurd)
            else:
                setattr(message, field.name, self._scalar(field, changes=changes, absurd=absurd))

    def _fill_all(self, message: Any, field: Any, *, changes: bool, absurd: bool) -> None:
        count = self._count(field, absurd=absurd)
        values = getattr(message, field.name)
        if field.message_type is None:
            values.extend(self._scalar(field, changes=changes, absurd=absurd) for _ in range(count))
        else:
            for _ in range(count):
                self._fill(values.add(), changes=changes, absurd=absurd)

    def _count(self, field: Any, *, absurd: bool) -> int:
        if absurd and self._rng.random() < 0.05:
            return 2_000
        return (
            self._rng.choice((0, 1, 2, 3, 60))
            if field.name == "values"
            else self._rng.choice((0, 1, 1, 2, 3))
        )

    def _scalar(self, field: Any, *, changes: bool, absurd: bool) -> Any:
        if field.name == "uuid":
            return self.uuid(changes=changes)
        if not absurd and field.name in self._named:
            return self._named[field.name]()
        if field.type in (Field.TYPE_BYTES, Field.TYPE_STRING):
            return self._text(field)
        if field.type == Field.TYPE_BOOL:
            return self._rng.random() < 0.5
        if field.type == Field.TYPE_DOUBLE:
            return self._double(absurd=absurd)
        return self._integer(field)

    def _text(self, field: Any) -> str | bytes:
        if field.name == "arrowBytes":
            return self._arrows.points()
        if field.name == "templateBytes":
            return self._arrows.template()
        text = self._rng.choice(_TEXTS) if self._rng.random() < 0.9 else self._junk_text()
        if field.name == "query":
            text = self._query()
        return text.encode() if field.type == Field.TYPE_BYTES else text

    def _junk_text(self) -> str:
        return "".join(chr(self._rng.randrange(1, 0xD000)) for _ in range(self._rng.randrange(40)))

    def _double(self, *, absurd: bool) -> float:
        return self._rng.choice(_DOUBLES) if absurd or self._rng.random() < 0.01 else self._rng.gauss(0, 100)

    def _integer(self, field: Any) -> int:
        value = self._rng.choice(_WIDE)
        bits = 64 if field.cpp_type in (Field.CPPTYPE_INT64, Field.CPPTYPE_UINT64) else 32
        if field.cpp_type in (Field.CPPTYPE_UINT64, Field.CPPTYPE_UINT32):
            return value % (1 << bits)
        half = 1 << bits - 1
        return (value * self._rng.choice((1, -1)) + half) % (2 * half) - half

    def _time(self, low: float, high: float) -> int:
        if self._rng.random() < 0.85:
            second = int(self._rng.uniform(low, high) * 1.1 * POINTS) - POINTS // 20
            return START + second * SECOND + self._rng.choice((0, 0, 1, -1))
        return max(min(self._rng.choice(_WIDE) * self._rng.choice((1, -1)), 2**63 - 1), -(2**63))

    def _version(self) -> int:
        return self._rng.choice((0, 0, 0, 1, 9, 10, 11, 12, 13, 14, 2**32 + 11, 2**48, 2**63, 2**64 - 1))

    def _pointwidth(self) -> int:
        return int(self._rng.choice((*range(20, 64), 0, 1, 10, 64, 255, 2**32 - 1)))

    def _width(self) -> int:
        if self._rng.random() < 0.7:
            return self._rng.randrange(1, 5_000) * SECOND
        return self._rng.choice((0, 1, 2, 999, 2**40, 2**62, 2**63 - 1))

    def _small(self) -> int:
        return self._rng.choice((0, 0, 0, 0, 1, 1, 2, 3, 4, 99))

    def _query(self) -> str:
        return self._rng.choice(QUERIES[:_PLAIN] if self._rng.random() < 0.7 else QUERIES)


def _is_repeated(field: Any) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == Field.LABEL_REPEATED
