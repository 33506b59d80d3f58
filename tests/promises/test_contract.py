"""BTrDB's behaviour, example by example, for every archiver.

Where BTrDB's open server has a bug, or its closed one is silent, the tests hold what this project chose.
"""

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from otrdb.errors import (
    AmbiguousStream,
    BadValue,
    ClosedArchive,
    InvalidArgument,
    InvalidCollection,
    InvalidPointWidth,
    InvalidTagKey,
    InvalidTagValue,
    InvalidTimeRange,
    InvalidVersions,
    MismatchedColumns,
    NoSuchSnapshot,
    NoSuchStream,
    OtrError,
    PropertyVersionMismatch,
    RecycledUuid,
    StreamExists,
    TimeOutOfRange,
    VersionNotAvailable,
    WrongKind,
)
from otrdb.interface import ArchiveLike, ReadsLike, StreamLike
from otrdb.joined import Wide
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME, Merge
from otrdb.results import ALL_COLUMNS, Change, Inserted, Point, Windows
from tests.promises.conftest import Reopened

T0 = 1_500_000_000_000_000_000
TENTH = 100_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
POLICIES: list[Any] = [policy.value for policy in Merge]


@pytest.fixture
def stream(archive: ArchiveLike) -> StreamLike:
    return archive.create("plant/line1", tags={"name": "heat", "unit": "C"})


@pytest.fixture
def ten(stream: StreamLike) -> StreamLike:
    """The documentation's example: values 1 to 10 at T0 and every 100 ms after."""
    stream.insert([T0 + k * TENTH for k in range(10)], [float(k + 1) for k in range(10)])
    return stream


def pairs(reads: ReadsLike, start: int = MIN_TIME, end: int = MAX_TIME) -> list[tuple[int, Any]]:
    return [(time, value) for time, value in reads.values(start, end)]


def table(windows: Windows) -> list[tuple[Any, ...]]:
    """One tuple per window: time, min, mean, max, count, deviation to three places."""
    columns = windows.to_numpy()
    shown = [columns[name].tolist() for name in ("time", "min", "mean", "max", "count")]
    return list(zip(*shown, columns["stddev"].round(3).tolist(), strict=True))


def bits(windows: Windows) -> dict[str, Any]:
    """All columns as bytes (Python integers as they are)."""
    columns = windows.to_numpy().items()
    return {name: list(c) if c.dtype == object else (c.dtype, c.tobytes()) for name, c in columns}


# Points (contract 2.1)


def test_any_finite_value_is_kept_bit_by_bit(stream: StreamLike) -> None:
    values = np.array([0.0, -0.0, 5e-324, -2.2e-308, 1.7976931348623157e308, 0.1])
    stream.insert(np.arange(6), values)
    assert stream.values().values.tobytes() == values.tobytes()
    stream.flush()
    assert stream.values().values.tobytes() == values.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_value_refuses_the_batch(ten: StreamLike, bad: float) -> None:
    before = ten.version
    with pytest.raises(BadValue, match="Value 1 "):
        ten.insert([1, 2, 3], [0.5, bad, 0.5])
    assert (ten.count(), ten.version) == (10, before)


@pytest.mark.parametrize("time", [MIN_TIME - 1, LAST_TIME + 1, MAX_TIME])
def test_one_illegal_time_refuses_the_batch(ten: StreamLike, time: int) -> None:
    before = ten.version
    with pytest.raises(TimeOutOfRange, match="Point 1 "):
        ten.insert([1, time, 3], [0.5, 0.5, 0.5])
    assert (ten.count(), ten.version) == (10, before)


def test_the_first_and_last_legal_times(stream: StreamLike) -> None:
    stream.insert([LAST_TIME, MIN_TIME], [2.0, 1.0])
    assert pairs(stream) == [(MIN_TIME, 1.0), (LAST_TIME, 2.0)]
    assert stream.latest() == (LAST_TIME, 2.0)
    assert stream.aligned_windows(MIN_TIME, MAX_TIME, 62).count.tolist() == [2]


def test_an_empty_insert_does_nothing(stream: StreamLike) -> None:
    assert stream.insert([], []).version == 10
    assert stream.version == 10
    stream.insert([1], [1.0])
    assert stream.flush() == 11
    assert stream.insert([], [])[:2] == (11, 0)


def test_an_unsorted_batch_is_sorted(stream: StreamLike) -> None:
    stream.insert([3, 1, 2], [3.0, 1.0, 2.0])
    assert pairs(stream) == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_equal_times_keep_their_order_of_arrival(stream: StreamLike) -> None:
    stream.insert([5, 4, 5, 5], [1.0, 0.0, 2.0, 3.0])
    stream.flush()
    stream.insert([6, 5, 5], [9.0, 4.0, 5.0])
    for _ in range(2):
        assert pairs(stream) == [(4, 0.0), (5, 1.0), (5, 2.0), (5, 3.0), (5, 4.0), (5, 5.0), (6, 9.0)]
        stream.flush()


@pytest.mark.parametrize("number", [1_025, 3_000, 40_000])
def test_no_point_of_one_time_is_dropped(stream: StreamLike, number: int) -> None:
    stream.insert([T0 - 1, *[T0] * number, T0 + 1], np.arange(float(number + 2)))
    stream.flush()
    stream.insert([T0] * 3, [-1.0, -2.0, -3.0])
    stream.flush()
    assert stream.count(T0, T0 + 1) == number + 3
    assert stream.values().values.tolist()[1:-1] == [*np.arange(1.0, number + 1), -1.0, -2.0, -3.0]
    window = stream.aligned_windows(T0, T0 + 1, 0, columns=ALL_COLUMNS)
    assert (window.time[0], window["first"][0], window["last"][0]) == (T0, 1.0, -3.0)


# Merge policies (2.2)

