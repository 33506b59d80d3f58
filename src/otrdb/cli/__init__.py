"""The `otrdb` command."""

# app        the group of commands, each loaded when it is called
# create ... one module per command
# importing  reading CSV and Parquet files into streams
# output     tables for people; JSON, CSV and Parquet for programs
#
# A module here may import click at its head. rich, pyarrow and pandas are imported by the function that needs
# them,
# so that `otrdb --help` and quick questions start quickly.

from __future__ import annotations

import sys

from otrdb.errors import MissingExtra


def main() -> None:
    """Runs the command line of this process and ends it with an exit code of docs/cli.md."""
    try:
        from otrdb.cli.app import app
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        missing = MissingExtra("click", "cli")
        sys.exit(f"{missing.code} {missing}")
    app(prog_name="otrdb")
