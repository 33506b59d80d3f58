"""docs/errors.md lists every error, with its code and builtins, and no other."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from otrdb.errors import OtrError, all_errors

PAGE = Path(__file__).resolve().parents[2] / "docs/errors.md"
CLASSES = list(all_errors())


class Row(NamedTuple):
    """A line of the page's table."""

    code: str
    name: str
    builtins: str
    when: str
    what_to_do: str


def rows() -> list[Row]:
    lines = PAGE.read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [Row(*line) for line in cells[2:]]  # without the names of the columns, and the rule


def builtins_of(error: type[OtrError]) -> set[str]:
    return {base.__name__ for base in error.__bases__} - {OtrError.__name__}


def test_the_page_has_the_classes_there_are() -> None:
    assert [row.name for row in rows()] == [f"`{error.__name__}`" for error in CLASSES]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_a_line_says_what_the_class_says(error: type[OtrError]) -> None:
    (row,) = (row for row in rows() if row.name == f"`{error.__name__}`")
    assert row.code == error.code
    assert set(re.findall(r"`(\w+)`", row.builtins)) == builtins_of(error)
    assert row.when.endswith(".")
    assert row.what_to_do.endswith(".")


def test_codes_ascend() -> None:
    codes = [row.code for row in rows()]
    assert codes == sorted(set(codes))
