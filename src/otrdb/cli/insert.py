"""`otrdb insert`: a few points, from the command line or from stdin."""

from __future__ import annotations

import io
import itertools
import re
import sys
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

import click

from otrdb.cli.moments import parse_moment
from otrdb.cli.negatives import CommandWithNegatives
from otrdb.cli.opening import Accept, change_archive
from otrdb.cli.options import accept_option, archive_option, merge_option, stream_argument, tz_option
from otrdb.cli.selecting import Selector, find_stream
from otrdb.errors import BadValue, InvalidArgument, MismatchedColumns, OtrError
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from otrdb.interface import StreamLike
    from otrdb.model import MergeLike

Pair: TypeAlias = "tuple[str, str]"

_BATCH: Final = 65_536
_LINE: Final = re.compile(r"(?P<time>.*\S)\s*[,;\s]\s*(?P<value>[^\s,;]+)")  # a time may hold a blank itself
_WORDS: Final = {"true": True, "1": True, "false": False, "0": False}


@click.command("insert", cls=CommandWithNegatives)
@stream_argument
@click.argument("points", nargs=-1, metavar="[TIME VALUE]...")
@merge_option
@tz_option
@accept_option
@archive_option
def command(
    archive: Path, stream: Selector, points: tuple[str, ...], merge: MergeLike, tz: str | None, accept: Accept
) -> None:
    """Store points in STREAM: pairs of TIME and VALUE, or without any, lines of them on stdin.

    On stdin there is one point a line, time and value separated by a comma, semicolon, tab or blank. Points
    on the command line are stored all or none; a bad line stops the reading of stdin, and nothing of its
    batch of 65,536 lines is stored.
    """
    with change_archive(archive, accept) as db:
        target = find_stream(db, stream)
        pairs = _given(points) if points else _read(_stdin())
        stored = sum(_store(target, batch, merge, tz) for batch in _batches(pairs))
    click.echo(f"points stored: {stored}", err=True)


def _given(words: Sequence[str]) -> list[tuple[str, Pair]]:
    """The pairs on the command line, each with what to call it in an error."""
    if len(words) % 2:
        raise MismatchedColumns(
            "There is a time without a value.", advice="Give pairs: TIME VALUE TIME VALUE ..."
        )
    pairs = zip(words[::2], words[1::2], strict=True)
    return [(f"point {index}", pair) for index, pair in enumerate(pairs, 1)]


def _stdin() -> TextIO:
    """Text in UTF-8; bytes that are none become text too, and so a bad line."""
    return io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="backslashreplace")


def _read(lines: Iterable[str]) -> Iterator[tuple[str, Pair]]:
    for number, line in enumerate(lines, 1):
        if not (text := line.strip()):
            continue
        if (match := _LINE.fullmatch(text)) is None:
            raise InvalidArgument(f"stdin, line {number}: {text!r} is no time and value.")
        yield f"stdin, line {number}", (match["time"].rstrip(",;\t "), match["value"])


def _batches(pairs: Iterable[tuple[str, Pair]]) -> Iterator[list[tuple[str, Pair]]]:
    remaining = iter(pairs)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


def _store(stream: StreamLike, batch: list[tuple[str, Pair]], merge: MergeLike, tz: str | None) -> int:
    parsed = [_parse(where, pair, stream.kind, tz) for where, pair in batch]
    stream.insert([time for time, _ in parsed], [value for _, value in parsed], merge=merge)
    return len(parsed)


def _parse(where: str, pair: Pair, kind: Kind, tz: str | None) -> tuple[int, float | int | bool]:
    time, value = pair
    try:
        return parse_moment(time, tz), parse_value(value.strip(), kind)
    except OtrError as error:
        error.message = f"{where}: {error.message}"
        raise


def parse_value(text: str, kind: Kind) -> float | int | bool:
    """A typed value of that kind; BadValue if it is none."""
    try:
        if kind is Kind.BOOL:
            return _WORDS[text.lower()]
        return float(text) if kind is Kind.FLOAT else int(text)
    except (ValueError, KeyError) as error:
        raise BadValue(f"{text!r} is no value of kind {kind.value}.", advice="") from error
