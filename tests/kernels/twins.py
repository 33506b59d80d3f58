"""The kernels in plain Python: slow, obvious, and equal to the compiled ones bit for bit."""

import math
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
BLOCK = 2048
MASK_64 = (1 << 64) - 1


def to_float(word: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", word))[0])


def to_word(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def ldexp(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


def lane_sum(values: Iterable[float]) -> float:
    lanes = [0.0] * 4
    for i, value in enumerate(values):
        lanes[i % 4] += value
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


def clamp(value: float, low: float, high: float) -> float:
    if value < low:
        return low
    return min(value, high)


def scale(low: float, high: float) -> int:
    most = max(abs(low), abs(high))
    if most == 0.0 or 2.0**-400 <= most < 2.0**470:
        return 0
    return math.frexp(most)[1] - 1


def zero_order(value: float) -> tuple[float, float]:
    return value, math.copysign(1.0, value)


@dataclass(frozen=True)
class FloatSummary:
    count: int
    min: float
    max: float
    first: float
    last: float
    m2: float
    mean: float

    @classmethod
    def of_block(cls, words: Sequence[int]) -> Self:
        values = [to_float(word) for word in words]
        low, high = min(values, key=zero_order), max(values, key=zero_order)
        if len(values) == 1:
            return cls(1, low, high, low, low, 0.0, low)
        e = scale(low, high)
        scaled = [ldexp(value, -e) for value in values]
        mean = clamp(lane_sum(scaled) / len(values), ldexp(low, -e), ldexp(high, -e))
        m2 = lane_sum((value - mean) * (value - mean) for value in scaled)
        return cls(len(values), low, high, values[0], values[-1], m2, clamp(ldexp(mean, e), low, high))

    @classmethod
    def of_row(cls, row: Sequence[int]) -> Self:
        return cls(row[0], *(to_float(word) for word in row[1:7]))

    def row(self) -> list[int]:
        values = (self.min, self.max, self.first, self.last, self.m2, self.mean)
        return [self.count, *(to_word(value) for value in values), 0]

    def then(self, b: "FloatSummary") -> "FloatSummary":
        low, high = min(self.min, b.min, key=zero_order), max(self.max, b.max, key=zero_order)
        e = scale(low, high)
        mean_a, mean_b = ldexp(self.mean, -e), ldexp(b.mean, -e)
        m2_a = ldexp(self.m2, 2 * (scale(self.min, self.max) - e))
        m2_b = ldexp(b.m2, 2 * (scale(b.min, b.max) - e))
        count = self.count + b.count
        share = float(b.count) / float(count)
        d = mean_b - mean_a
        m2 = m2_a + m2_b + d * d * (float(self.count) * share)
        mean = clamp(ldexp(mean_a + d * share, e), low, high)
        return FloatSummary(count, low, high, self.first, b.last, m2, mean)

    @property
    def moments(self) -> tuple[float, float]:
        e = scale(self.min, self.max)
        return self.mean, min(ldexp(math.sqrt(self.m2 / self.count), e), self.max * 0.5 - self.min * 0.5)


@dataclass(frozen=True)
class IntSummary:
    count: int
    min: int
    max: int
    first: int
    last: int
    m2: float
    total: int

    @classmethod
    def of_block(cls, words: Sequence[int]) -> Self:
        bare = cls(len(words), min(words), max(words), words[0], words[-1], 0.0, sum(words))
        m2 = lane_sum((float(word) - bare.mean) * (float(word) - bare.mean) for word in words)
        return cls(len(words), bare.min, bare.max, words[0], words[-1], m2, bare.total)

    @classmethod
    def of_row(cls, row: Sequence[int]) -> Self:
        count, low, high, first, last, m2, total_low, total_high = row
        return cls(count, low, high, first, last, to_float(m2), (total_high << 64) + (total_low & MASK_64))

    def row(self) -> list[int]:
        words = [self.count, self.min, self.max, self.first, self.last, to_word(self.m2)]
        return [*words, signed(self.total & MASK_64), self.total >> 64]

    @property
    def mean(self) -> float:
        high, low = divmod(abs(self.total), 1 << 64)
        total = math.copysign(float(high) * 2.0**64 + float(low), self.total)
        return clamp(total / float(self.count), float(self.min), float(self.max))

    def then(self, b: "IntSummary") -> "IntSummary":
        count = self.count + b.count
        share = float(b.count) / float(count)
        d = b.mean - self.mean
        m2 = self.m2 + b.m2 + d * d * (float(self.count) * share)
        low, high = min(self.min, b.min), max(self.max, b.max)
        return IntSummary(count, low, high, self.first, b.last, m2, self.total + b.total)

    @property
    def moments(self) -> tuple[float, float]:
        limit = float(self.max) * 0.5 - float(self.min) * 0.5
        return self.mean, min(math.sqrt(self.m2 / self.count), limit)


Summary = FloatSummary | IntSummary


def kind_of(integer: bool) -> type[FloatSummary] | type[IntSummary]:
    return IntSummary if integer else FloatSummary


def merged(rows: Iterable[Sequence[int]], integer: bool) -> list[int]:
    """Rows merged left to right."""
    first, *rest = (kind_of(integer).of_row(row) for row in rows)
    if not rest:
        return first.row()
    for summary in rest:
        first = first.then(summary)  # type: ignore[arg-type]  # all are of one kind
    return first.row()


def group_row(words: Sequence[int], integer: bool) -> list[int]:
    blocks = (words[i : i + BLOCK] for i in range(0, len(words), BLOCK))
    return merged((kind_of(integer).of_block(block).row() for block in blocks), integer)


def windows_of(times: Sequence[int], edges: Sequence[int]) -> list[int | None]:
    """For each time the j with edges[j] <= t < edges[j + 1], or None."""
    found = (bisect_right(edges, t) - 1 for t in times)
    return [j if 0 <= j < len(edges) - 1 else None for j in found]


def runs(keys: Iterable[int | None]) -> Iterator[tuple[int, list[int]]]:
    """(key, indices) of each run of equal keys that are not None."""
    for key, group in groupby(enumerate(keys), lambda pair: pair[1]):
        if key is not None:
            yield key, [i for i, _ in group]


Filled = list[tuple[int, list[int]]]
"""Output of the grouping kernels: (slot, row) in order."""


def summarise(times: Int64s, words: Int64s, integer: bool, origin: int, shift: int) -> Filled:
    data = words.tolist()
    keys = [(t - origin) >> shift for t in times.tolist()]
    return [(key, group_row([data[i] for i in indices], integer)) for key, indices in runs(keys)]


def fold_keys(keys: Iterable[int | None], rows: Int64s, integer: bool, before: Filled) -> Filled:
    out, data = list(before), rows.tolist()
    for key, indices in runs(keys):
        group = [data[i] for i in indices]
        if out and out[-1][0] == key:
            group.insert(0, out.pop()[1])
        out.append((key, merged(group, integer)))
    return out


def fold(slots: Int64s, rows: Int64s, integer: bool, offset: int, shift: int, before: Filled) -> Filled:
    return fold_keys([(slot + offset) >> shift for slot in slots.tolist()], rows, integer, before)


def cut_rows(
    starts: Sequence[int],
    ends: Sequence[int],
    counts: Sequence[int],
    edges: Sequence[int],
    start: int,
    end: int,
) -> tuple[tuple[int, int, int], list[int]]:
    """(first row, end of rows, cut rows) and the words of the cut ones."""
    first = bisect_right(ends, start)
    last = max(first, bisect_left(starts, end))
    cuts = []
    for row in range(first, last):
        low, high = max(starts[row], start), min(ends[row], end)
        if (low, high) != (starts[row], ends[row]) or any(low < edge < high for edge in edges):
            cuts += [row, low, high, sum(counts[:row])]
    return (first, last, len(cuts) // 4), cuts


Cut = tuple[int, int, int, list[tuple[int, int]]]
"""Row, from, to, and the points (time, word) given for it."""


def fold_edges(
    starts: Int64s, rows: Int64s, whole: range, integer: bool, edges: Int64s, cuts: list[Cut], before: Filled
) -> Filled:
    """Each row stands for itself, or as many rows as windows hold points of it."""
    keys, summaries = list[int | None](), list[list[int]]()
    points = {row: [point for point in found if low <= point[0] < high] for row, low, high, found in cuts}
    for row in whole:
        found = points.get(row)
        if found is None:
            keys += windows_of([int(starts[row])], edges.tolist())
            summaries.append(rows[row].tolist())
            continue
        for key, indices in runs(windows_of([time for time, _ in found], edges.tolist())):
            keys.append(key)
            summaries.append(group_row([found[i][1] for i in indices], integer))
    return fold_keys(keys, np.array(summaries, np.int64).reshape(-1, 8), integer, before)


def columns(rows: Int64s, integer: bool) -> list[tuple[int, int, int, int, float, float, int]]:
    """(min, max, first, last, mean, stddev, count) of each row."""
    return [
        (row[1], row[2], row[3], row[4], *kind_of(integer).of_row(row).moments, row[0])
        for row in rows.tolist()
    ]


def merge_runs(
    a: Sequence[tuple[int, int]], b: Sequence[tuple[int, int]], policy: int, integer: bool
) -> list[tuple[int, int]]:
    """Points are (time, word)."""
    out: list[tuple[int, int]] = []
    for time in sorted({t for t, _ in a} | {t for t, _ in b}):
        old, new = [w for t, w in a if t == time], [w for t, w in b if t == time]
        out += [(time, word) for word in settle(old, new, policy, integer)]
    return out


def settle(old: list[int], new: list[int], policy: int, integer: bool) -> list[int]:
    """What a policy keeps of the stored and the new words of one time."""
    if policy == 0 or not new:
        return old + new
    if policy == 2:
        return old or new[:1]
    if policy == 3:
        return new[-1:]
    kept = list(old)
    for word in new:
        same = [word == other or (not integer and to_float(word) == to_float(other)) for other in kept]
        if not any(same):
            kept.append(word)
    return kept


def check_points(
    times: Sequence[int], words: Sequence[int], is_float: bool, low: int, high: int
) -> tuple[bool, int, int]:
    outside = (i for i, t in enumerate(times) if not low <= t <= high)
    bad = (i for i, word in enumerate(words) if is_float and not math.isfinite(to_float(word)))
    return all(x <= y for x, y in pairwise(times)), next(outside, -1), next(bad, -1)


def bisect(times: Sequence[int], t: int) -> int:
    return bisect_left(times, t)
