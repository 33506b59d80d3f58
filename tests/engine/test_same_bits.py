"""The same points give the same bits: before and after a flush, after reopening, and in whatever batches and
by whatever path they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME, Kind, Merge
from otrdb.results import ALL_COLUMNS
from otrdb.testing.medium import FaultyMedium
from otrdb.testing.power_cuts import opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb import Archive, Stream
    from otrdb.engine.reads import Reads

ORIGIN = 1_700_000_000_000_000_000


def answers(reads: Reads, times: Any) -> list[Any]:
    """Answers to many questions, as bytes: raw points, windows of every kind, single points."""
    low, high = int(times.min()), int(times.max()) + 1
    found: list[Any] = [reads.count(), reads.earliest(), reads.latest()]
    found += [column.tobytes() for column in reads.values().to_numpy()]
    span = (high - low).bit_length()
    for pointwidth in sorted({0, 4, *range(max(span - 12, 0), min(span + 2, 63)), 62} - {0} | {span // 2}):
        found.append(_bytes(reads.aligned_windows(MIN_TIME, MAX_TIME, pointwidth, columns=ALL_COLUMNS)))
    for parts in (1, 7, 100):
        width = max((high - low) // parts, 1)
        found.append(_bytes(reads.windows(low, min(high + width, MAX_TIME), width, columns=ALL_COLUMNS)))
    found.append(_bytes(reads.zoom(points=50, columns=ALL_COLUMNS)))
    middle = int(np.sort(times)[len(times) // 2])
    found += [reads.nearest(middle), reads.nearest(middle, backward=True), reads.count(low, middle + 1)]
    return found


def _bytes(windows: Any) -> Any:
    return [
        (name, column.tolist() if column.dtype == object else column.tobytes())
        for name, column in windows.to_numpy().items()
    ]


# --- what is inserted

SHAPES: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "regular": lambda rng, count: ORIGIN + 10_000_000 * np.arange(count) + rng.integers(0, 1_000_000, count),
    "one time": lambda rng, count: np.full(count, ORIGIN),
    "few times": lambda rng, count: ORIGIN + rng.integers(0, 20, count),
    "all of time": lambda rng, count: rng.integers(MIN_TIME, LAST_TIME, count, endpoint=True),
    "bursts": lambda rng, count: ORIGIN + (rng.integers(0, 5, count) << 40) + rng.integers(0, 5_000, count),
}
VALUES: dict[Kind, tuple[Callable[[np.random.Generator, int], Any], ...]] = {
    Kind.FLOAT: (
        lambda rng, count: rng.normal(size=count).round(3),
        lambda rng, count: 1e9 + rng.normal(size=count) * 1e-3,
        lambda rng, count: rng.choice([0.0, -0.0, 1e200, -1e200, 5e-324, 1.7e308], count),
    ),
    Kind.INT: (
        lambda rng, count: rng.integers(-1_000, 1_000, count),
        lambda rng, count: rng.choice([1 << 62, -(1 << 62), (1 << 63) - 1, -(1 << 63), 0], count),
    ),
    Kind.BOOL: (lambda rng, count: rng.integers(0, 2, count).astype(np.bool_),),
}


class Recipe(NamedTuple):
    """Points in order of arrival, which need not be that of time."""

    kind: Kind
    shape: str
    values: int
    number: int
    ascending: bool
    seed: int

    def points(self) -> tuple[Any, Any]:
        rng = np.random.default_rng(self.seed)
        times = np.asarray(SHAPES[self.shape](rng, self.number), np.int64)
        ways = VALUES[self.kind]
        return np.sort(times) if self.ascending else times, ways[self.values % len(ways)](rng, self.number)


def recipes(most: int = 60_000) -> st.SearchStrategy[Recipe]:
    return st.builds(
        Recipe,
        st.sampled_from(list(Kind)),
        st.sampled_from(list(SHAPES)),
        st.integers(0, 2),
        st.sampled_from([1, 2, 700, 16_384, 16_385, most // 2, most]),
        st.booleans(),
        st.integers(0, 1 << 20),
    )


def batches(rng: np.random.Generator, count: int) -> list[slice]:
    """The points cut in consecutive batches of all sizes."""
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(int(rng.choice([1, 3, 100, 5_000, 20_000, 50_000])))
        if sizes[-1] == 1 and len(sizes) > 200:
            sizes[-1] = 7_000
    ends = np.minimum(np.cumsum(sizes), count).tolist()
    return [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]


# --- by which way it comes


def plain(_archive: Archive, stream: Stream, _other: Stream, times: Any, values: Any, merge: Any) -> None:
    stream.insert(times, values, merge=merge)


def batch(archive: Archive, stream: Stream, other: Stream, times: Any, values: Any, merge: Any) -> None:
    archive.insert({other: (times[:1], values[:1]), stream: (times, values)}, merge=merge)


def wide(archive: Archive, stream: Stream, other: Stream, times: Any, values: Any, merge: Any) -> None:
    index = np.zeros(len(times) + 1, np.int64)
    index[len(times) // 2] = 1
    where = len(times) // 2
    archive.insert_columns(
        index, np.insert(times, where, 5), np.insert(values, where, 0), [stream, other], merge=merge
    )


WAYS = (plain, plain, batch, wide)


def insert_in_batches(
    archive: Archive, stream: Stream, points: tuple[Any, Any], merge: Any, rng: np.random.Generator
) -> None:
    """All points, in batches, by all ways, with flushes, marks and reads between them."""
    other = archive.create("beside", kind=stream.kind)
    times, values = points
    for part in batches(rng, len(times)):
        WAYS[int(rng.integers(len(WAYS)))](archive, stream, other, times[part], values[part], merge)
        draw = int(rng.integers(12))
        if draw == 0:
            stream.flush()
        elif draw == 1:
            assert stream.version
        elif draw == 2:
            assert stream.count()


@settings(max_examples=40)
@given(recipes(), st.sampled_from(list(Merge)), st.integers(0, 1 << 20))
def test_any_batches_by_any_way_give_the_same_bits(recipe: Recipe, merge: Merge, seed: int) -> None:
    kind, (times, values) = recipe.kind, recipe.points()
    with opened(FaultyMedium(), "off") as archive:
        whole = archive.create("plant", kind=kind)
        whole.insert(times, values, merge=merge)
        whole.flush()
        expected = answers(whole, times)
    medium = FaultyMedium()
    with opened(medium, "off") as archive:
        parts = archive.create("plant", kind=kind)
        insert_in_batches(archive, parts, (times, values), merge, np.random.default_rng(seed))
        assert answers(parts, times) == expected, "pending"
        assert answers(parts.at(parts.version), times) == expected, "marked"
    with opened(medium, "off") as archive:
        parts = archive.stream("plant")
        assert answers(parts, times) == expected, "replayed"
        parts.flush()
        assert answers(parts, times) == expected, "flushed"
        assert list(archive.check()) == []
    with opened(medium, "off") as archive:
        assert answers(archive.stream("plant"), times) == expected, "reopened"


@settings(max_examples=40)
@given(recipes(most=40_000), st.integers(0, 1 << 20))
def test_deleting_gives_the_bits_of_never_having_inserted(recipe: Recipe, seed: int) -> None:
    kind, (times, values) = recipe.kind, recipe.points()
    rng = np.random.default_rng(seed)
    start, end = np.sort(rng.choice(times, 2)).tolist()
    kept = (times < start) | (times > end)
    if not kept.any():
        return
    with opened(FaultyMedium(), "off") as archive:
        whole = archive.create("plant", kind=kind)
        whole.insert(times[kept], values[kept])
        expected = answers(whole, times[kept])
    with opened(FaultyMedium(), "off") as archive:
        stream = archive.create("plant", kind=kind)
        insert_in_batches(archive, stream, (times, values), "never", rng)
        stream.delete(start, end + 1)
        assert answers(stream, times[kept]) == expected
        assert list(archive.check()) == []


@pytest.mark.parametrize("memory", [8 << 20, 160 << 20])
def test_a_small_cache_gives_the_same_bits(memory: int) -> None:
    rng = np.random.default_rng(1)
    times = ORIGIN + 10_000_000 * np.arange(300_000)
    values = rng.normal(size=len(times))
    late = ORIGIN + rng.integers(0, 3_000_000_000_000, 2_000)
    medium = FaultyMedium()
    found = []
    for budget in (64 << 20, memory):
        with opened(medium, "off", memory=budget) as archive:
            if not archive.streams():
                stream = archive.create("plant")
                stream.insert(times, values)
                stream.insert(late, np.ones(len(late)))
            found.append(answers(archive.stream("plant"), times))
    assert found[0] == found[1]
