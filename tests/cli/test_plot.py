import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.cli.plot import Style, draw, plot_width, terminal_style
from otrdb.model import Kind
from otrdb.results import Windows
from tests.cli.harness import Shell

ASCII = Style(width=60, unicode=False, colour=False)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
floats = st.floats(allow_nan=False, allow_infinity=False, width=64)


def windows(low: list[float], mean: list[float], high: list[float], width: int = 10) -> Windows:
    columns = {"min": np.array(low), "mean": np.array(mean), "max": np.array(high)}
    return Windows(np.arange(len(low)) * width, columns, Kind.FLOAT, width, 11)


def test_a_rising_line_rises() -> None:
    ramp = [float(step) for step in range(20)]
    rows = [line.partition("|")[2] for line in draw(windows(ramp, ramp, ramp), 0, 200, ASCII)[:16]]
    places = [row.rfind("*") for row in rows if "*" in row]
    assert places == sorted(places, reverse=True)
    assert len(set(places)) > 10


def test_the_band_surrounds_the_mean() -> None:
    lines = draw(windows([0.0] * 8, [5.0] * 8, [10.0] * 8), 0, 80, ASCII)
    columns = list(zip(*(line.ljust(60) for line in lines[:16]), strict=True))
    inside = [column for column in columns if "*" in column]
    assert len(inside) >= 40
    for column in inside:
        assert column.count("*") == 1
        assert 6 <= column.index("*") <= 9
        assert ":" in column[:6]
        assert ":" in column[9:]


def test_labels_are_those_of_the_data() -> None:
    lines = draw(windows([-1.5], [0.0], [2.5]), 0, 10 * 10**9, ASCII)
    assert lines[0].startswith(" 2.5 +")
    assert lines[15].startswith("-1.5 +")
    assert "1970-01-01T00:00:00" in lines[-1]
    assert "1970-01-01T00:00:09" in lines[-1]


def test_where_there_are_no_points_nothing_is_drawn() -> None:
    data = windows([1.0, 2.0], [1.0, 2.0], [1.0, 2.0])
    gap = Windows(np.array([0, 90]), data.columns, Kind.FLOAT, 10, 11)
    columns = list(zip(*(line.ljust(60)[6:] for line in draw(gap, 0, 100, ASCII)[:16]), strict=True))
    empty = [set(column) <= {" "} for column in columns]
    assert sum(empty) > 30


@given(
    st.lists(st.lists(floats, min_size=3, max_size=3).map(sorted), min_size=1, max_size=30),
    st.integers(1, 200),
    st.booleans(),
    st.booleans(),
)
def test_any_data_fits_any_terminal(
    triples: list[list[float]], width: int, unicode: bool, colour: bool
) -> None:
    low, mean, high = ([triple[part] for triple in triples] for part in range(3))
    style = Style(width, unicode, colour)
    lines = [COLOUR.sub("", line) for line in draw(windows(low, mean, high), 0, len(triples) * 10, style)]
    assert len(lines) == 18
    margin = lines[1].index("│" if unicode else "|") + 1
    assert all(len(line) <= max(width, margin + 21) for line in lines[:17])
    assert unicode or all(line.isascii() for line in lines)
    assert any(set(line[margin:]) - {" "} for line in lines[:16])


def test_styles_follow_the_terminal() -> None:
    assert terminal_style("UTF-8", {}, terminal=True).unicode
    assert not terminal_style("ascii", {}, terminal=True).unicode
    assert terminal_style("utf-8", {}, terminal=True).colour
    assert not terminal_style("utf-8", {"NO_COLOR": "1"}, terminal=True).colour
    assert not terminal_style("utf-8", {"TERM": "dumb"}, terminal=True).colour
    assert not terminal_style("utf-8", {}, terminal=False).colour


def test_braille_has_two_dots_a_column() -> None:
    assert plot_width(Style(100, True, False)) == 2 * plot_width(Style(100, False, False))


@pytest.mark.parametrize("kind", ["float", "int", "bool"])
def test_every_kind_is_plotted(plant: Shell, kind: str) -> None:
    lines = plant.ok("zoom", f"plant/line1/a {kind}", "--plot").splitlines()
    assert lines[0] == f"plant/line1/a {kind} [C]: 10 points"
    assert len(lines) == 19


def test_nothing_to_plot_is_said(plant: Shell) -> None:
    result = plant.run("zoom", "plant/line1/a int", "--plot", "--start", "now")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no points" in result.stderr
