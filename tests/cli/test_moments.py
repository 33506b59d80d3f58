import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.cli.moments import parse_moment
from otrdb.cli.zones import Ambiguous, parse_zone, to_utc
from otrdb.errors import InvalidArgument, InvalidPointWidth, NaiveTime, TimeOutOfRange
from otrdb.times import format_ns

NOW = 1_700_000_000_123_456_789
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Monrovia",
    "UTC",
]
times = st.integers(-(1 << 60), (1 << 61) - 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-5", -5),
        (" 1700000000000000001 ", 1_700_000_000_000_000_001),
        ("now", NOW),
        ("NOW", NOW),
        ("-1h", NOW - 3_600 * 10**9),
        ("+250ms", NOW + 250 * 10**6),
        ("now-2d", NOW - 2 * 86_400 * 10**9),
        ("now + 1.5h", NOW + 5_400 * 10**9),
        ("2017-07-14T04:40:00.000000001+02:00", 1_500_000_000_000_000_001),
        ("2017-07-14 02:40Z", 1_500_000_000_000_000_000),
    ],
)
def test_every_form_of_time_is_read(text: str, expected: int) -> None:
    assert parse_moment(text, now=NOW) == expected


@given(times)
def test_what_is_printed_can_be_typed(time: int) -> None:
    assert parse_moment(format_ns(time)) == time == parse_moment(str(time))


def test_a_naive_time_needs_a_zone() -> None:
    with pytest.raises(NaiveTime):
        parse_moment("2020-02-08 13:30:47")
    assert parse_moment("2020-02-08 13:30:47.000000001", "UTC") == 1_581_168_647_000_000_001
    assert parse_moment("2020-07-01", "Europe/Berlin") == parse_moment("2020-06-30T22:00:00Z")
    assert parse_moment("2020-07-01T00:00:00Z", "Europe/Berlin") == parse_moment("2020-07-01T00:00:00Z")


@pytest.mark.parametrize("text", ["2020-03-29 02:30", "2020-10-25 02:30"])
def test_a_local_time_that_names_no_single_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="skipped or shown twice"):
        parse_moment(text, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("yesterday", InvalidArgument),
        ("", InvalidArgument),
        ("2020-13-01Z", InvalidArgument),
        ("-1 fortnight", InvalidPointWidth),
        ("9" * 25, TimeOutOfRange),
    ],
)
def test_anything_else_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_moment(text, "UTC")


@pytest.mark.parametrize("text", ["Europe/Atlantis", "", "../etc/passwd", "+1", "12:00"])
def test_a_zone_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="no time zone"):
        parse_zone(text)


def test_offsets_are_zones() -> None:
    assert parse_zone("-0330").utcoffset(None) == -dt.timedelta(hours=3, minutes=30)
    assert parse_zone("utc") is dt.UTC


def plainly(local: int, zone: dt.tzinfo, ambiguous: Ambiguous) -> int | None:
    """The instant of a local time, by asking what the zone's clocks show at the instants it could be."""
    wall = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=local // 10**9)  # noqa: DTZ001
    instants = set()
    for fold in (0, 1):
        instant = wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            instants.add(int((instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds()))
    if not instants or (len(instants) > 1 and ambiguous == "refuse"):
        return None
    return (max if ambiguous == "later" else min)(instants) * 10**9 + local % 10**9


@given(
    st.lists(times, max_size=20),
    st.sampled_from(ZONES),
    st.sampled_from(["refuse", "earlier", "later"]),
    st.integers(1950, 2037),
)
def test_local_times_become_the_instants_the_zone_says(
    locals_: list[int], name: str, ambiguous: Ambiguous, year: int
) -> None:
    zone = parse_zone(name)
    start = int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp())
    around_changes = [
        (start + day * 86_400 + hour * 1_800) * 10**9 + 7 for day in (85, 300) for hour in range(0, 480, 7)
    ]
    column = np.array(locals_ + around_changes, dtype=np.int64)
    utc = to_utc(column, zone, ambiguous)
    expected = [plainly(local, zone, ambiguous) for local in column.tolist()]
    assert utc.bad.tolist() == [instant is None for instant in expected]
    good = ~utc.bad
    assert utc.times[good].tolist() == [instant for instant in expected if instant is not None]
