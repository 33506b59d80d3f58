"""Whether an answer is right: for questions about streams whose points are known, by NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from otrdb.model import MAX_TIME, MIN_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fuzz.streams import Columns, Streams


def mistake(name: str, request: Any, answers: Sequence[Any], streams: Streams) -> str | None:
    """What is wrong with the complete ``answers`` to a question; None if nothing is, or nobody knows."""
    check = _CHECKS.get(name)
    if check is None or len(request.uuid) != 16 or request.versionMajor:
        return None
    columns = streams.known.get(UUID(bytes=request.uuid))
    if columns is None:
        return None
    return check(request, answers, columns)


def _raw(request: Any, answers: Sequence[Any], columns: Columns) -> str | None:
    got = [(point.time, point.value) for answer in answers for point in answer.values]
    low, high = columns.times.searchsorted((request.start, request.end))
    times, values = columns.times[low:high].tolist(), columns.values[low:high].astype(float).tolist()
    return None if got == list(zip(times, values, strict=True)) else f"{len(got)} points, {high - low} wanted"


def _nearest(request: Any, answers: Sequence[Any], columns: Columns) -> str | None:
    at = int(columns.times.searchsorted(request.time)) - (1 if request.backward else 0)
    point = answers[0].value
    if not 0 <= at < len(columns.times):
        return f"a point at {point.time}, where there is none"
    wanted = int(columns.times[at])
    return None if point.time == wanted else f"the point at {point.time} instead of {wanted}"


def _aligned(request: Any, answers: Sequence[Any], columns: Columns) -> str | None:
    width = 1 << request.pointWidth
    start, end = (MIN_TIME + (time - MIN_TIME) // width * width for time in (request.start, request.end))
    return _counted(answers, columns, start, end)


def _windows(request: Any, answers: Sequence[Any], columns: Columns) -> str | None:
    whole = (request.end - request.start) // request.width * request.width
    return _counted(answers, columns, request.start, request.start + whole)


def _counted(answers: Sequence[Any], columns: Columns, start: int, end: int) -> str | None:
    got = sum(row.count for answer in answers for row in answer.values)
    bounds = np.array([max(start, MIN_TIME), min(end, MAX_TIME)])
    low, high = columns.times.searchsorted(bounds)
    return None if got == high - low else f"windows of {got} points, {high - low} wanted"


_CHECKS: Final[dict[str, Callable[[Any, Sequence[Any], Columns], str | None]]] = {
    "RawValues": _raw,
    "Nearest": _nearest,
    "AlignedWindows": _aligned,
    "Windows": _windows,
}
