"""Hashes of an archive's answers, one line per question: machines that print the same lines agree to the bit.

    python tools/answer_hashes.py [--points N] [DIRECTORY]

An archive of seeded points is built in DIRECTORY (without one: in a temporary directory), closed, opened
read-only and asked. A DIRECTORY that exists is only asked, so that one machine can read what another wrote.
Each line is the SHA-256 of the raw little-endian bytes of all columns of one answer, then the question.

The points are made of the raw words of PCG64, whose stream NumPy guarantees, by operations that IEEE 754
rounds correctly: so they are the same everywhere, without any table or mathematical library. Hashes of the
points come first, so that a difference in them is told from one in the answers.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

import numpy as np

import otrdb
from otrdb import Kind, Merge
from otrdb.model import Array, Int64Array, UInt64Array
from otrdb.results import ALL_COLUMNS

if TYPE_CHECKING:
    from otrdb.interface import Align, ReadsLike

Columns: TypeAlias = Iterable[Array]
Question: TypeAlias = tuple[str, Columns]

COLLECTION = "hashes"
SNAPSHOT = "before"
POINTS = 20_000
START = 1_700_000_000_000_000_000
LARGEST_FINITE = 0x7FE << 52
SCALES = np.ldexp(1.0, np.array([0, 500, -500, 1000]))
ALIGNMENTS: tuple[Align, ...] = ("outer", "inner", "long")
WIDTHS = (1, 3, 40, 333, 1000)


# --- points -------------------------------------------------------------------------------------------------


def regular(words: UInt64Array) -> Int64Array:
    """Every 10 ms, up to 1 ms late."""
    steps = np.arange(len(words), dtype=np.int64)
    late: Int64Array = (words % 1_000_000).astype(np.int64)
    return START + 10_000_000 * steps + late


def irregular(words: UInt64Array) -> Int64Array:
    """Gaps of 0 ns to a minute, short ones as frequent as long ones."""
    gaps: Int64Array = ((words >> np.uint64(28)) >> (words % 37)).astype(np.int64)
    return np.asarray(START + np.cumsum(gaps))


def few(words: UInt64Array) -> Int64Array:
    """Nearly all at one time."""
    return np.sort(START + (words % 50 == 0).astype(np.int64) * (words % 3).astype(np.int64))


def everywhere(words: UInt64Array) -> Int64Array:
    """From the least legal time to the greatest, 2^54 ns apart."""
    times = otrdb.MIN_TIME + (np.arange(256, dtype=np.int64) << 54)
    return np.append(times[: len(words) - 1], otrdb.MAX_TIME - 2)


def decimals(words: UInt64Array) -> Array:
    """-100 to 100, three decimals."""
    return ((words % 200_001).astype(np.int64) - 100_000) / 1000


def fractions(words: UInt64Array) -> Array:
    """A walk of full mantissas."""
    return np.cumsum((words % 3).astype(np.int64) - 1) + (words >> np.uint64(11)) * 2.0**-53


def offset(words: UInt64Array) -> Array:
    """A large mean and a small deviation."""
    return 1e9 + ((words % 3).astype(np.int64) - 1) * 1e-3


def any_float(words: UInt64Array) -> Array:
    """All finite floats, exponents evenly spread."""
    finite = (words & np.uint64(0x7FF << 52)) <= np.uint64(LARGEST_FINITE)
    return np.where(finite, words, words & ~np.uint64(1 << 62)).view(np.float64)


def denormals(words: UInt64Array) -> Array:
    """Zeros of both signs and the least magnitudes there are."""
    values = ((words % 7).astype(np.int64) - 3) * 5e-324
    return np.where(words % 5 == 0, -0.0, values)


def scales(words: UInt64Array) -> Array:
    """Runs of ordinary, huge and tiny values, which rows keep under different scales."""
    runs = np.arange(len(words)) // 700 % len(SCALES)
    return np.asarray(decimals(words) * SCALES[runs])


def any_int(words: UInt64Array) -> Array:
    """All of int64."""
    return words.view(np.int64)


def counter(words: UInt64Array) -> Array:
    """Grows by 0 to 9."""
    counted: Array = np.cumsum((words % 10).astype(np.int64))
    return counted


def switch(words: UInt64Array) -> Array:
    """Changes every hundred points or so."""
    changes: Array = np.cumsum((words % 100 == 0).astype(np.int64))
    return np.asarray(changes % 2 == 1)


class Plan(NamedTuple):
    """What a stream holds."""

    kind: Kind
    times: Callable[[UInt64Array], Int64Array]
    values: Callable[[UInt64Array], Array]


PLANS = {
    "sensor": Plan(Kind.FLOAT, regular, decimals),
    "walk": Plan(Kind.FLOAT, irregular, fractions),
    "offset": Plan(Kind.FLOAT, regular, offset),
    "any float": Plan(Kind.FLOAT, irregular, any_float),
    "denormals": Plan(Kind.FLOAT, irregular, denormals),
    "scales": Plan(Kind.FLOAT, regular, scales),
    "any int": Plan(Kind.INT, irregular, any_int),
    "counter": Plan(Kind.INT, regular, counter),
    "switch": Plan(Kind.BOOL, regular, switch),
    "pile": Plan(Kind.FLOAT, few, decimals),
    "int pile": Plan(Kind.INT, few, any_int),
    "sparse": Plan(Kind.INT, everywhere, any_int),
}


def drawn(name: str, points: int) -> UInt64Array:
    """Random words of the stream called `name`."""
    return np.random.PCG64(crc32(name.encode())).random_raw(points).astype(np.uint64)


def points_of(name: str, points: int) -> tuple[Int64Array, Array]:
    """The points of the stream called `name`, ascending."""
    plan = PLANS[name]
    times = plan.times(drawn(name, points))
    return times, plan.values(drawn(f"{name} values", len(times)))


# --- an archive ---------------------------------------------------------------------------------------------


def build(directory: Path, points: int) -> None:
    """Streams with late, duplicate, deleted and pending points, and a snapshot from before most of that."""
    with otrdb.open(directory, durability="off") as archive:
        streams = {
            name: archive.create(
                COLLECTION, kind=plan.kind, tags={"name": name}, uuid=uuid5(NAMESPACE_OID, name)
            )
            for name, plan in PLANS.items()
        }
        for name, stream in streams.items():
            insert_on_time(stream, *points_of(name, points))
        archive.snapshot(name=SNAPSHOT).close()
        for name, stream in streams.items():
            insert_late(stream, *points_of(name, points))


def insert_on_time(stream: otrdb.Stream, times: Int64Array, values: Array) -> None:
    """Three of every five points, in batches that double in size."""
    early = np.arange(len(times)) % 5 < 3
    start, size = 0, 1
    while start < early.sum():
        stream.insert(times[early][start : start + size], values[early][start : start + size])
        start, size = start + size, 2 * size


def insert_late(stream: otrdb.Stream, times: Int64Array, values: Array) -> None:
    """The others in random order, then points whose times are taken, two deletions, points left pending."""
    order = np.argsort(drawn("order", len(times)), kind="stable")
    late = order[order % 5 >= 3]
    for part in np.array_split(late, 4):
        stream.insert(times[part], values[part])
    for step, merge in enumerate((Merge.EQUAL, Merge.RETAIN, Merge.REPLACE, Merge.NEVER), 7):
        stream.insert(times[::step], values[::-1][::step], merge=merge)
    for first, last in ((len(times) // 9, len(times) // 8), (len(times) // 2, len(times) // 2 + 40)):
        if times[first] < times[last]:
            stream.delete(int(times[first]), int(times[last]))
    stream.insert(times[order[::31]], values[order[::31]], merge=Merge.REPLACE)


# --- questions ----------------------------------------------------------------------------------------------


def questions(archive: otrdb.Archive, points: int) -> Iterator[Question]:
    """Every question, with the columns of its answer."""
    for name in PLANS:
        yield f"points {name}", points_of(name, points)
    streams = {name: archive.stream(COLLECTION, name=name) for name in PLANS}
    with archive.open_snapshot(SNAPSHOT) as snapshot:
        for name, stream in streams.items():
            for state, reads in ((SNAPSHOT, snapshot.view(stream)), ("latest", stream)):
                for question, answer in questions_of(reads, drawn(f"{name} questions", 64)):
                    yield f"{state} {name} {question}", answer
    yield "joined", joined(archive, [streams["sensor"], streams["scales"]])


def questions_of(reads: ReadsLike, words: UInt64Array) -> Iterator[Question]:
    """The questions put to one state of one stream; `words` choose ranges and moments."""
    stored = reads.values()
    yield "values", (stored.times, stored.values)
    first, last = int(stored.times[0]), int(stored.times[-1])
    length = max(last - first, 8)
    moments = [first - 1 + int(word) % (length + 3) for word in words]
    ranges = [(low, min(low + length // 8, otrdb.MAX_TIME)) for low in moments[:8]]
    yield "ends and counts", ends_and_counts(reads, moments)
    yield "ranges", [column for low, high in ranges for column in reads.values(low, high).to_numpy()]
    for pointwidth in range(63):
        whole = reads.aligned_windows(otrdb.MIN_TIME, otrdb.MAX_TIME, pointwidth, columns=ALL_COLUMNS)
        part = reads.aligned_windows(*ranges[pointwidth % 8], pointwidth, columns=ALL_COLUMNS)
        yield f"aligned windows {pointwidth}", [*columns_of(whole), *columns_of(part)]
    for count in WIDTHS:
        width = max(length // count, 1)
        found = reads.windows(first, min(first + width * count, otrdb.MAX_TIME), width, columns=ALL_COLUMNS)
        yield f"windows {count}", columns_of(found)
        yield f"zoom {count}", columns_of(reads.zoom(points=count, columns=ALL_COLUMNS))
    for backward in (False, True):
        near = [reads.nearest(moment, backward) for moment in moments]
        yield f"nearest {'before' if backward else 'after'}", pairs(near)


def joined(archive: otrdb.Archive, streams: list[otrdb.Stream]) -> Columns:
    """Streams of one kind, joined on time in every way."""
    for align in ALIGNMENTS:
        for column in archive.values(streams, align=align).table_columns():
            yield column.values
            if column.valid is not None:
                yield column.valid


def ends_and_counts(reads: ReadsLike, moments: list[int]) -> Columns:
    """The first and the last point, and the number of points in the whole and in some ranges."""
    counts = [reads.count(low, low + 1 + 3 * (low - moments[0]) ** 2 % 2**40) for low in moments[:8]]
    return [np.array([reads.count(), *counts]), *pairs([reads.earliest(), reads.latest()])]


def pairs(points: list[otrdb.Point | None]) -> Columns:
    """Int64Array and values of those points that there are, and which."""
    there = [point for point in points if point is not None]
    yield np.array([point is not None for point in points])
    yield np.array([point.time for point in there], np.int64)
    yield np.array([point.value for point in there])


def columns_of(windows: otrdb.Windows) -> Columns:
    """All columns, `time` first."""
    return windows.to_numpy().values()


# --- hashes -------------------------------------------------------------------------------------------------


def digest(columns: Columns) -> str:
    """SHA-256 of columns: each its type, its length and its bytes; integers of any size as text."""
    total = hashlib.sha256()
    for column in columns:
        plain = np.array(",".join(map(str, column)).encode()) if column.dtype == object else column
        little = plain.astype(plain.dtype.newbyteorder("<"))
        total.update(f"{little.dtype.str} {little.shape} ".encode())
        total.update(little.tobytes())
    return total.hexdigest()


def lines(directory: Path, points: int) -> Iterator[str]:
    """One line per question, of the archive in `directory`, which is built if it does not exist."""
    if not directory.exists():
        build(directory, points)
    with otrdb.open(directory, mode="r") as archive:
        for question, columns in questions(archive, points):
            yield f"{digest(columns)}  {question}\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Print hashes of an archive's answers, one per question.")
    parser.add_argument("directory", nargs="?", type=Path, help="built there if it does not exist, and kept")
    parser.add_argument("--points", type=int, default=POINTS, help="points per stream (default %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.stdout.writelines(lines(chosen.directory or Path(temporary) / "hashes.otr", chosen.points))


if __name__ == "__main__":
    main()
