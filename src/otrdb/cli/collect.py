"""`otrdb collect`: measurements as they are made."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from otrdb.cli.opening import Accept, make_archive
from otrdb.cli.options import accept_option, archive_option
from otrdb.errors import InvalidArgument
from otrdb.export import import_extra
from otrdb.times import to_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb.collect.loop import Status
    from otrdb.collect.recorder import Recorder

_LINES_EVERY: Final = 5 * 10**9  # ns
_SHORTEST: Final = 10**7  # ns: 100 rounds a second


@click.group("collect")
def command() -> None:
    """Archive measurements as they are made."""


@command.command("host")
@click.option("--every", metavar="WIDTH", default="1s", show_default=True, help="Time between rounds.")
@click.option("--collection", help="Where the streams are [default: host/ and the machine's name].")
@click.option(
    "--durability",
    default="sync",
    show_default=True,
    help="sync: each round survives a power cut; interval=250ms: the last moments may be lost; off.",
)
@click.option("--rounds", type=click.IntRange(min=1), help="Stop after so many rounds.")
@click.option("--no-clock-check", is_flag=True, help="Believe the clock from the start.")
@click.option(
    "--hold",
    type=click.IntRange(min=1),
    default=3600,
    show_default=True,
    help="Most rounds to keep in memory until the clock is set; older ones are dropped.",
)
@accept_option
@click.option("--plain", is_flag=True, help="A line every few seconds instead of a table.")
@archive_option
def host(
    archive: Path,
    every: str,
    collection: str | None,
    durability: str,
    rounds: int | None,
    no_clock_check: bool,
    hold: int,
    accept: Accept,
    plain: bool,
) -> None:
    """Archive this machine's own measurements until Ctrl-C or SIGTERM.

    Processor, load, memory, swap, disks, file systems, network, temperatures and throttling, each as a stream
    with its unit. All measurements of a round are stored together. Started again, it goes on with the same
    streams.

    While the clock is not set, as on a board that has just started, rounds are held and then stored with the
    times they were taken at.
    """
    import_extra("psutil", "collect")
    from otrdb.collect.clock import SystemClock, clock_is_right
    from otrdb.collect.host import HostCollector
    from otrdb.collect.housekeeping import Housekeeping
    from otrdb.collect.loop import Loop
    from otrdb.collect.recorder import Recorder
    from otrdb.collect.schedule import stopping_on_signals

    interval = checked_interval(to_width(every))
    with make_archive(archive, accept, durability) as db, stopping_on_signals() as stop:
        recorder = Recorder(db, collection or own_collection())
        check = (lambda: True) if no_clock_check else clock_is_right
        with observer(recorder, archive, interval, plain) as observe:
            upkeep = Housekeeping(db)
            loop = Loop(HostCollector(), recorder, SystemClock(), check, interval, hold, observe, upkeep)
            status = loop.run(stop.wait, rounds)
    click.echo(_farewell(status, archive), err=True)


def own_collection() -> str:
    """Where the measurements of this machine are, unless told otherwise."""
    return f"host/{socket.gethostname()}"


def checked_interval(every: int) -> int:
    """The interval of rounds, ns; `InvalidArgument` if it is too short."""
    if every < _SHORTEST:
        raise InvalidArgument(f"A round every {every} ns is too much.", advice="Give at least 10ms.")
    return every


@contextmanager
def observer(
    recorder: Recorder, archive: Path, interval: int, plain: bool
) -> Iterator[Callable[[Status], None]]:
    """Shows each round: in a table on a terminal; else, or if `plain`, in a line every few seconds."""
    if plain or not sys.stdout.isatty():
        from otrdb.collect.lines import Lines

        yield Lines(click.echo, max(_LINES_EVERY, interval))
        return
    from rich.console import Console

    from otrdb.collect.live import LiveTable

    with LiveTable(recorder, Console(highlight=False), str(archive)) as live:
        yield live


def _farewell(status: Status, archive: Path) -> str:
    discarded = f" {status.held} rounds were discarded: the clock was never set." if status.held else ""
    return f"Stopped after {status.rounds} rounds; {status.points} points stored in {archive}.{discarded}"
