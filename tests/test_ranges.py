"""Ranges and windows follow one arithmetic, aligned to the beginning of time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import InvalidArgument, InvalidPointWidth, InvalidTimeRange, TimeOutOfRange
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import (
    MAX_WINDOWS,
    align_down,
    align_up,
    check_pointwidth,
    check_resolution,
    to_instant,
    to_range,
    window_count,
    zoom_pointwidth,
)

T0 = 1_500_000_000_000_000_000
LEGAL = st.integers(MIN_TIME, MAX_TIME - 1)
POINTWIDTH = st.integers(0, 62)


def test_the_whole_of_time_is_a_range() -> None:
    assert to_range(MIN_TIME, MAX_TIME) == (MIN_TIME, MAX_TIME)
    assert to_range("1970-01-01Z", "1970-01-01T00:00:01Z") == (0, 10**9)


@pytest.mark.parametrize("bounds", [(5, 5), (6, 5), (MIN_TIME - 1, 0), (0, MAX_TIME + 1)])
def test_a_bad_range_is_refused(bounds: tuple[int, int]) -> None:
    with pytest.raises(InvalidTimeRange):
        to_range(*bounds)


@pytest.mark.parametrize("time", [MIN_TIME - 1, MAX_TIME])
def test_an_instant_outside_is_refused(time: int) -> None:
    with pytest.raises(TimeOutOfRange):
        to_instant(time)


@pytest.mark.parametrize("exponent", [-1, 64, 1.0, True, None, "3"])
def test_exponents_are_whole_numbers(exponent: Any) -> None:
    for check in (check_pointwidth, check_resolution):
        with pytest.raises(InvalidPointWidth):
            check(exponent)


def test_the_widest_exponents() -> None:
    assert (check_pointwidth(62), check_resolution(63)) == (62, 63)
    with pytest.raises(InvalidPointWidth):
        check_pointwidth(63)


def test_windows_of_61_and_62_start_with_time() -> None:
    assert align_down(0, 61) == align_down(0, 62) == MIN_TIME
    assert align_down(1 << 60, 61) == align_up(1, 61) == 1 << 60
    assert align_up(MAX_TIME, 62) == MAX_TIME


@given(LEGAL, st.integers(0, 60))
def test_up_to_60_alignment_is_to_the_epoch(time: int, pointwidth: int) -> None:
    assert align_down(time, pointwidth) % (1 << pointwidth) == 0


@given(LEGAL, POINTWIDTH)
def test_a_time_lies_in_its_window(time: int, pointwidth: int) -> None:
    start = align_down(time, pointwidth)
    assert start <= time < start + (1 << pointwidth)
    assert align_up(start, pointwidth) == start
    assert align_up(start + 1, pointwidth) == start + (1 << pointwidth)


@given(LEGAL, LEGAL, st.integers(1, 5000))
def test_zoom_takes_the_finest_pointwidth_that_suffices(one: int, other: int, points: int) -> None:
    start, end = min(one, other), max(one, other) + 1
    pointwidth = zoom_pointwidth(start, end, points)

    def needed(width: int) -> int:
        return (align_up(end, width) - align_down(start, width)) >> width

    assert needed(pointwidth) <= points
    assert pointwidth == 0 or needed(pointwidth - 1) > points


@pytest.mark.parametrize("points", [0, -1, 1.5, True])
def test_zoom_needs_a_number_of_points(points: Any) -> None:
    with pytest.raises(InvalidArgument):
        zoom_pointwidth(0, 10, points)


def test_partial_windows_do_not_count() -> None:
    assert window_count(T0, T0 + 10**9, 300_000_000) == 3
    assert window_count(0, 5, 10) == 0
    assert window_count(MIN_TIME, MAX_TIME, 1 << 62) == 1


def test_an_answer_too_large_for_memory_is_refused() -> None:
    assert window_count(0, MAX_WINDOWS, 1) == MAX_WINDOWS
    with pytest.raises(InvalidArgument):
        window_count(0, MAX_WINDOWS + 1, 1)