REPEATED = [100, 105, 110, 110, 120], [0.0, 1.0, 2.0, 3.0, 4.0]
KEPT = {
    "never": [(100, 0.0), (105, 1.0), (110, 2.0), (110, 3.0), (120, 4.0)],
    "equal": [(100, 0.0), (105, 1.0), (110, 2.0), (110, 3.0), (120, 4.0)],
    "retain": [(100, 0.0), (105, 1.0), (110, 2.0), (120, 4.0)],
    "replace": [(100, 0.0), (105, 1.0), (110, 3.0), (120, 4.0)],
}


@pytest.mark.parametrize("merge", POLICIES)
def test_a_policy_holds_inside_a_batch(stream: StreamLike, merge: Any) -> None:
    stream.insert(*REPEATED, merge=merge)
    assert pairs(stream) == KEPT[merge]
    stream.flush()
    assert pairs(stream) == KEPT[merge]


MERGED = {
    "never": [(1, 1.0), (2, 2.0), (2, 3.0), (2, 2.0), (2, 4.0), (3, 9.0), (3, 9.0)],
    "equal": [(1, 1.0), (2, 2.0), (2, 3.0), (2, 4.0), (3, 9.0)],
    "retain": [(1, 1.0), (2, 2.0), (2, 3.0), (3, 9.0)],
    "replace": [(1, 1.0), (2, 4.0), (3, 9.0)],
}


@pytest.mark.parametrize("flushed", [True, False])
@pytest.mark.parametrize("merge", POLICIES)
def test_a_policy_holds_against_stored_and_pending_points(
    stream: StreamLike, merge: Any, flushed: bool
) -> None:
    stream.insert([1, 2, 2], [1.0, 2.0, 3.0])
    if flushed:
        stream.flush()
    stream.insert([3, 2, 3, 2], [9.0, 2.0, 9.0, 4.0], merge=merge)
    assert pairs(stream) == MERGED[merge]
    stream.flush()
    assert pairs(stream) == MERGED[merge]


def test_policies_act_in_order_of_arrival(stream: StreamLike) -> None:
    stream.insert([1], [1.0])
    stream.insert([1], [2.0], merge="replace")
    stream.insert([1], [3.0])
    stream.insert([1], [4.0], merge="retain")
    stream.insert([1], [2.0], merge="equal")
    assert pairs(stream) == [(1, 2.0), (1, 3.0)]


def test_equal_zeros_are_equal(stream: StreamLike) -> None:
    stream.insert([1], [0.0])
    stream.insert([1], [-0.0], merge="equal")
    assert stream.values().values.tobytes() == np.array([0.0]).tobytes()


def test_stored_duplicates_of_other_times_stay(stream: StreamLike) -> None:
    stream.insert([1, 1, 2], [1.0, 1.0, 2.0])
    for merge in POLICIES:
        stream.insert([2], [2.0], merge=merge)
    assert pairs(stream, 1, 2) == [(1, 1.0), (1, 1.0)]


def test_an_unknown_policy_is_refused(stream: StreamLike) -> None:
    wrong: Any = "overwrite"
    with pytest.raises(InvalidArgument, match="replace"):
        stream.insert([1], [1.0], merge=wrong)
    assert stream.count() == 0


# Versions (2.3)


def test_versions_count_from_ten(stream: StreamLike) -> None:
    assert stream.version == 10
    assert stream.insert([1, 2], [1.0, 2.0]) == Inserted(10, 2, True)
    assert stream.insert([3], [3.0]) == Inserted(10, 3, True)
    assert stream.flush() == 11
    assert stream.flush() == 11
    stream.insert([4], [4.0])
    assert stream.flush() == 12


def test_a_created_stream_is_empty(stream: StreamLike) -> None:
    assert (stream.count(), stream.earliest(), stream.latest(), stream.version) == (0, None, None, 10)
    assert len(stream.values()) == len(stream.aligned_windows(0, SECOND, 20)) == len(stream.zoom()) == 0


def test_pending_points_are_read_at_once(ten: StreamLike) -> None:
    assert ten.count() == 10
    assert len(ten.values()) == 10
    assert ten.aligned_windows(T0, T0 + SECOND, 62 - 1).count.sum() == 0
    assert ten.windows(T0, T0 + SECOND, SECOND).count.tolist() == [10]
    assert ten.nearest(T0 + 1) == (T0 + TENTH, 2.0)


def test_the_version_holds_all_acknowledged_points(ten: StreamLike) -> None:
    version = ten.version
    assert ten.at(version).count() == 10
    ten.insert([1], [1.0])
    assert ten.at(version).count() == 10
    assert ten.version == version + 1
    assert ten.at(0).count() == ten.at(version + 1).count() == 11


def test_a_fixed_version_never_changes(ten: StreamLike) -> None:
    view = ten.at(ten.version)
    before = bits(view.aligned_windows(T0, T0 + SECOND, 26, columns=ALL_COLUMNS)), pairs(view)
    ten.insert([T0 + 5], [100.0])
    ten.delete(T0, T0 + SECOND)
    ten.insert([T0 + 5], [200.0])
    ten.flush()
    assert (bits(view.aligned_windows(T0, T0 + SECOND, 26, columns=ALL_COLUMNS)), pairs(view)) == before
    again = ten.at(view.version)
    assert (again.stream, again.version, again.kind) == (ten, view.version, ten.kind)
    assert pairs(again) == before[1]


@pytest.mark.parametrize("version", [1, 9, 10])
def test_the_first_versions_are_empty(ten: StreamLike, version: int) -> None:
    ten.flush()
    view = ten.at(version)
    assert (view.version, view.count(), view.values().version) == (version, 0, version)
    assert view.nearest(T0) is None


def test_a_version_still_to_come_is_not_available(ten: StreamLike) -> None:
    version = ten.version
    for call in (ten.at, lambda version: ten.changes(10, version)):
        with pytest.raises(VersionNotAvailable):
            call(version + 1)


@pytest.mark.parametrize("version", [-1, 1.5, "11", True])
def test_what_is_no_version_is_refused(ten: StreamLike, version: Any) -> None:
    with pytest.raises(InvalidVersions):
        ten.at(version)


def test_answers_carry_their_version(ten: StreamLike) -> None:
    version = ten.flush()
    assert ten.values().version == ten.windows(T0, T0 + SECOND, "1s").version == version
    assert ten.aligned_windows(T0, T0 + SECOND, 20).version == version


