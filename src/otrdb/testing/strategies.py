"""Strategies for Hypothesis: batches of the shapes that break archivers, ranges, histories of operations.

Needs Hypothesis: ``pip install otrdb[testing]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import numpy as np
from hypothesis import strategies as st

from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME, Kind, Merge
from otrdb.testing.operations import (
    SECOND,
    START,
    THIN_POINTWIDTH,
    Ask,
    Compact,
    Create,
    Delete,
    Drop,
    Flush,
    Insert,
    Keep,
    Obliterate,
    Operation,
    Prune,
    Reopen,
    Settle,
    Thin,
    Update,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CAPACITY = 16_384
"""Points per leaf, and per chunk."""

T0 = 1_500_000_000_000_000_000
ANCHORS = (0, T0, T0 + (1 << 40), MIN_TIME, LAST_TIME - (1 << 20), -(1 << 54), 1 << 60)
"""Where batches begin: few places, so that batches meet."""

STEPS = (1, 16, 1_000, 10**6, 10**9, 1 << 36)


class Batch(NamedTuple):
    """Columns of one length."""

    times: Any
    values: Any


def _steady(random: np.random.Generator, start: int, size: int) -> Any:
    return start + np.arange(size) * int(random.choice(STEPS))


def _around(random: np.random.Generator, start: int, size: int) -> Any:
    return start + random.integers(0, max(1, size), size)


def _scattered(random: np.random.Generator, start: int, size: int) -> Any:
    return random.integers(MIN_TIME, LAST_TIME, size)


def _one_per_slot(random: np.random.Generator, start: int, size: int) -> Any:
    return MIN_TIME + (np.arange(size) % 256 << 54) + start % 97


def _far_apart(random: np.random.Generator, start: int, size: int) -> Any:
    return np.where(np.arange(size) % 2, start + np.arange(size), -start // 2 - np.arange(size))


def _bursts(random: np.random.Generator, start: int, size: int) -> Any:
    return start + (random.integers(0, 8, size) << 30) + random.integers(0, 100, size)


def _equal(random: np.random.Generator, start: int, size: int) -> Any:
    return np.full(size, start)


def _few_times(random: np.random.Generator, start: int, size: int) -> Any:
    return start + random.integers(0, 3, size)


def _borders(random: np.random.Generator, start: int, size: int) -> Any:
    """Just before, at and after powers of two from the beginning of time."""
    return MIN_TIME + (1 << random.integers(0, 62, size)) + random.integers(-1, 2, size)


SHAPES = (_steady, _around, _few_times, _equal, _bursts, _far_apart, _one_per_slot, _borders, _scattered)

_SPECIAL = (0.0, -0.0, 5e-324, -2.5e-310, 1e-200, 0.1, 1e9 + 1e-3, 1e200, 1.7e308, -1.7e308)


def _values(random: np.random.Generator, kind: Kind, style: int, size: int) -> Any:
    if kind is Kind.BOOL:
        return random.integers(0, 2, size).astype(np.bool_) if style else np.ones(size, dtype=np.bool_)
    if kind is Kind.INT:
        spread = (2, 1_000, 1 << 40, 1 << 62)[style]
        return random.integers(-spread, spread, size) * (2 if style == 3 else 1)
    if style == 0:
        return random.integers(0, 3, size).astype(np.float64)
    if style == 1:
        return random.choice(_SPECIAL, size)
    return np.round(random.normal(20, 5, size), 2) if style == 2 else random.normal(1e9, 1e-3, size)


SMALL = st.integers(1, 40)
LARGE = st.one_of(
    st.integers(100, 3_000),
    st.sampled_from([CAPACITY - 1, CAPACITY, CAPACITY + 1, 3 * CAPACITY, 100_000]),
)


@st.composite
def batches(draw: st.DrawFn, kind: Kind, sizes: st.SearchStrategy[int], taken: Any = ()) -> Batch:
    """Times and values in order of arrival; some batches have only times that are `taken` already, some begin
    at the last of these.
    """
    size = draw(sizes)
    shape = draw(st.sampled_from(SHAPES))
    newest = [int(taken[-1])] if len(taken) else []
    start = draw(st.sampled_from([*ANCHORS, *newest])) + draw(st.sampled_from([0, 0, 1, 40]))
    again = len(taken) > 0 and draw(st.booleans())
    random = np.random.default_rng(draw(st.integers(0, 1_000)))
    times = random.choice(taken, size) if again else shape(random, start, size)
    times = np.clip(np.asarray(times, dtype=np.int64), MIN_TIME, LAST_TIME)
    if draw(st.booleans()):
        times = random.permutation(times)
    return Batch(times, _values(random, kind, draw(st.integers(0, 3)), size))


@st.composite
def ranges(draw: st.DrawFn, times: Any) -> tuple[int, int]:
    """A legal range, likely to begin or end at or next to one of these ascending times."""
    near = [
        int(times[place]) for place in {0, len(times) // 3, len(times) // 2, len(times) - 1} if len(times)
    ]
    place = st.one_of(
        st.sampled_from([*near, *ANCHORS, MIN_TIME, MAX_TIME - 1]), st.integers(MIN_TIME, MAX_TIME - 1)
    )
    one, other = (min(max(draw(place) + draw(st.integers(-1, 1)), MIN_TIME), MAX_TIME - 1) for _ in range(2))
    return min(one, other), max(one, other) + 1


@st.composite
def inserts(draw: st.DrawFn, streams: tuple[int, ...], largest: int) -> Insert:
    """An insert of any way into some of these streams of `create_all`, up to ``largest`` points in each."""
    way = draw(st.sampled_from(["one", "many", "wide"]))
    alike = [stream for stream in streams if kind_of(stream) is kind_of(streams[0])]
    among = alike if way == "wide" else streams
    most = 1 if way == "one" else len(among)
    chosen = draw(st.lists(st.sampled_from(among), min_size=1, max_size=most, unique=True))
    count = draw(st.one_of(st.integers(1, 8), st.integers(1, largest)))
    start, step = draw(st.integers(0, 1_000)), draw(st.sampled_from([1, 0, -1, 7]))
    times = START + SECOND * (start + step * np.arange(count))
    values = np.arange(count) * draw(st.integers(0, 9)) % 5
    parts = {stream: (times, values.astype(kind_of(stream).dtype)) for stream in chosen}
    return Insert(way, parts, draw(st.sampled_from([merge.value for merge in Merge])))


_INTERVAL = 1 << 44
"""What `Thin` thins as a whole, ns."""


@st.composite
def early_inserts(draw: st.DrawFn, streams: tuple[int, ...], largest: int) -> Insert:
    """An insert some hours before the others, where points may be thinned."""
    insert = draw(inserts(streams, largest))
    earlier = _INTERVAL * draw(st.integers(1, 3))
    parts = {stream: (times - earlier, values) for stream, (times, values) in insert.parts.items()}
    return insert._replace(parts=parts)


@st.composite
def early_deletes(draw: st.DrawFn, streams: tuple[int, ...]) -> Delete:
    """A delete of whole windows there."""
    start = START - draw(st.integers(-_INTERVAL, 4 * _INTERVAL)) >> THIN_POINTWIDTH << THIN_POINTWIDTH
    windows = draw(st.sampled_from([1, 5, 256, 600]))
    return Delete(draw(st.sampled_from(streams)), start, start + (windows << THIN_POINTWIDTH))


@st.composite
def histories(
    draw: st.DrawFn, streams: tuple[int, ...], longest: int, shortest: int = 0, largest: int = 700
) -> list[Operation]:
    """From ``shortest`` to ``longest`` operations on these streams of `create_all`, and on others they make.

    ``largest`` is the most points of an insert in one stream.
    """
    stream = st.sampled_from(streams)
    second = st.integers(0, 1_500).map(lambda number: START + SECOND * number)
    deletes = st.builds(Delete, stream, second, st.integers(1, 500)).map(
        lambda delete: delete._replace(end=delete.start + SECOND * delete.end)
    )
    plain: st.SearchStrategy[Operation] = st.one_of(
        inserts(streams, largest),
        inserts(streams, largest),
        deletes,
        st.builds(Flush, st.one_of(st.none(), stream)),
        st.builds(Ask, stream),
        st.builds(Settle),
        st.sampled_from([Prune(), Compact()]),
        early_inserts(streams, largest),
        early_inserts(streams, largest),
        early_deletes(streams),
        st.integers(0, 2).map(lambda number: Thin((START >> 44) - number << 44)),
        st.builds(Reopen, st.sampled_from(["kept", "older", "gone"])),
    )
    listed = draw(
        st.lists(st.one_of(plain, plain, st.sampled_from(_METADATA)), min_size=shortest, max_size=longest)
    )
    return list(_possible(listed, streams))


_METADATA: Sequence[type[Operation]] = (Update, Create, Obliterate, Keep, Drop)


def _possible(drawn: Sequence[Operation | type[Operation]], streams: tuple[int, ...]) -> Iterator[Operation]:
    """The operations, those on metadata with a subject: a new name, a stream or snapshot there is. Inserts
    for times that may be thinned are left out.
    """
    made: list[UUID] = []
    kept: list[str] = []
    thinned = MIN_TIME
    for number, operation in enumerate(drawn):
        if operation is Update:
            yield Update(streams[number % len(streams)], str(number))
        elif operation is Create:
            made.append(UUID(int=number + 1))
            yield Create(made[-1])
        elif operation is Keep:
            kept.append(str(number))
            yield Keep(kept[-1])
        elif operation is Obliterate and made:
            yield Obliterate(made.pop())
        elif operation is Drop and kept:
            yield Drop(kept.pop())
        elif isinstance(operation, Insert) and _begins(operation) < thinned:
            continue
        elif not isinstance(operation, type):
            thinned = max(thinned, operation.before if isinstance(operation, Thin) else MIN_TIME)
            yield operation


def _begins(insert: Insert) -> int:
    return min(int(times.min()) for times, _ in insert.parts.values())
