"""`otrdb dump`: what the files hold, in words."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

import otrdb
from otrdb.cli.facts import json_option
from otrdb.cli.failures import DAMAGE_FOUND
from otrdb.cli.options import archive_option
from otrdb.cli.output import Output, emit, output_options
from otrdb.cli.output.cells import sheet_of
from otrdb.cli.output.table import cell_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from otrdb.cli.output.cells import Sheet
    from otrdb.sections import Dump, Section

_ROWS_AT_ONCE: Final = 1000

_FILES: Final = {"file": "text", "bytes": "int", "number": "int", "format": "int", "sound": "bool"}
_SEGMENT: Final = {
    "offset": "int",
    "bytes": "int",
    "type": "text",
    "head": "int",
    "sound": "bool",
    "start": "time",
    "end": "time",
    "sequence": "int",
}
_JOURNAL: Final = {
    "offset": "int",
    "bytes": "int",
    "type": "text",
    "policy": "text",
    "lsn": "int",
    "durable": "int",
    "parts": "int",
    "points": "int",
    "sound": "bool",
}


@click.group("dump")
def command() -> None:
    """Show what the files of an archive hold, in words, damaged or not.

    Nothing is changed, and the archive need not open. The exit code is 3 if what is shown is not sound.
    """


@command.command("files")
@output_options
@archive_option
def files(archive: Path, output: Output) -> None:
    """List the segments and journal files with their headers."""
    with otrdb.inspect(archive) as inspection:
        emit([sheet_of(inspection.files(), _FILES)], output)


@command.command("segment")
@click.argument("number", type=click.IntRange(min=1))
@output_options
@archive_option
def segment(archive: Path, number: int, output: Output) -> None:
    """List the blocks of segment NUMBER. A damaged block and what it hides is one row that is not sound."""
    with otrdb.inspect(archive) as inspection:
        emit(_sheets(inspection.segment(number), _SEGMENT), output)


@command.command("journal")
@click.argument("number", type=click.IntRange(min=1))
@output_options
@archive_option
def journal(archive: Path, number: int, output: Output) -> None:
    """List the records of journal file NUMBER."""
    with otrdb.inspect(archive) as inspection:
        emit(_sheets(inspection.journal(number), _JOURNAL), output)


@command.command("block")
@click.argument("place")
@click.option("--points", is_flag=True, help="The points of a leaf too.")
@json_option
@archive_option
@click.pass_context
def block(context: click.Context, archive: Path, place: str, points: bool, as_json: bool) -> None:
    """Show the leaf, sections of one, node, chain or group record at PLACE, which is SEGMENT:OFFSET."""
    with otrdb.inspect(archive) as inspection:
        _show(context, inspection.block(*_parse(place), points=points), as_json)


@command.command("root")
@click.argument("stream")
@click.option("--version", type=int, help="This committed version [default: the newest].")
@json_option
@archive_option
@click.pass_context
def root(context: click.Context, archive: Path, stream: str, version: int | None, as_json: bool) -> None:
    """Show the root of STREAM, given by its uuid or as COLLECTION/NAME, as the segments know it."""
    with otrdb.inspect(archive) as inspection:
        _show(context, inspection.block(*inspection.root(stream, version)), as_json)


@command.command("record")
@click.argument("place")
@json_option
@archive_option
@click.pass_context
def record(context: click.Context, archive: Path, place: str, as_json: bool) -> None:
    """Show the journal record at PLACE, which is FILE:OFFSET, or a log sequence number alone."""
    with otrdb.inspect(archive) as inspection:
        where = inspection.with_lsn(int(place)) if place.isdecimal() else _parse(place)
        _show(context, inspection.record(*where), as_json)


def _parse(place: str) -> tuple[int, int]:
    first, colon, second = place.replace(",", "").partition(":")
    if not (colon and first.isdecimal() and second.isdecimal()):
        raise click.UsageError(f"{place!r} is no place. Write it as NUMBER:OFFSET, such as 1:48.")
    return int(first), int(second)


def _sheets(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> Iterator[Sheet]:
    """Rows some at a time, at least one sheet."""
    left = iter(rows)
    while batch := list(islice(left, _ROWS_AT_ONCE)):
        yield sheet_of(batch, columns)
    yield sheet_of([], columns)


def _show(context: click.Context, dump: Dump, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dump.plain(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(f"{dump.title}, {'sound' if dump.sound else 'NOT SOUND'}")
        for section in dump.sections:
            click.echo("\n".join(_lines(section)))
    if not dump.sound:
        context.exit(DAMAGE_FOUND)


def _lines(section: Section) -> Iterator[str]:
    """A section for people: one record as a list of fields with their meaning, many as a table."""
    yield f"\n{section.name}, at {section.offset}" + (f": {section.note}" if section.note else "")
    if section.many:
        yield from _table(section)
        return
    for fields in section.records:
        widths = [max(map(len, fields)), max(len(section.words(*each)) for each in fields.items())]
        for name, value in fields.items():
            cells = name.ljust(widths[0]), section.words(name, value).ljust(widths[1])
            yield "  ".join(("", *cells, section.meanings.get(name, ""))).rstrip()


def _table(section: Section) -> Iterator[str]:
    """Records of the same fields as columns, those of different ones each on a line of its own."""
    names = list(section.records[0]) if section.records else []
    if any(list(record) != names for record in section.records):
        yield from (f"  {_entry(section, record)}" for record in section.records)
        return
    lines = [names, *([_cell(section, *each) for each in record.items()] for record in section.records)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def _entry(section: Section, record: Mapping[str, Any]) -> str:
    first, *others = record.items()
    return f"{first[1]}: " + ", ".join(f"{name} {section.words(name, value)}" for name, value in others)


def _cell(section: Section, name: str, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool):
        return section.words(name, value)
    return cell_text(value)