def test_a_flush_changes_no_answer(stream: StreamLike) -> None:
    random = np.random.default_rng(7)
    stream.insert(T0 + random.integers(0, 10**7, 3_000), random.normal(20, 3, 3_000))
    stream.flush()
    stream.insert(T0 + random.integers(0, 10**7, 2_000), random.normal(20, 3, 2_000))

    def answers() -> list[Any]:
        aligned = [bits(stream.aligned_windows(T0, T0 + 10**7, width)) for width in (8, 14, 23)]
        return [*aligned, bits(stream.windows(T0, T0 + 10**7, 12_345)), pairs(stream)]

    before = answers()
    stream.flush()
    assert answers() == before


def test_as_of_a_time(stream: StreamLike) -> None:
    assert stream.as_of(T0).version == 10
    stream.insert([1], [1.0])
    now = stream.as_of(LAST_TIME)
    assert (now.version, now.count()) == (11, 1)
    assert stream.as_of(0).count() == 0


# Raw values (2.4)


def test_ranges_are_half_open(ten: StreamLike) -> None:
    assert pairs(ten, T0, T0 + 2 * TENTH) == [(T0, 1.0), (T0 + TENTH, 2.0)]
    assert ten.count(T0 + 1, T0 + TENTH) == 0
    assert ten.count(T0 + TENTH, T0 + TENTH + 1) == 1


RANGE_CALLS: dict[str, Callable[[StreamLike, int, int], Any]] = {
    "values": lambda stream, start, end: stream.values(start, end),
    "count": lambda stream, start, end: stream.count(start, end),
    "aligned_windows": lambda stream, start, end: stream.aligned_windows(start, end, 20),
    "windows": lambda stream, start, end: stream.windows(start, end, SECOND),
    "zoom": lambda stream, start, end: stream.zoom(start, end),
    "delete": lambda stream, start, end: stream.delete(start, end),
}


@pytest.mark.parametrize("call", list(RANGE_CALLS))
@pytest.mark.parametrize("bounds", [(5, 5), (6, 5), (MIN_TIME - 1, 0), (0, MAX_TIME + 1)])
def test_a_bad_range_is_refused(ten: StreamLike, call: str, bounds: tuple[int, int]) -> None:
    with pytest.raises(InvalidTimeRange):
        RANGE_CALLS[call](ten, *bounds)


@pytest.mark.parametrize("call", [name for name in RANGE_CALLS if name != "windows"])
def test_the_whole_of_time_is_a_range(ten: StreamLike, call: str) -> None:
    RANGE_CALLS[call](ten, MIN_TIME, MAX_TIME)


# Aligned windows (2.5)


def test_aligned_windows_example(ten: StreamLike) -> None:
    expected = [
        (1_499_999_999_814_008_832, 1.0, 1.0, 1.0, 1, 0.0),
        (1_500_000_000_082_444_288, 2.0, 3.0, 4.0, 3, 0.816),
        (1_500_000_000_350_879_744, 5.0, 6.0, 7.0, 3, 0.816),
        (1_500_000_000_619_315_200, 8.0, 8.5, 9.0, 2, 0.5),
    ]
    assert table(ten.aligned_windows(T0, T0 + SECOND, 28)) == expected
    ten.flush()
    windows = ten.aligned_windows(T0, T0 + SECOND, 28)
    assert table(windows) == expected
    assert windows.stddev[1] == pytest.approx(0.816496580927726, abs=1e-15)
    assert (windows.width, list(windows.columns)) == (1 << 28, ["min", "mean", "max", "count", "stddev"])


