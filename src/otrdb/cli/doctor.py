"""`otrdb doctor`: looks at the machine, its disk and the archive."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from otrdb.cli.diagnosis.clock import judge_clock
from otrdb.cli.diagnosis.contents import look_inside
from otrdb.cli.diagnosis.disk import judge_room, judge_sync
from otrdb.cli.diagnosis.machine import judge_heat, judge_machine
from otrdb.cli.diagnosis.mounts import judge_mount, read_mount
from otrdb.cli.diagnosis.packages import judge_packages
from otrdb.cli.failures import DAMAGE_FOUND, FAILED
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, emit
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.progress import spinner
from otrdb.collect.clock import clock_is_right

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otrdb.cli.diagnosis import Sign


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
@archive_option
@click.pass_context
def command(context: click.Context, archive: Path, as_json: bool) -> None:
    """Look at the machine, its disk and the archive, and warn of what endangers points.

    The exit code is 0 if all is well, 1 if there are warnings, 3 if something is wrong.
    """
    with spinner("Looking"):
        signs = list(_signs(archive))
    columns = dict.fromkeys(("check", "status", "found", "advice"), "text")
    records = [sign._asdict() | {"advice": sign.advice or None} for sign in signs]
    emit([sheet_of(records, columns)], Output("json" if as_json else "table", "iso", None))
    worst = {sign.status for sign in signs}
    if "failure" in worst:
        context.exit(DAMAGE_FOUND)
    if "warning" in worst:
        context.exit(FAILED)


def _signs(archive: Path) -> Iterator[Sign]:
    place = _existing(archive.resolve())
    contents = look_inside(archive)
    yield from contents.signs
    yield from judge_mount(read_mount(place))
    yield from judge_room(place, contents.floor)
    yield from judge_sync(place, os.environ)
    yield from judge_clock(time.time_ns(), clock_is_right(), contents.newest)
    yield from judge_machine()
    packages = list(judge_packages())
    if not any(sign.check == "import psutil" and sign.status != "ok" for sign in packages):
        yield from judge_heat()  # loads psutil into this process
    yield from packages


def _existing(path: Path) -> Path:
    """The directory, or the one it would be made in."""
    return next(each for each in (path, *path.parents) if each.is_dir())
