"""Separator, header and names of a CSV file, from its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEPARATORS: Final = (";", "\t", "|", ",", " ")
"""In the order tried: a comma or a blank may also stand inside a number or a time."""

_NUMBER_OR_TIME: Final = re.compile(
    r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?|\d{4}-\d\d-\d\d.*|true|false", re.ASCII | re.IGNORECASE
)


class Layout(NamedTuple):
    """How the lines of a CSV file are to be cut."""

    separator: str
    header: bool
    names: list[str]


def sniff(lines: Sequence[str], separator: str | None = None, header: bool | None = None) -> Layout:
    """The layout of a file that begins with `lines`; what is given is not guessed."""
    cut = separator or _guess_separator(lines)
    rows = [row for row in csv.reader(lines, delimiter=cut) if row]
    if not rows:
        raise InvalidArgument("The file is empty.")
    named = _looks_like_header(rows[0]) if header is None else header
    names = rows[0] if named else [f"column{position}" for position in range(1, len(rows[0]) + 1)]
    return Layout(cut, named, names)


def _guess_separator(lines: Sequence[str]) -> str:
    """The first separator that cuts most lines into the same number of columns, at least two."""
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        if width > 1 and 2 * count > widths.total():
            return separator
    raise InvalidArgument(
        "No separator cuts most of the lines into the same number of columns.",
        advice="Name it with --separator, and leave out lines before the header with --skip-lines.",
    )


def _looks_like_header(row: Sequence[str]) -> bool:
    return not any(_NUMBER_OR_TIME.fullmatch(cell.strip()) for cell in row)
