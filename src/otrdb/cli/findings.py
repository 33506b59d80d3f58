"""What `check` and `repair` found, told as it is found."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Final

import click

from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.cli.output import make_writer
from otrdb.cli.output.cells import rows, sheet_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.cli.output import Output, Writer
    from otrdb.cli.output.cells import Sheet, TimeForm
    from otrdb.cli.progress import Meter
    from otrdb.results import Finding

_COLUMNS: Final = {
    "code": "text",
    "stream": "text",
    "collection": "text",
    "name": "text",
    "start": "time",
    "end": "time",
    "message": "text",
}


class _Lines:
    """A line for each finding, for people: a table would have to wait for the last one."""

    def __init__(self, stream: IO[str], times: TimeForm) -> None:
        self._stream = stream
        self._times = times

    def write(self, sheet: Sheet) -> None:
        """Adds lines."""
        for code, stream, collection, name, start, end, message in rows(sheet, self._times):
            path = "/".join(part for part in (collection, name) if part)
            who = f" {path} ({stream})" if path else f" {stream}" if stream else ""
            when = "" if start is None else f" from {start} to before {end}"
            self._stream.write(f"{code}{who}{when}: {message}\n")

    def close(self) -> None:
        """Nothing is held back."""


def tell(context: click.Context, findings: Iterable[Finding], output: Output, meter: Meter) -> None:
    """Gives findings as they come; ends the command with DAMAGE_FOUND if there are any."""
    writer = _Lines(sys.stdout, output.times) if output.format == "table" else make_writer(output)
    count = 0
    for finding in findings:
        count += 1
        if output.limit is None or count <= output.limit:
            with meter.aside():
                _write(writer, [finding])
    if not count and output.format != "table":
        _write(writer, [])
    writer.close()
    if count:
        shown = count if output.limit is None else min(count, output.limit)
        more = "" if shown == count else f" The first {shown} were told; --limit 0 tells all."
        click.echo(f"Found wrong: {count}.{more}", err=True)
        context.exit(DAMAGE_FOUND)
    click.echo("No damage found.", err=True)


def _write(writer: Writer, findings: list[Finding]) -> None:
    records = [
        finding._asdict() | {"stream": None if finding.stream is None else str(finding.stream)}
        for finding in findings
    ]
    writer.write(sheet_of(records, _COLUMNS))
    sys.stdout.flush()
