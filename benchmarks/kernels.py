"""What each kernel costs on this machine: `python -m benchmarks.kernels`."""

import timeit
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels

Int64s = NDArray[np.int64]
Row = tuple[str, int, Callable[[], object]]
SECOND = 1_000_000_000
POINTS = 1_000_000


def microseconds(call: Callable[[], object]) -> float:
    """Best of nine runs of about 20 ms each."""
    timer = timeit.Timer(call)
    loops, seconds = timer.autorange()
    loops = max(1, round(loops * 0.02 / seconds))
    return min(timer.repeat(9, loops)) / loops * 1e6


def series(integer: bool) -> tuple[Int64s, Int64s]:
    """100 Hz with jitter; values with a few decimals, or counts."""
    rng = np.random.default_rng(7)
    times = np.arange(POINTS) * (SECOND // 100) + rng.integers(-1_000_000, 1_000_000, POINTS)
    times.sort()
    values = rng.integers(-1000, 1000, POINTS) if integer else np.round(rng.normal(20, 5, POINTS), 3)
    return times - times[0], values.view(np.int64)


def output(room: int) -> tuple[Int64s, Int64s]:
    return np.zeros(room, np.int64), np.zeros((room, 8), np.int64)


def summaries() -> Iterator[Row]:
    slots, rows = output(POINTS)
    for integer, kind in ((False, "float"), (True, "int")):
        times, words = series(integer)
        for n, shift in ((1, 33), (10, 33), (100, 33), (1_000, 33), (16_384, 31), (POINTS, 33), (POINTS, 27)):
            call = partial(kernels.summarise, times[:n], words[:n], integer, 0, shift, slots, rows, 0)
            yield f"summarise {kind}, slots of 2^{shift} ns", n, call


def folds() -> Iterator[Row]:
    out_slots, out_rows = output(POINTS)
    for integer, kind in ((False, "float"), (True, "int")):
        times, words = series(integer)
        slots, rows = output(20_000)
        filled = kernels.summarise(times[:160_000], words[:160_000], integer, 0, 27, slots, rows, 0)
        for n, shift in ((1, 0), (16, 4), (256, 4), (1_000, 0), (8_000, 3), (filled, 62)):
            call = partial(kernels.fold, slots[:n], rows[:n], integer, 0, shift, out_slots, out_rows, 0)
            yield f"fold {kind}, by 2^{shift}", n, call
        for n in (1, 1_000):
            yield f"columns {kind}", n, partial(split, rows[:n], integer)


def split(rows: Int64s, integer: bool) -> None:
    """`columns` with its outputs made anew, as an answer needs them."""
    n = len(rows)
    low, high, first, last = np.empty((4, n), np.int64)
    mean, stddev = np.empty((2, n))
    kernels.columns(rows, integer, low, high, first, last, mean, stddev, np.empty(n, np.uint64))


def merges() -> Iterator[Row]:
    rng = np.random.default_rng(7)
    for na, nb in ((1, 1), (1_024, 16), (16_384, 64), (100_000, 100), (100_000, 10_000), (100_000, 100_000)):
        a, b = np.sort(rng.integers(0, 1 << 50, na)), np.sort(rng.integers(0, 1 << 50, nb))
        times, words = np.zeros((2, na + nb), np.int64)
        for policy, name in ((0, "never"), (3, "replace")):
            call = partial(kernels.merge_runs, a, a, b, b, policy, False, times, words)
            yield f"merge {na} + {nb}, {name}", na + nb, call


def checks() -> Iterator[Row]:
    times, words = series(False)
    for n in (1, 1_000, POINTS):
        yield "check_points", n, partial(kernels.check_points, times[:n], words[:n], True, 0, 1 << 62)
    yield "bisect", 16_384, partial(kernels.bisect, times[:16_384], 77 * SECOND)


def messages() -> Iterator[Row]:
    """Of points, as an insert by protobuf brings them and an answer takes them away."""
    times, words = series(False)
    values = words.view(np.float64)
    for n in (1, 10, 1_000, 100_000):
        columns = times[:n] + 1, values[:n]
        written = kernels.encode_points(b"", 3, columns)
        out = np.zeros(n, np.int64), np.zeros(n), np.zeros(len(written), np.uint8)
        yield "encode_points", n, partial(kernels.encode_points, b"", 3, columns)
        yield "decode_points", n, partial(kernels.decode_points, written, 3, *out)


def main() -> None:
    print(f"{'kernel':44}{'items':>10}{'us/call':>12}{'ns/item':>10}")
    for rows in (summaries(), folds(), merges(), checks(), messages()):
        for name, items, call in rows:
            cost = microseconds(call)
            print(f"{name:44}{items:10,}{cost:12.2f}{cost * 1000 / items:10.2f}")


if __name__ == "__main__":
    main()