def test_the_window_of_start_counts_whole_and_that_of_end_not(stream: StreamLike) -> None:
    stream.insert([0, 15, 16, 31, 32], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert table(stream.aligned_windows(15, 31, 4)) == [(0, 1.0, 1.5, 2.0, 2, 0.5)]
    assert stream.aligned_windows(15, 32, 4).time.tolist() == [0, 16]
    assert stream.aligned_windows(31, 33, 4).time.tolist() == [16]


def test_windows_without_points_are_left_out(stream: StreamLike) -> None:
    stream.insert([17, 130, 131], [1.0, 2.0, 3.0])
    assert stream.aligned_windows(0, 256, 4).time.tolist() == [16, 128]
    assert len(stream.aligned_windows(32, 128, 4)) == 0


def test_a_range_without_a_whole_window_is_empty(ten: StreamLike) -> None:
    assert len(ten.aligned_windows(T0, T0 + 1, 40)) == 0
    assert len(ten.windows(T0, T0 + 5, 6)) == 0


def test_the_narrowest_window(ten: StreamLike) -> None:
    assert table(ten.aligned_windows(T0, T0 + 1, 0)) == [(T0, 1.0, 1.0, 1.0, 1, 0.0)]


def test_the_widest_windows_are_aligned_to_the_beginning(ten: StreamLike) -> None:
    ten.insert([-5], [0.0])
    assert ten.aligned_windows(MIN_TIME, MAX_TIME, 60).time.tolist() == [MIN_TIME, 1 << 60]
    assert ten.aligned_windows(MIN_TIME, MAX_TIME, 61).time.tolist() == [MIN_TIME, 1 << 60]
    assert table(ten.aligned_windows(MIN_TIME, MAX_TIME, 62))[0][0::4] == (MIN_TIME, 11)
    assert len(ten.aligned_windows(MIN_TIME, MAX_TIME - 1, 62)) == 0


@pytest.mark.parametrize("pointwidth", [-1, 63, 64, 1.0, None])
def test_a_pointwidth_is_0_to_62(ten: StreamLike, pointwidth: Any) -> None:
    with pytest.raises(InvalidPointWidth):
        ten.aligned_windows(T0, T0 + SECOND, pointwidth)


@pytest.mark.parametrize("pointwidth", range(0, 63, 3))
def test_windows_partition_the_points(stream: StreamLike, pointwidth: int) -> None:
    random = np.random.default_rng(pointwidth)
    times = np.concatenate([random.integers(0, 1000, 500), random.integers(MIN_TIME, LAST_TIME, 500)])
    stream.insert(times, np.ones(1000))
    windows = stream.aligned_windows(MIN_TIME, MAX_TIME, pointwidth)
    starts, counts = np.unique((times - MIN_TIME) >> pointwidth, return_counts=True)
    assert ((windows.time - MIN_TIME) >> pointwidth).tolist() == starts.tolist()
    assert windows.count.tolist() == counts.tolist()


# Windows (2.6)


def test_windows_example(ten: StreamLike) -> None:
    windows = ten.windows(T0, T0 + SECOND, "300ms")
    assert table(windows) == [
        (T0, 1.0, 2.0, 3.0, 3, 0.816),
        (T0 + 3 * TENTH, 4.0, 5.0, 6.0, 3, 0.816),
        (T0 + 6 * TENTH, 7.0, 8.0, 9.0, 3, 0.816),
    ]
    assert windows.width == 300_000_000


def test_windows_of_five_minutes(stream: StreamLike) -> None:
    values = np.random.default_rng(5).normal(size=100)
    stream.insert(T0 + np.arange(100) * MINUTE, values)
    windows = stream.windows(T0, T0 + 100 * MINUTE + 1, 5 * MINUTE)
    groups = values.reshape(20, 5)
    assert windows.time.tolist() == [T0 + k * 5 * MINUTE for k in range(20)]
    assert windows.count.tolist() == [5] * 20
    for name, expected in (
        ("min", groups.min(1)),
        ("max", groups.max(1)),
        ("mean", groups.mean(1)),
        ("stddev", groups.std(1)),
    ):
        assert windows[name] == pytest.approx(expected, abs=1e-12)


def test_empty_windows_are_reported_as_zeros(stream: StreamLike) -> None:
    stream.insert([1, 2, 3], [1.0, 2.0, 3.0])
    windows = stream.windows(0, 10, 1, columns=ALL_COLUMNS)
    assert windows.time.tolist() == list(range(10))
    assert windows.count.tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    for name in ALL_COLUMNS:
        assert not any(windows[name][[0, *range(4, 10)]])


def test_an_empty_stream_has_windows_too(stream: StreamLike) -> None:
    assert stream.windows(0, 10, 3).count.tolist() == [0, 0, 0]


def test_all_points_in_one_window(ten: StreamLike) -> None:
    ten.insert([LAST_TIME], [0.0])
    assert ten.windows(MIN_TIME, MAX_TIME, 1 << 62).count.tolist() == [11]
    assert ten.windows(MIN_TIME, MAX_TIME - 1, (1 << 62) - 1).count.tolist() == [11]
    assert len(ten.windows(MIN_TIME, MAX_TIME, 1 << 63)) == 0


@pytest.mark.parametrize("width", [0, -1, (1 << 63) + 1, "0s"])
def test_a_width_is_at_least_a_nanosecond(ten: StreamLike, width: Any) -> None:
    with pytest.raises(InvalidPointWidth):
        ten.windows(T0, T0 + SECOND, width)


def test_columns_can_be_chosen(ten: StreamLike) -> None:
    windows = ten.windows(T0, T0 + SECOND, "500ms", columns=["first", "last", "sum"])
    assert list(windows.to_numpy()) == ["time", "first", "last", "sum"]
    assert (windows["first"].tolist(), windows["last"].tolist()) == ([1.0, 6.0], [5.0, 10.0])
    assert windows["sum"].tolist() == [15.0, 40.0]
    for reads in (ten.windows, ten.aligned_windows):
        with pytest.raises(InvalidArgument):
            reads(T0, T0 + SECOND, 20, columns=["median"])


# Nearest (2.7)


def test_forward_includes_the_time_and_backward_does_not(ten: StreamLike) -> None:
    for _ in range(2):
        assert ten.nearest(T0) == Point(T0, 1.0)
        assert ten.nearest(T0 + 1) == (T0 + TENTH, 2.0)
        assert ten.nearest(T0 + TENTH, backward=True) == (T0, 1.0)
        assert ten.nearest(T0, backward=True) is None
        assert ten.nearest(T0 + SECOND) is None
        ten.flush()


def test_nearest_among_equal_times(stream: StreamLike) -> None:
    stream.insert([5, 5, 5], [1.0, 2.0, 3.0])
    assert stream.nearest(5) == (5, 1.0)
    assert stream.nearest(6, backward=True) == (5, 3.0)


def test_the_ends_of_a_stream(ten: StreamLike) -> None:
    ten.insert([MIN_TIME, LAST_TIME], [-1.0, 99.0])
    assert ten.earliest() == ten.nearest(MIN_TIME) == (MIN_TIME, -1.0)
    assert ten.latest() == ten.nearest(MAX_TIME - 1, backward=True) == (LAST_TIME, 99.0)
    assert ten.nearest(T0, backward=True) == (MIN_TIME, -1.0)


def test_nearest_across_gaps_of_every_size(stream: StreamLike) -> None:
    times = sorted({MIN_TIME, LAST_TIME, *(1 << shift for shift in range(0, 61, 4)), -(1 << 40)})
    stream.insert(times, np.arange(float(len(times))))
    stream.flush()
    for before, after in pairwise(times):
        for time in {before + 1, after, (before + after) // 2 + 1}:
            assert stream.nearest(time) == (after, float(times.index(after)))
            assert stream.nearest(time, backward=True) == (before, float(times.index(before)))


@pytest.mark.parametrize("time", [MIN_TIME - 1, MAX_TIME])
def test_nearest_of_an_illegal_time(ten: StreamLike, time: int) -> None:
    with pytest.raises(TimeOutOfRange):
        ten.nearest(time)


# Changes (2.8)


def covered(changes: list[Change], time: int) -> bool:
    return any(start <= time < end for start, end in changes)


def test_changes_cover_inserts_and_deletes(ten: StreamLike) -> None:
    first = ten.flush()
    ten.insert([T0 + 5], [0.0])
    second = ten.flush()
    third = ten.delete(T0 + 9 * TENTH, T0 + SECOND)
    assert covered(ten.changes(first, second), T0 + 5)
    assert covered(ten.changes(second, third), T0 + 9 * TENTH)
    assert covered(ten.changes(first, third), T0 + 5)
    assert covered(ten.changes(first), T0 + 9 * TENTH)
    for old in (0, 1, 10):
        assert all(covered(ten.changes(old), T0 + k * TENTH) for k in range(9))


def test_changes_cover_a_place_deleted_and_written_again(ten: StreamLike) -> None:
    first = ten.flush()
    ten.delete(T0, T0 + SECOND)
    ten.insert([T0 + TENTH], [77.0])
    last = ten.flush()
    assert all(covered(ten.changes(first, last), T0 + k * TENTH) for k in range(10))


def test_changes_cover_a_value_that_was_replaced(ten: StreamLike) -> None:
    first = ten.flush()
    ten.insert([T0 + TENTH], [-2.0], merge="replace")
    assert covered(ten.changes(first), T0 + TENTH)
    assert covered(ten.changes(first, ten.flush()), T0 + TENTH)


def test_nothing_changes_between_a_version_and_itself(ten: StreamLike) -> None:
    version = ten.flush()
    assert ten.changes(version, version) == []
    assert ten.changes(version) == []
    assert ten.changes(version, resolution=63) == []


def test_changes_cover_pending_points(ten: StreamLike) -> None:
    version = ten.flush()
    ten.insert([T0 - SECOND], [0.0])
    assert covered(ten.changes(version), T0 - SECOND)
    assert ten.at(version).count() == 10


@pytest.mark.parametrize("resolution", [0, 1, 20, 40, 57, 60, 61, 62, 63])
def test_changes_are_ascending_apart_and_aligned(stream: StreamLike, resolution: int) -> None:
    times = np.random.default_rng(1).integers(MIN_TIME, LAST_TIME, 50)
    stream.insert(times, np.ones(50))
    changes = stream.changes(10, resolution=resolution)
    assert all(covered(changes, time) for time in times.tolist())
    assert all(MIN_TIME <= start < end <= MAX_TIME for start, end in changes)
    assert all(one.end < other.start for one, other in pairwise(changes))
    step = 1 << min(resolution, 62)
    assert all((start - MIN_TIME) % step == 0 == (end - MIN_TIME) % step for start, end in changes)


def test_bad_changes_are_refused(ten: StreamLike) -> None:
    version = ten.flush()
    for old, new in ((version, version - 1), (version + 1, 0), (-1, 0), (0, -1)):
        with pytest.raises(InvalidVersions):
            ten.changes(old, new)
    for resolution in (-1, 64):
        with pytest.raises(InvalidPointWidth):
            ten.changes(10, 0, resolution)


# Delete (2.9)


def test_a_delete_removes_its_range_in_a_version_of_its_own(ten: StreamLike) -> None:
    before = ten.flush()
    assert ten.delete(T0 + TENTH, T0 + 9 * TENTH) == before + 1
    assert pairs(ten) == [(T0, 1.0), (T0 + 9 * TENTH, 10.0)]
    assert ten.at(before).count() == 10
    assert ten.at(before + 1).count() == 2


def test_a_delete_always_makes_a_version(stream: StreamLike) -> None:
    assert stream.delete(0, 10) == 11
    assert stream.delete(0, 10) == 12
    stream.insert([20], [1.0])
    assert stream.delete(0, 10) == 14
    assert (stream.at(13).count(), stream.version, stream.count()) == (1, 14, 1)


def test_versions_are_right_after_a_delete(opened: Reopened) -> None:
    stream = opened.db.create("plant")
    stream.insert([1, 2], [1.0, 2.0])
    deleted = stream.delete(1, 2)
    assert (deleted, stream.version, stream.flush()) == (12, 12, 12)
    assert stream.insert([3], [3.0]) == Inserted(12, 1, True)
    again = opened.reopen().stream(stream.uuid)
    assert pairs(again) == [(2, 2.0), (3, 3.0)]
    assert again.version == 13


def test_deleting_everything_leaves_an_empty_stream(ten: StreamLike) -> None:
    ten.delete(MIN_TIME, MAX_TIME)
    assert (ten.count(), ten.earliest(), len(ten.values())) == (0, None, 0)
    ten.insert([T0], [5.0])
    assert pairs(ten) == [(T0, 5.0)]
    ten.flush()
    assert ten.windows(T0, T0 + 1, 1).mean.tolist() == [5.0]


# Obliterate (2.10)


def test_an_obliterated_stream_is_gone(opened: Reopened) -> None:
    archive = opened.db
    stream = archive.create("plant/old", tags={"name": "a"})
    stream.insert([1], [1.0])
    stream.obliterate()
    calls: list[Callable[[], Any]] = [
        stream.values,
        stream.flush,
        stream.earliest,
        stream.obliterate,
        lambda: stream.version,
        lambda: stream.tags,
        lambda: stream.insert([2], [2.0]),
        lambda: stream.insert([], []),
        lambda: stream.delete(0, 1),
        lambda: stream.update(tags={"name": "b"}),
        lambda: stream.at(10),
        lambda: archive.stream(stream.uuid),
        lambda: archive.insert({stream: ([1], [1.0])}),
    ]
    for call in calls:
        with pytest.raises(NoSuchStream):
            call()
    assert (archive.streams(), archive.collections()) == ([], [])
    with pytest.raises(RecycledUuid):
        opened.reopen().create("elsewhere", uuid=stream.uuid)
    assert opened.db.create("plant/old", tags={"name": "a"}).count() == 0


# Metadata (3)


@pytest.mark.parametrize(
    ("error", "collection", "tags", "annotations"),
    [
        (InvalidCollection, "", {}, {}),
        (InvalidCollection, "a" * 256, {}, {}),
        (InvalidCollection, "a\0b", {}, {}),
        (InvalidTagKey, "plant", {"Name": "x"}, {}),
        (InvalidTagKey, "plant", {"a" * 64: "x"}, {}),
        (InvalidTagValue, "plant", {"name": "x" * 256}, {}),
        (InvalidTagValue, "plant", {"name": "\0"}, {}),
        (InvalidTagKey, "plant", {}, {"": "x"}),
        (InvalidTagValue, "plant", {}, {"note": "x" * 256}),
    ],
)
def test_bad_names_are_refused(
    archive: ArchiveLike,
    error: type[OtrError],
    collection: str,
    tags: dict[str, str],
    annotations: dict[str, str],
) -> None:
    with pytest.raises(error):
        archive.create(collection, tags=tags, annotations=annotations)
    assert archive.streams() == []


def test_a_created_stream_has_what_it_was_given(archive: ArchiveLike) -> None:
    tags, annotations = {"name": "", "unit": "C"}, {"note": "", "Serial No.": "7"}
    stream = archive.create("Anlæg [1]-x/", tags=tags, annotations=annotations, uuid=UUID(int=5))
    assert (stream.uuid, stream.collection, stream.property_version) == (UUID(int=5), "Anlæg [1]-x/", 1)
    assert (stream.tags, stream.annotations, stream.name, stream.unit) == (tags, annotations, "", "C")
    assert archive.stream(UUID(int=5)) == stream
    assert {archive.stream(UUID(int=5)): 1}[stream] == 1


def test_a_taken_identity_is_refused(archive: ArchiveLike, stream: StreamLike) -> None:
    with pytest.raises(StreamExists):
        archive.create("elsewhere", uuid=stream.uuid)
    with pytest.raises(StreamExists):
        archive.create(stream.collection, tags=stream.tags, uuid=stream.uuid)
    with pytest.raises(AmbiguousStream):
        archive.create(stream.collection, tags=stream.tags)
    archive.create(stream.collection, tags={"name": "heat"})
    archive.create("elsewhere", tags=stream.tags)


def test_an_unknown_kind_is_refused(archive: ArchiveLike) -> None:
    wrong: Any = "text"
    with pytest.raises(InvalidArgument):
        archive.create("plant", kind=wrong)


def test_updates_count_and_outlive_a_reopening(opened: Reopened) -> None:
    stream = opened.db.create("plant", tags={"name": "a", "unit": "C"}, annotations={"x": "1", "y": "2"})
    assert stream.update(annotations={"x": "3", "y": None}) == 2
    assert stream.update(tags={"name": "b"}, collection="lab", expected=2) == 3
    assert stream.update(remove_tags=["unit", "nosuch"], remove_annotations=["nosuch"]) == 4
    stream.insert([1], [1.0])
    again = opened.reopen().stream("lab", name="b")
    assert (again.tags, again.annotations, again.property_version) == ({"name": "b"}, {"x": "3"}, 4)
    assert again.count() == 1


def test_a_refused_update_leaves_nothing_behind(archive: ArchiveLike, stream: StreamLike) -> None:
    archive.create("lab", tags=stream.tags)
    for error, change in (
        (PropertyVersionMismatch, {"annotations": {"x": "1"}, "expected": 2}),
        (AmbiguousStream, {"collection": "lab", "annotations": {"x": "1"}}),
        (InvalidTagKey, {"tags": {"Bad": "1"}, "annotations": {"x": "1"}}),
        (InvalidCollection, {"collection": "\0", "annotations": {"x": "1"}}),
    ):
        arguments: Any = change
        with pytest.raises(error):
            stream.update(**arguments)
    assert (stream.collection, stream.annotations, stream.property_version) == ("plant/line1", {}, 1)


def test_of_two_updates_with_one_expectation_one_wins(archive: ArchiveLike, stream: StreamLike) -> None:
    outcomes: list[str] = []

    def change(value: str) -> None:
        try:
            stream.update(annotations={"by": value}, expected=1)
            outcomes.append("won")
        except PropertyVersionMismatch:
            outcomes.append("lost")

    threads = [threading.Thread(target=change, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(outcomes), stream.property_version) == (["lost"] * 7 + ["won"], 2)


def test_data_does_not_touch_the_property_version(ten: StreamLike) -> None:
    ten.delete(T0, T0 + 1)
    assert ten.property_version == 1


@pytest.fixture
def several(archive: ArchiveLike) -> dict[str, StreamLike]:
    def create(collection: str, name: str, unit: str, **annotations: str) -> StreamLike:
        return archive.create(collection, tags={"name": name, "unit": unit}, annotations=annotations)

    return {
        "b": create("plant", "b", "C", site="north"),
        "a": create("plant", "a", "V", site="south", note=""),
        "deep": create("plant/line", "a", "C"),
        "other": create("plantation", "a", "C"),
    }


def test_lookups(archive: ArchiveLike, several: dict[str, StreamLike]) -> None:
    def found(*prefix: str, **arguments: Any) -> list[str]:
        names = {stream: name for name, stream in several.items()}
        return [names[stream] for stream in archive.streams(*prefix, **arguments)]

    assert found() == found("plant") == ["a", "b", "deep", "other"]
    assert found("plant/") == ["deep"]
    assert found(collection="plant") == ["a", "b"]
    assert found(tags={"unit": "C"}) == ["b", "deep", "other"]
    assert found(tags={"unit": "c"}) == []
    assert found("plant", tags={"name": "a", "unit": None}, annotations={"site": "south"}) == ["a"]
    assert found(annotations={"note": None}) == found(annotations={"note": ""}) == ["a"]
    assert found(annotations={"nosuch": None}) == []


def test_one_stream(archive: ArchiveLike, several: dict[str, StreamLike]) -> None:
    assert archive.stream("plant", name="b") == several["b"]
    assert archive.stream("plant", unit="V") == several["a"]
    assert archive.stream("plant/line") == several["deep"]
    assert archive.stream(str(several["deep"].uuid)) == several["deep"]
    with pytest.raises(AmbiguousStream):
        archive.stream("plant")
    for missing in ("plan", UUID(int=1)):
        with pytest.raises(NoSuchStream):
            archive.stream(missing)
    with pytest.raises(NoSuchStream):
        archive.stream("plant", name="c")


def test_collections(archive: ArchiveLike, several: dict[str, StreamLike]) -> None:
    archive.create("å")
    archive.create("plant-b")
    assert archive.collections() == ["plant", "plant-b", "plant/line", "plantation", "å"]
    assert archive.collections("plant/") == ["plant/line"]
    several["deep"].update(collection="attic")
    assert archive.collections("a") == ["attic"]
    assert archive.collections("plant/") == []


# Kinds


def test_integers_are_exact(archive: ArchiveLike) -> None:
    stream = archive.create("counter", kind="int")
    values = [(1 << 63) - 1, (1 << 63) - 1, -(1 << 63), 3]
    stream.insert([1, 2, 3, 4], values)
    for _ in range(2):
        assert stream.values().values.tolist() == values
        window = stream.windows(0, 8, 8, columns=ALL_COLUMNS)
        found = {name: window[name].tolist()[0] for name in ALL_COLUMNS}
        assert (found["min"], found["max"]) == (-(1 << 63), (1 << 63) - 1)
        assert (found["first"], found["last"], found["count"]) == (values[0], 3, 4)
        assert found["sum"] == sum(values)
        assert found["mean"] == pytest.approx(sum(values) / 4, abs=1e-12 * 2**63)
        stream.flush()


def test_an_integer_sum_needs_128_bits(archive: ArchiveLike) -> None:
    stream = archive.create("counter", kind="int")
    stream.insert(np.arange(5_000), np.full(5_000, (1 << 63) - 1))
    window = stream.windows(0, 5_000, 5_000, columns=["sum", "mean"])
    assert window["sum"].tolist() == [5_000 * ((1 << 63) - 1)]
    assert window["mean"].tolist() == [float(1 << 63)]


def test_booleans_count_their_trues(archive: ArchiveLike) -> None:
    stream = archive.create("door", kind="bool")
    stream.insert([1, 2, 3, 4], [True, False, True, True])
    for _ in range(2):
        window = stream.windows(0, 8, 8, columns=ALL_COLUMNS)
        found = {name: window[name].tolist()[0] for name in ALL_COLUMNS}
        assert found["sum"] == 3
        assert (found["min"], found["max"], found["first"], found["last"]) == (False, True, True, True)
        assert (found["mean"], found["stddev"]) == (0.75, pytest.approx(0.4330127018922193, abs=1e-15))
        assert stream.values().values.dtype == np.bool_
        assert stream.latest() == (4, True)
        stream.flush()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("int", 1.5), ("int", True), ("bool", 2), ("bool", 1.0), ("float", True), ("float", "1")],
)
def test_values_of_another_kind_are_refused(archive: ArchiveLike, kind: Any, value: Any) -> None:
    stream = archive.create("plant", kind=kind)
    with pytest.raises(WrongKind):
        stream.insert([1], [value])
    assert stream.count() == 0


# Statistics


@pytest.mark.parametrize(
    "values",
    [
        [1e9 + 1e-3, 1e9 - 1e-3] * 50,
        [1.7e308, -1.7e308, 1.7e308, 1.6e308],
        [1.7e308] * 9,
        [5e-324, 1e-320, 0.0, -5e-324],
        [1e-200, 3e-200, 2e-200],
        [0.1] * 1000,
        [-0.0, 0.0],
        [1e300, 1e-300, -1e300],
        [7.25],
    ],
)
def test_statistics_are_accurate(stream: StreamLike, values: list[float]) -> None:
    stream.insert(np.arange(len(values)), values)
    window = stream.windows(0, 4096, 4096)
    largest = max(map(abs, values)) or 1.0
    scaled = np.array(values) / largest
    mean = scaled.mean()
    found = {name: window[name].tolist()[0] for name in window.columns}
    assert found["min"] <= found["mean"] <= found["max"]
    close = 2e-12 + 5e-324 / largest  # no answer is finer than the smallest float
    assert found["mean"] / largest == pytest.approx(mean, abs=close)
    assert found["stddev"] / largest == pytest.approx(np.sqrt(((scaled - mean) ** 2).mean()), abs=close)


def test_a_sum_beyond_the_largest_float_is_infinite(stream: StreamLike) -> None:
    """And nothing warns of it; the mean stays what it is."""
    stream.insert([1, 2, 3], [1.7e308, 1.7e308, -1.0])
    window = stream.windows(0, 3, 3, columns=["mean", "sum"])
    assert (window["mean"].tolist(), window["sum"].tolist()) == ([1.7e308], [float("inf")])


def test_a_negative_zero_is_the_lesser(stream: StreamLike) -> None:
    stream.insert([1, 2], [0.0, -0.0])
    window = stream.windows(0, 4, 4)
    assert np.signbit([window["min"][0], window["max"][0]]).tolist() == [True, False]


def test_one_point_is_its_own_statistics(stream: StreamLike) -> None:
    stream.insert([1], [0.1])
    assert table(stream.windows(0, 4, 4)) == [(0, 0.1, 0.1, 0.1, 1, 0.0)]


# Zoom


def test_zoom_covers_what_there_is(ten: StreamLike) -> None:
    windows = ten.zoom(points=4)
    assert 1 <= len(windows) <= 4
    assert windows.count.sum() == 10
    assert ten.zoom(T0, T0 + SECOND, 100).count.sum() == 10
    assert ten.zoom(points=1).count.tolist() == [10]


def test_zoom_from_or_to_a_time(ten: StreamLike) -> None:
    assert ten.zoom(T0 + 5 * TENTH, points=1000).count.sum() == 5
    until = ten.zoom(end=T0 + 5 * TENTH, points=1000)  # the window that holds the end counts whole
    assert (until.count.sum(), until.time[-1] < T0 + 5 * TENTH <= until.time[-1] + until.width) == (6, True)
    assert len(ten.zoom(T0 + SECOND)) == 0
    assert len(ten.zoom(end=T0)) == 0


# Many streams


def test_a_batch_over_streams_is_all_or_nothing(archive: ArchiveLike) -> None:
    one, two = archive.create("a"), archive.create("b", kind="int")
    inserted = archive.insert({one: ([1, 2], [0.5, 1.5]), two: [(1, 10)]})
    assert inserted[:2] == (3, 2)
    for bad in (([3], [0.5]), ([LAST_TIME + 1], [1]), ([1, 2], [1])):
        with pytest.raises((WrongKind, TimeOutOfRange, MismatchedColumns)):
            archive.insert({one: ([9], [9.0]), two: bad})
    assert (one.count(), two.count()) == (2, 1)
    archive.flush()
    assert (one.version, two.version) == (11, 11)


def test_a_batch_may_hold_streams_without_points(archive: ArchiveLike) -> None:
    one, two = archive.create("a"), archive.create("b")
    assert archive.insert({one: ([], []), two: ([1], [1.0])})[:2] == (1, 1)
    assert archive.insert({})[:2] == (0, 0)
    assert (one.version, two.version) == (10, 11)


def test_a_wide_batch(archive: ArchiveLike) -> None:
    streams = [archive.create(f"s{number}") for number in range(3)]
    inserted = archive.insert_columns([2, 0, 2, 0], [5, 5, 4, 5], [1.0, 2.0, 3.0, 4.0], streams)
    assert inserted[:2] == (4, 2)
    assert [pairs(stream) for stream in streams] == [[(5, 2.0), (5, 4.0)], [], [(4, 3.0), (5, 1.0)]]
    archive.insert_columns(np.array([1], dtype=np.uint8), [5], [9.0], streams, merge="replace")
    assert pairs(streams[1]) == [(5, 9.0)]
    assert archive.insert_columns([], [], [], streams)[:2] == (0, 0)


@pytest.mark.parametrize(
    ("index", "error"),
    [([3], InvalidArgument), ([-1], InvalidArgument), ([0.0], InvalidArgument), ([0, 1], MismatchedColumns)],
)
def test_a_bad_stream_index_is_refused(archive: ArchiveLike, index: Any, error: type[OtrError]) -> None:
    streams = [archive.create(f"s{number}") for number in range(3)]
    with pytest.raises(error):
        archive.insert_columns(index, [1], [1.0], streams)
    assert [stream.count() for stream in streams] == [0, 0, 0]


def test_values_of_many_streams(archive: ArchiveLike) -> None:
    one, two = archive.create("a"), archive.create("b", kind="bool")
    archive.insert({one: ([1, 2, 9], [0.5, 1.5, 9.5]), two: ([2, 3], [True, False])})
    outer = archive.values([one, two], 0, 9)
    assert isinstance(outer, Wide)
    assert outer.times.tolist() == [1, 2, 3]
    assert outer.valid[1].tolist() == [False, True, True]
    assert archive.values([two, one], align="inner").times.tolist() == [2]
    assert len(archive.values([one], align="long")) == 3
    with pytest.raises(WrongKind):
        archive.values([one, two], align="long")


def test_a_snapshot_stays(archive: ArchiveLike, ten: StreamLike) -> None:
    with archive.snapshot() as snapshot:
        ten.insert([1], [1.0])
        archive.create("later")
        assert snapshot.streams() == [ten]
        assert snapshot.view(ten).count() == 10
        assert len(snapshot.values([ten])) == 10
    assert ten.count() == 11
    with pytest.raises(ClosedArchive):
        snapshot.view(ten)


def test_a_named_snapshot_outlives_a_reopening(opened: Reopened) -> None:
    stream = opened.db.create("plant")
    stream.insert([1], [1.0])
    opened.db.snapshot("before").close()
    stream.delete(0, 10)
    archive = opened.reopen()
    assert archive.snapshots() == ["before"]
    stream = archive.stream("plant")
    with archive.open_snapshot("before") as snapshot:
        assert (snapshot.name, snapshot.view(stream).count(), stream.count()) == ("before", 1, 0)
    with pytest.raises(InvalidArgument):
        archive.snapshot("before")
    archive.drop_snapshot("before")
    assert archive.snapshots() == []
    with pytest.raises(NoSuchSnapshot):
        archive.open_snapshot("before")


# Opening and closing


def test_everything_outlives_a_reopening(opened: Reopened) -> None:
    stream = opened.db.create("plant", kind="int", tags={"name": "a"})
    stream.insert([3, 1], [3, 1])
    first = stream.flush()
    stream.delete(3, 4)
    stream.insert([5, 1], [5, 7])
    archive = opened.reopen()
    again = archive.stream("plant", name="a")
    assert pairs(again) == [(1, 1), (1, 7), (5, 5)]
    assert pairs(again.at(first)) == [(1, 1), (3, 3)]
    assert (again.insert([9], [9]).pending, again.version) == (3, first + 2)
    assert list(archive.check()) == []


def test_a_closed_archive_says_so(archive: ArchiveLike, stream: StreamLike) -> None:
    view = stream.at(10)
    archive.close()
    archive.close()
    calls: list[Callable[[], Any]] = [
        stream.values,
        stream.flush,
        view.values,
        archive.streams,
        archive.collections,
        archive.flush,
        lambda: archive.create("x"),
        lambda: stream.insert([1], [1.0]),
        lambda: archive.insert({stream: ([1], [1.0])}),
    ]
    for call in calls:
        with pytest.raises(ClosedArchive):
            call()


def test_an_archive_is_a_context_manager(opened: Reopened) -> None:
    with opened.reopen() as archive:
        archive.create("plant")
    with pytest.raises(ClosedArchive):
        archive.create("lab")


def test_what_an_archive_says_of_itself(archive: ArchiveLike, ten: StreamLike) -> None:
    assert archive.info()["streams"] == 1
    assert archive.stats()["pending_points"] == 10


def test_many_threads_insert_and_read(archive: ArchiveLike, stream: StreamLike) -> None:
    def work(number: int) -> None:
        for at in range(20):
            stream.insert([at * 8 + number], [float(number)])
            assert stream.count() >= at + 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stream.values().times.tolist() == list(range(160))
