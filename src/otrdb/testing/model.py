"""A stream and its answers computed as plainly as possible: what every archiver is compared with.

No trees, chunks or clever merging: two sorted columns, Python dictionaries for the merge policies, and
`math.fsum` for the sums. Correct by inspection is the aim, not speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otrdb.model import FIRST_VERSION, MAX_TIME, MIN_TIME, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.results import Windows


class State(NamedTuple):
    """Times ascending, equal ones in order of arrival, and their values. Never changed."""

    times: Any
    values: Any

    def between(self, start: int, end: int) -> State:
        """The points in ``[start, end)``."""
        inside = (self.times >= start) & (self.times < end)
        return State(self.times[inside], self.values[inside])


def empty(kind: Kind) -> State:
    """A state without points."""
    return State(np.empty(0, dtype=np.int64), np.empty(0, dtype=kind.dtype))


def merged(state: State, times: Any, values: Any, merge: str) -> State:
    """`state` after an insert."""
    if merge == "never":
        return _sorted(np.concatenate([state.times, times]), np.concatenate([state.values, values]))
    touched = np.isin(state.times, times)
    groups: dict[int, list[Any]] = {}
    for time, value in zip(state.times[touched].tolist(), state.values[touched].tolist(), strict=True):
        groups.setdefault(time, []).append(value)
    seen = {time: set(group) for time, group in groups.items()}
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        group, known = groups.setdefault(time, []), seen.setdefault(time, set())
        if merge == "replace":
            group[:] = [value]
        elif (merge == "equal" and value not in known) or not group:  # 0.0 and -0.0 are one member of a set
            group.append(value)
            known.add(value)
    changed = [(time, value) for time, group in groups.items() for value in group]
    new_times = np.array([time for time, _ in changed], dtype=np.int64)
    new_values = np.array([value for _, value in changed], dtype=state.values.dtype)
    kept = State(state.times[~touched], state.values[~touched])
    return _sorted(np.concatenate([kept.times, new_times]), np.concatenate([kept.values, new_values]))


def erased(state: State, start: int, end: int) -> State:
    """`state` after a deletion."""
    outside = (state.times < start) | (state.times >= end)
    return State(state.times[outside], state.values[outside])


def changed_times(one: State, other: State) -> Any:
    """The times at which two states differ, ascending, with repetitions."""
    return np.setxor1d(_numbered(one), _numbered(other))["time"]


def _sorted(times: Any, values: Any) -> State:
    order = np.argsort(times, kind="stable")
    return State(times[order], values[order])


def _numbered(state: State) -> Any:
    turns = np.arange(len(state.times)) - np.searchsorted(state.times, state.times)
    words = state.values.astype(np.int64) if state.values.dtype != np.float64 else state.values.view(np.int64)
    table = np.empty(len(turns), dtype=[("time", np.int64), ("turn", np.int64), ("word", np.int64)])
    table["time"], table["turn"], table["word"] = state.times, turns, words
    return table


@dataclass
class Expected:
    """One window's statistics."""

    count: int
    min: Any
    max: Any
    first: Any
    last: Any
    total: Any
    mean: float
    stddev: float


def expected(values: Any) -> Expected:
    """Statistics of at least one value, in order of time."""
    listed = values.tolist()
    mean, stddev = _moments(listed)
    ordered = sorted(listed, key=_order)
    total = math.nan if values.dtype == np.float64 else sum(map(int, listed))
    return Expected(len(listed), ordered[0], ordered[-1], listed[0], listed[-1], total, mean, stddev)


def _order(value: Any) -> tuple[Any, float]:
    return value, math.copysign(1.0, value)


def _moments(values: list[Any]) -> tuple[float, float]:
    """Mean and population standard deviation, by exact sums of values scaled to at most 1."""
    exponent = math.frexp(max(abs(float(value)) for value in values))[1]
    scaled = [math.ldexp(float(value), -exponent) for value in values]
    mean = math.fsum(scaled) / len(scaled)
    variance = math.fsum((value - mean) ** 2 for value in scaled) / len(scaled)
    return math.ldexp(mean, exponent), math.ldexp(math.sqrt(variance), exponent)


def aligned(state: State, start: int, end: int, pointwidth: int) -> Iterator[tuple[int, Expected]]:
    """The aligned windows that hold points, by their start."""
    width = 1 << pointwidth
    first = start - (start - MIN_TIME) % width
    last = end - (end - MIN_TIME) % width
    inside = state.between(first, last)
    starts = inside.times - (inside.times - MIN_TIME) % width
    return _groups(starts, inside.values)


