"""`otrdb values`: the points of a stream."""

from __future__ import annotations

import click

from otrdb.cli.options import range_options
from otrdb.cli.output import emit
from otrdb.cli.question import Question, question_options
from otrdb.cli.reading import point_sheets


@click.command("values")
@range_options
@question_options
def command(question: Question, start: int | None, end: int | None) -> None:
    """Print the points of STREAM in [START, END)."""
    with question.asked() as (_, view):
        emit(point_sheets(view, start, end), question.output)
