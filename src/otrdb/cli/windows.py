"""`otrdb windows`: statistics of windows of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otrdb.cli.opening import read_archive
from otrdb.cli.options import (
    archive_option,
    columns_option,
    range_options,
    stream_argument,
    version_options,
    view_of,
)
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.reading import bounds
from otrdb.cli.selecting import Selector, find_stream
from otrdb.ranges import align_up, check_pointwidth
from otrdb.times import to_width

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb.interface import ReadsLike
    from otrdb.results import Windows


@click.command("windows")
@stream_argument
@click.option("--width", metavar="WIDTH", help="Width of each window, such as 5min or 250ms, or in ns.")
@click.option(
    "--pointwidth", type=int, help="Aligned windows of 2**POINTWIDTH ns instead; empty ones are left out."
)
@columns_option
@range_options
@version_options
@output_options
@archive_option
def command(
    archive: Path,
    stream: Selector,
    width: str | None,
    pointwidth: int | None,
    columns: tuple[str, ...],
    start: int | None,
    end: int | None,
    version: int | None,
    as_of: int | None,
    output: Output,
) -> None:
    """Print statistics of STREAM in [START, END), window by window.

    With --width the windows follow one another from START; those that do not fit whole before END are left
    out, and one without points has count 0.
    """
    if (width is None) == (pointwidth is None):
        raise click.UsageError("Give either --width or --pointwidth.")
    with read_archive(archive) as db:
        view = view_of(find_stream(db, stream), version, as_of)
        emit([_windows(view, start, end, width, pointwidth, columns).table_columns()], output)


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