def condensed(state: State, before: int, pointwidth: int) -> State:
    """A state with five rows for each aligned window in the place of its points before a time: how many they
    are, the least, the largest, the first and the last. Values as float64.
    """
    rows = [
        (start, (want.count, want.min, want.max, want.first, want.last))
        for start, want in aligned(state, MIN_TIME, before, pointwidth)
    ]
    kept = state.between(before, MAX_TIME)
    times = [start for start, five in rows for _ in five]
    values = [float(each) for _, five in rows for each in five]
    return State(
        np.concatenate([np.array(times, np.int64), kept.times]),
        np.concatenate([np.array(values, np.float64), kept.values.astype(np.float64)]),
    )


def windows(state: State, start: int, end: int, width: int) -> Iterator[tuple[int, Expected]]:
    """The windows from `start` on that hold points, by their start."""
    inside = state.between(start, start + (end - start) // width * width)
    return _groups(inside.times - (inside.times - start) % width, inside.values)


def _groups(starts: Any, values: Any) -> Iterator[tuple[int, Expected]]:
    edges = np.flatnonzero(np.diff(starts)) + 1
    for group in np.split(np.arange(len(starts)), edges):
        if len(group):
            yield int(starts[group[0]]), expected(values[group])


def check_windows(found: Windows, wanted: list[tuple[int, Expected]]) -> None:
    """That windows without an empty one are right: exact, but mean and deviation to 1e-12 of the largest."""
    assert found.time.tolist() == [start for start, _ in wanted]
    columns = {name: values.tolist() for name, values in found.columns.items()}
    for row, (start, want) in enumerate(wanted):
        got = {name: values[row] for name, values in columns.items()}
        for name in ("count", "min", "max", "first", "last"):
            assert _same(got[name], getattr(want, name)), (start, name, got, want)
        largest = max(abs(float(want.min)), abs(float(want.max)))
        close = 0.0 if want.count == 1 else 1e-12 * largest + 5e-324
        assert abs(got["mean"] / 2 - want.mean / 2) <= close / 2, (start, got, want)
        assert abs(got["stddev"] - want.stddev) <= close, (start, got, want)
        assert float(want.min) <= got["mean"] <= float(want.max), (start, got, want)
        if found.kind.integer:
            assert got["sum"] == want.total, (start, got, want)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and _order(one) == _order(other)


def check_points(found: tuple[Any, Any], wanted: State) -> None:
    """That points are these, bit by bit."""
    times, values = found
    assert times.dtype == np.int64
    assert values.dtype == wanted.values.dtype
    assert np.array_equal(times, wanted.times)
    assert values.tobytes() == wanted.values.tobytes()


@dataclass
class StreamModel:
    """What a stream holds, and the versions of it that somebody was told of.

    A version that a question made, and no flush or deletion, may be forgotten when the archive is closed. Its
    number stays what it was.
    """

    kind: Kind
    state: State = field(init=False)
    versions: dict[int, State] = field(default_factory=dict)
    passing: set[int] = field(default_factory=set)
    forgotten: set[int] = field(default_factory=set)
    annotations: dict[str, str] = field(default_factory=dict)
    property_version: int = 1
    pending: int = 0

    def __post_init__(self) -> None:
        self.state = empty(self.kind)
        self.versions[FIRST_VERSION] = self.state

    def insert(self, times: Any, values: Any, merge: str) -> None:
        """Points were acknowledged."""
        self.state = merged(self.state, times, values, merge)
        self.pending += len(times)

    def delete(self, start: int, end: int) -> None:
        """A range was deleted."""
        self.state = erased(self.state, start, end)

    def told(self, version: int) -> None:
        """Somebody was told that this version, which stays, holds everything there is."""
        self._note(version)
        self.pending = 0
        self.forgotten.discard(version)
        self.passing.discard(version)

    def asked(self, version: int) -> None:
        """Somebody was told so who only asked: the version may pass, and the points still be pending."""
        if version not in self.versions or version in self.forgotten:
            self.passing.add(version)
        self._note(version)
        self.forgotten.discard(version)

    def _note(self, version: int) -> None:
        assert version >= max(self.versions)
        known = self.versions.setdefault(version, self.state)
        check_points(known, self.state)

    def closed(self) -> None:
        """The archive was closed."""
        self.forgotten |= self.passing
        self.passing.clear()

    @property
    def readable(self) -> list[int]:
        """The versions that must be there."""
        return [version for version in self.versions if version not in self.forgotten]
