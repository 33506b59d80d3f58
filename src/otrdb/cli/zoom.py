"""`otrdb zoom`: a range in as many windows as fit a screen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from otrdb.cli.options import columns_option, range_options
from otrdb.cli.output import emit
from otrdb.cli.plot import draw, plot_width, terminal_style
from otrdb.cli.question import Question, question_options
from otrdb.cli.reading import bounds
from otrdb.cli.selecting import path_of

if TYPE_CHECKING:
    from otrdb.interface import ReadsLike, StreamLike

_POINTS: Final = 1000


@click.command("zoom")
@click.option(
    "--points",
    type=click.IntRange(min=1),
    help=f"Most windows to give [default: {_POINTS}, or what fits a plot].",
)
@click.option("--plot", is_flag=True, help="Draw the band from min to max and the line of means.")
@columns_option
@range_options
@question_options
def command(
    question: Question,
    points: int | None,
    plot: bool,
    columns: tuple[str, ...],
    start: int | None,
    end: int | None,
) -> None:
    """Print statistics of STREAM in [START, END) in at most POINTS windows, the finest that suffice.

    It costs the same whether the range is a minute or ten years.
    """
    with question.asked() as (stream, view):
        if plot:
            _plot(stream, view, start, end, points)
        else:
            windows = view.zoom(start, end, points or _POINTS, columns=columns)
            emit([windows.table_columns()], question.output)


def _plot(
    stream: StreamLike, view: ReadsLike, start: int | None, end: int | None, points: int | None
) -> None:
    style = terminal_style(sys.stdout.encoding, dict(os.environ), sys.stdout.isatty())
    span = bounds([view], start, end)
    windows = (
        None
        if span is None
        else view.zoom(*span, points or plot_width(style), columns=("min", "mean", "max"))
    )
    if span is None or windows is None or not len(windows):
        click.echo(f"{path_of(stream)} has no points in this range.", err=True)
        return
    unit = f" [{stream.unit}]" if stream.unit else ""
    click.echo(f"{path_of(stream)}{unit}: {view.count(*span)} points")
    for line in draw(windows, *span, style):
        click.echo(line, color=style.colour)
