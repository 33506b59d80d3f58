"""`otrdb windows`: statistics of windows of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.options import columns_option, range_options
from otrdb.cli.output import emit
from otrdb.cli.question import Question, question_options
from otrdb.cli.reading import bounds
from otrdb.ranges import align_up, check_pointwidth
from otrdb.times import to_width

if TYPE_CHECKING:
    from otrdb.interface import ReadsLike
    from otrdb.results import Windows


@click.command("windows")
@click.option("--width", metavar="WIDTH", help="Width of each window, such as 5min or 250ms, or in ns.")
@click.option(
    "--pointwidth", type=int, help="Aligned windows of 2**POINTWIDTH ns instead; empty ones are left out."
)
@columns_option
@range_options
@question_options
def command(
    question: Question,
    width: str | None,
    pointwidth: int | None,
    columns: tuple[str, ...],
    start: int | None,
    end: int | None,
) -> None:
    """Print statistics of STREAM in [START, END), window by window.

    With --width the windows follow one another from START; those that do not fit whole before END are left
    out, and one without points has count 0.
    """
    if (width is None) == (pointwidth is None):
        raise click.UsageError("Give either --width or --pointwidth.")
    with question.asked() as (_, view):
        emit([_windows(view, start, end, width, pointwidth, columns).table_columns()], question.output)


def _windows(
    view: ReadsLike,
    start: int | None,
    end: int | None,
    width: str | None,
    pointwidth: int | None,
    columns: tuple[str, ...],
) -> Windows:
    """Windows of either sort; where `end` is open the last one reaches beyond the last point, to hold it."""
    span = bounds([view], start, end)
    if span is None:
        return view.windows(0, 1, 2, columns=columns)  # no such window fits: the columns without rows
    first, last = span
    if pointwidth is not None:
        check_pointwidth(pointwidth)
        last = align_up(last, pointwidth) if end is None else last
        return view.aligned_windows(first, last, pointwidth, columns=columns)
    size = to_width(int(str(width)) if str(width).isdecimal() else str(width))
    last = first - (first - last) // size * size if end is None else last
    return view.windows(first, last, size, columns=columns)
