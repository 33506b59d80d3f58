"""The group of all commands. Naming one loads its module, so `otrdb --help` loads none of them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import otrdb
from otrdb.cli.failures import reported

if TYPE_CHECKING:
    from otrdb.export import Foreign

COMMANDS: Final = {
    "create": "Make a new stream.",
    "streams": "List the streams.",
    "info": "Say what this archive is.",
    "insert": "Store points given on the command line or on stdin.",
    "import": "Store the columns of CSV and Parquet files.",
    "export": "Write streams to a CSV or Parquet file.",
    "values": "Print the points of a stream.",
    "windows": "Print statistics of windows of any width.",
    "zoom": "Print or plot a range in as many windows as fit a screen.",
    "nearest": "Print the point next to a time.",
    "changes": "Print the ranges in which two versions differ.",
    "delete": "Remove the points of a range.",
    "flush": "Commit pending points.",
    "retention": "Show or set how old points may become.",
    "thin": "Show or set when points give way to statistics.",
    "history": "Show or set which old versions are kept.",
    "expire": "Drop and thin what is too old.",
    "compact": "Give back space that nothing needs any more.",
    "obliterate": "Remove a stream with all its versions.",
    "stats": "Print the archive's counters.",
    "check": "Verify what is stored and report damage.",
    "repair": "Rebuild the catalog from the segments.",
    "dump": "Show what the files hold, in words.",
    "doctor": "Look at the machine and its disk.",
    "backup": "Copy the archive to a directory, or what is new of it.",
    "restore": "Make an archive from a backup.",
    "collect": "Archive measurements as they are made.",
    "serve": "Answer the clients of BTrDB, and OtrDB's own.",
    "keys": "Make, list and revoke the API keys of the server.",
    "completion": "Print the shell's completion script.",
}
"""Every command and its one line of help, in the order shown."""


class Commands(click.Group):
    """Finds command NAME in the module `otrdb.cli.NAME` (an underscore behind the name if it is a
    keyword)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads a command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = "import_" if cmd_name == "import" else cmd_name
        command: click.Command = import_module(f"otrdb.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands from the table, so that none has to be loaded."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Foreign:
        """Runs the command; errors of ours become a line on stderr and an exit code."""
        with reported():
            return super().invoke(ctx)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-a",
    "--archive",
    type=click.Path(path_type=Path),
    envvar="OTRDB_ARCHIVE",
    default="archive.otr",
    show_default=True,
    help="Directory of the archive; or set $OTRDB_ARCHIVE.",
)
@click.version_option(otrdb.__version__, prog_name="otrdb")
def app(archive: Path) -> None:
    """Archive time series, and ask about any part of them at any zoom.

    A STREAM is named by its uuid, as COLLECTION/NAME, or as COLLECTION with --tag KEY=VALUE. Times are
    ISO-8601 (2026-11-01T12:00:00Z), ns since 1970, "now", or relative to now such as -1h. Ranges are [start,
    end).
    """
