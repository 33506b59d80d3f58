"""What is shown comes from the archive, in figures people can read."""

import io

import pytest
from rich.console import Console

from otrdb.collect.figures import figure
from otrdb.collect.holding import Taken
from otrdb.collect.lines import Lines, line
from otrdb.collect.live import LiveTable
from otrdb.collect.loop import Status
from otrdb.collect.overview import DAY, HOUR, overview
from otrdb.collect.protocol import Reading
from otrdb.collect.recorder import Recorder
from otrdb.interface import ArchiveLike
from otrdb.model import LAST_TIME, MIN_TIME
from tests.collect.fakes import RUNNING, SECOND, SPEED, TURNS

NOW = 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "C", "-"),
        (True, "", "yes"),
        (False, "B", "no"),
        (0, "B", "0 B"),
        (999, "B", "999 B"),
        (1_234, "B", "1.234 kB"),
        (-5_000_000, "B", "-5 MB"),
        (10**21, "B", "1000 EB"),
        (48.26, "C", "48.26 C"),
        (3500, "", "3500"),
        (1_234_567, "", "1.235 M"),
        (0.000123456, "", "0.0001235"),
    ],
)
def test_figures(value: float | None, unit: str, text: str) -> None:
    assert figure(value, unit) == text


def test_a_row_says_what_the_stream_says(archive: ArchiveLike) -> None:
    stream = archive.create("host/test/motor", kind="int", tags={"name": "turns", "unit": "1"})
    ages = [30 * HOUR, 5 * HOUR, HOUR, HOUR - 1, 2 * SECOND, 0]
    stream.insert([NOW - age for age in ages], [1, 20, 30, 41, 43, 48])
    (row,) = overview([stream], NOW, "host/test")
    assert (row.name, row.unit, row.points) == ("motor/turns", "1", 6)
    assert row.last is not None
    assert (row.last.time, row.last.value, row.rate) == (NOW, 48, 2.5)
    assert row.hour == (41, 44.0, 48)
    assert row.day == (20, 182 / 5, 48)
    (later,) = overview([stream], NOW + DAY, "host/test")
    assert (later.hour, later.day) == (None, None)


def test_a_row_of_an_empty_stream(archive: ArchiveLike) -> None:
    stream = archive.create("host/test/motor", kind="int", tags={"name": "turns"})
    (row,) = overview([stream], NOW, "host/test")
    assert (row.last, row.rate, row.points, row.hour, row.day) == (None, None, 0, None, None)
    stream.insert(NOW, 1)
    (row,) = overview([stream], NOW, "host/test")
    assert row.rate is None


@pytest.mark.parametrize("now", [MIN_TIME, 0, LAST_TIME, LAST_TIME + 1])
def test_no_clock_is_too_wrong_to_be_shown(archive: ArchiveLike, now: int) -> None:
    stream = archive.create("host/test/motor", tags={"name": "speed"})
    assert len(overview([stream], now, "host/test")) == 1


def test_lines_come_now_and_then() -> None:
    written: list[str] = []
    lines = Lines(written.append, 5 * SECOND)
    for second in range(11):
        lines(Status(rounds=second + 1, points=3 * second, clock_is_right=True, time=NOW + second * SECOND))
    assert [text.split()[1] for text in written] == ["rounds=1", "rounds=6", "rounds=11"]


def test_lines_go_on_when_the_clock_jumps() -> None:
    written: list[str] = []
    lines = Lines(written.append, 5 * SECOND)
    for time in (NOW, NOW + SECOND, NOW - DAY, NOW - DAY + SECOND, NOW):
        lines(Status(rounds=1, clock_is_right=True, time=time))
    assert len(written) == 3


def test_a_fault_is_written_once_and_at_once() -> None:
    written: list[str] = []
    lines = Lines(written.append, 60 * SECOND)
    for second in range(4):
        faults = ["fan: gone"] if second else []
        lines(Status(faults=faults, clock_is_right=True, time=NOW + second * SECOND))
    assert [("fault: fan: gone" in text) for text in written] == [False, True]


def test_a_line_tells_the_first_of_each_collection_and_what_is_wrong() -> None:
    readings = [Reading(SPEED, 1500.0), Reading(TURNS, 7), Reading(RUNNING, True)]
    status = Status(5, 12, missed=1, held=2, clock_is_right=True, time=NOW + 7, readings=readings)
    assert line(status) == (
        "2023-11-14T22:13:20Z rounds=5 points=12 missed=1 held=2 motor/speed=15001/min "
        "motor/state/running=yes"
    )
    assert line(Status()).startswith("clock-not-set rounds=0")


def screen(recorder: Recorder, status: Status, height: int = 40, width: int = 150) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, force_terminal=True, color_system=None)
    with LiveTable(recorder, console, "host.otr") as live:
        live(status)
        live(status)  # too soon to be drawn again
    return stream.getvalue()


def test_the_table_shows_streams_and_troubles(recorder: Recorder) -> None:
    readings = [Reading(SPEED, 1500.0), Reading(TURNS, 7), Reading(RUNNING, True)]
    recorder.store([Taken(NOW - SECOND, [Reading(SPEED, 500.0), Reading(TURNS, 4)]), Taken(NOW, readings)])
    status = Status(2, 5, missed=3, clock_is_right=True, time=NOW, readings=readings, faults=["fan: gone"])
    text = screen(recorder, status)
    assert "host.otr: 2 rounds, 5 points, 3 rounds missed" in text
    rows = {row.split()[0]: row.split()[1:] for row in text.splitlines() if row.strip().startswith("motor")}
    extent = ["500", "1/min", "1000", "1/min", "1500", "1/min"]
    assert rows["motor/speed"] == ["1500", "1/min", "-", "2", *extent, *extent]
    assert rows["motor/turns"][:3] == ["7", "3", "2"]
    assert rows["motor/state/running"][0] == "yes"
    assert "fan: gone" in text


def test_a_small_terminal_shows_what_fits(recorder: Recorder) -> None:
    readings = [Reading(SPEED, 1500.0), Reading(TURNS, 7), Reading(RUNNING, True)]
    recorder.store([Taken(NOW, readings)])
    text = screen(recorder, Status(clock_is_right=True, time=NOW, readings=readings), height=8)
    assert "and 1 more streams" in text
    assert "running" not in text


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_a_narrow_terminal_shows_fewer_columns_and_cuts_no_figure(recorder: Recorder, width: int) -> None:
    readings = [Reading(SPEED, 1234567.5), Reading(TURNS, 7), Reading(RUNNING, True)]
    recorder.store([Taken(NOW, readings)])
    text = screen(recorder, Status(clock_is_right=True, time=NOW, readings=readings), width=width)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert "1.235 M" in text
    assert ("wider terminal" in text) == (width < 200)


def test_nothing_stored_yet_is_an_empty_table(recorder: Recorder) -> None:
    assert "1 rounds held until the clock is set" in screen(recorder, Status(rounds=1, held=1))
