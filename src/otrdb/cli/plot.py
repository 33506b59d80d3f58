"""A band from min to max and the line of means, drawn in characters."""

from __future__ import annotations

import math
import shutil
import sys
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from otrdb.cli.output.cells import iso_texts

if TYPE_CHECKING:
    from otrdb.model import BoolArray, Float64Array, Int64Array
    from otrdb.results import Windows

_HEIGHT: Final = 16  # rows of characters
_LEAST_WIDTH: Final = 20
_LABEL_UNITS: Final = (10**9, 10**6, 10**3)
"""ns: the last digit of a time beside the plot is worth a hundredth of it or less."""

_BRAILLE: Final = 0x2800
# Unicode numbers the dots of a braille cell down the left column, then down the right, the bottom pair last.
_DOT_BITS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_DIM, _BRIGHT, _PLAIN = "\x1b[36m", "\x1b[1;33m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """What the terminal can show."""

    width: int
    unicode: bool
    colour: bool

    @property
    def across(self) -> int:
        """Dots in a row of one character."""
        return 2 if self.unicode else 1

    @property
    def down(self) -> int:
        """Dots in a column of one character."""
        return 4 if self.unicode else 1


def terminal_style(encoding: str | None, environment: dict[str, str], terminal: bool) -> Style:
    """The style for a stream of that encoding; NO_COLOR and TERM=dumb switch colour off."""
    plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
    unicode = (encoding or "").lower().replace("-", "") == "utf8"
    return Style(shutil.get_terminal_size().columns, unicode, terminal and not plain)


def plot_width(style: Style, labels: int = 12) -> int:
    """How many windows can be told apart beside labels of that many characters."""
    return max(_LEAST_WIDTH, style.width - labels - 2) * style.across


def draw(windows: Windows, start: int, end: int, style: Style) -> list[str]:
    """The lines of a plot of [start, end), ns. `windows` has the columns min, mean and max, and at least one
    row."""
    low, mean, high = (windows[name].astype(np.float64) for name in ("min", "mean", "max"))
    bottom, top = _scale(low, high)
    labels = _labels(bottom, top)
    margin = max(map(len, labels.values()))
    columns = plot_width(style, margin)
    dots = _HEIGHT * style.down
    spans = _spans(windows.time, windows.width, start, end, columns)
    band, line = _paint(spans, [_row(part, bottom, top, dots) for part in (low, mean, high)], (dots, columns))
    cells = _braille(band, line, style) if style.unicode else _ascii(band, line, style)
    axis = "│┤" if style.unicode else "|+"
    rows = [
        f"{labels.get(row, '').rjust(margin)} {axis[row in labels]}{text}" for row, text in enumerate(cells)
    ]
    return [*rows, *_time_axis(start, end, margin, columns // style.across, style)]


def _scale(low: Float64Array, high: Float64Array) -> tuple[float, float]:
    bottom, top = float(low.min()), float(high.max())
    if bottom == top:  # a constant is drawn in the middle
        half = abs(bottom) / 10 or 1.0
        return max(bottom - half, -sys.float_info.max), min(top + half, sys.float_info.max)
    return bottom, top


def _labels(bottom: float, top: float) -> dict[int, str]:
    """The text beside some rows, counted from the top."""
    shares = {0: 1.0, _HEIGHT // 2: 0.5, _HEIGHT - 1: 0.0}
    return {row: f"{bottom * (1 - share) + top * share:.6g}" for row, share in shares.items()}


def _row(values: Float64Array, bottom: float, top: float, dots: int) -> Int64Array:
    """The dot of each value, from 0 at the top."""
    if not math.isfinite(top - bottom):
        values, bottom, top = values / 2, bottom / 2, top / 2
    share = (values - bottom) / (top - bottom)
    return np.asarray(np.rint((1 - share) * (dots - 1)), dtype=np.int64)


def _spans(times: Int64Array, width: int, start: int, end: int, columns: int) -> list[tuple[int, int]]:
    """The columns [first, last) that each window covers, at least one each."""
    extent = end - start
    first = [min(max((time - start) * columns // extent, 0), columns - 1) for time in times.tolist()]
    last = [min((time + width - start) * columns // extent, columns) for time in times.tolist()]
    return [(left, max(right, left + 1)) for left, right in zip(first, last, strict=True)]


def _paint(
    spans: list[tuple[int, int]], rows: list[Int64Array], shape: tuple[int, int]
) -> tuple[BoolArray, BoolArray]:
    """Which dots the band and the line take. The band is a chequer, so that the line stands out without
    colour."""
    band, line = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    before: tuple[int, int] | None = None
    for (left, right), low, mean, high in zip(spans, *(part.tolist() for part in rows), strict=True):
        band[high : low + 1, left:right] = True
        line[mean, left:right] = True
        if before is not None and before[0] == left:  # neighbours are joined, gaps are not bridged
            line[min(before[1], mean) : max(before[1], mean) + 1, left] = True
        before = (right, mean)
    chequer = np.indices(shape).sum(axis=0) % 2 == 0
    return band & chequer, line


def _braille(band: BoolArray, line: BoolArray, style: Style) -> list[str]:
    height, width = band.shape[0] // 4, band.shape[1] // 2
    lit = (band | line).reshape(height, 4, width, 2)
    codes = np.einsum("hdwc,dc->hw", lit, _DOT_BITS) + _BRAILLE
    bright = np.asarray(line.reshape(height, 4, width, 2).any(axis=(1, 3)))
    return [
        _coloured(["" if code == _BRAILLE else chr(code) for code in row], flags, style)
        for row, flags in zip(codes.tolist(), bright.tolist(), strict=True)
    ]


def _ascii(band: BoolArray, line: BoolArray, style: Style) -> list[str]:
    marks = np.where(line, "*", np.where(band, ":", ""))
    return [_coloured(row, flags, style) for row, flags in zip(marks.tolist(), line.tolist(), strict=True)]


def _coloured(cells: list[str], bright: list[bool], style: Style) -> str:
    if not style.colour:
        return "".join(cell or " " for cell in cells).rstrip()
    parts = []
    for (empty, flag), run in groupby(zip(cells, bright, strict=True), lambda cell: (not cell[0], cell[1])):
        text = "".join(cell or " " for cell, _ in run)
        parts.append(text if empty else f"{_BRIGHT if flag else _DIM}{text}{_PLAIN}")
    return "".join(parts).rstrip()


def _time_axis(start: int, end: int, margin: int, width: int, style: Style) -> list[str]:
    corner, dash = ("└", "─") if style.unicode else ("+", "-")
    digit = next((unit for unit in _LABEL_UNITS if (end - start) >= 100 * unit), 1)
    first, last = iso_texts(np.array([start, end - 1], dtype=np.int64) // digit * digit)
    indent = " " * (margin + 1)
    return [f"{indent}{corner}{dash * width}", f"{indent} {first}{last.rjust(width - len(first))}"]
