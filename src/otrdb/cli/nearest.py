"""`otrdb nearest`: the point next to a time."""

from __future__ import annotations

import click

from otrdb.cli.moments import parse_moment
from otrdb.cli.negatives import CommandWithNegatives
from otrdb.cli.options import tz_option
from otrdb.cli.output import emit
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.question import Question, question_options
from otrdb.errors import NoSuchPoint
from otrdb.times import format_ns


@click.command("nearest", cls=CommandWithNegatives)
@question_options
@click.argument("time")
@click.option(
    "--backward", is_flag=True, help="The last point before TIME instead of the first at or after it."
)
@tz_option
def command(question: Question, time: str, backward: bool, tz: str | None) -> None:
    """Print the first point of STREAM at or after TIME."""
    moment = parse_moment(time, tz)
    with question.asked() as (_, view):
        point = view.nearest(moment, backward)
        if point is None:
            side = "before" if backward else "at or after"
            raise NoSuchPoint(f"There is no point {side} {format_ns(moment)}.")
        kinds = {"time": "time", "value": view.kind.value}
        emit([sheet_of([point._asdict()], kinds)], question.output)
