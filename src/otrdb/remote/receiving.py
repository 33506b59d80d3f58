"""Answers put together from the messages they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from otrdb.columns import decode
from otrdb.lacking import merged
from otrdb.results import Finding, LeftOut, Points, Windows
from otrdb.wire.tables import numbers, statistic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otrdb.model import Array, Int64Array, Kind
    from otrdb.wire import otrdb as wire


def points_of(kinds: Sequence[Kind], messages: Iterable[wire.PointsResponse]) -> list[Points]:
    """The points of each of the streams of those kinds; the arrays are the caller's."""
    gathered = [_Gathered() for _ in kinds]
    for message in messages:
        gathered[message.stream].add(message)
    return [each.points(kind) for each, kind in zip(gathered, kinds, strict=True)]


class _Gathered:
    """What has come of the points of one stream."""

    def __init__(self) -> None:
        self._times: list[Int64Array] = []
        self._values: list[Int64Array] = []
        self._left_out: list[tuple[LeftOut, ...]] = []
        self._version = 0

    def add(self, message: wire.PointsResponse) -> None:
        self._times.append(numbers(message.times))
        self._values.append(numbers(message.values))
        self._left_out.append(left_out_of(message.left_out))
        self._version = message.version

    def points(self, kind: Kind) -> Points:
        times, values = _taken(self._times), _taken(self._values)
        return Points(times, decode(kind, values), kind, self._version, _together(self._left_out))


def windows_of(kind: Kind, columns: Sequence[str], messages: Iterable[wire.WindowsResponse]) -> Windows:
    """The windows of one stream, with these columns; the arrays are the caller's."""
    width, version = 0, 0
    times: list[Int64Array] = []
    gathered: dict[str, list[Array]] = {name: [] for name in columns}
    left_out: list[tuple[LeftOut, ...]] = []
    for message in messages:
        width, version = message.width, message.version
        times.append(numbers(message.time))
        for name, data in zip(columns, message.columns, strict=True):
            gathered[name].append(statistic(name, kind, data))
        left_out.append(left_out_of(message.left_out))
    found = {name: _taken(pieces) for name, pieces in gathered.items()}
    return Windows(_taken(times), found, kind, width, version, _together(left_out))


def left_out_of(told: Iterable[wire.LeftOut]) -> tuple[LeftOut, ...]:
    """What an answer lacks."""
    return tuple(
        LeftOut(
            each.start,
            each.end,
            UUID(bytes=each.stream),
            each.message,
            each.segment if each.HasField("segment") else None,
            each.offset if each.HasField("offset") else None,
        )
        for each in told
    )


def findings_of(told: Iterable[wire.Finding]) -> Iterator[Finding]:
    """What a check found."""
    for each in told:
        fields = {name: getattr(each, name) for name in Finding._fields if _has(each, name)}
        if "stream" in fields:
            fields["stream"] = UUID(bytes=fields["stream"])
        yield Finding(**fields)


def _has(message: wire.Finding, name: str) -> bool:
    return name in ("code", "message") or message.HasField(name)


def _taken(pieces: list[Array]) -> Array:
    """The pieces in one array of its own; they are let go."""
    column = np.concatenate(pieces)
    pieces.clear()
    return column


def _together(left_out: list[tuple[LeftOut, ...]]) -> tuple[LeftOut, ...]:
    """What the pieces of an answer lack; they were cut where it was convenient."""
    if len(left_out) == 1:
        return left_out[0]
    return merged(each for some in left_out for each in some)
