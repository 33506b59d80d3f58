"""What the commands that read one stream have in common."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import click

from otrdb.cli.moments import parse_moment
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, stream_argument
from otrdb.cli.output import Output, output_options
from otrdb.cli.selecting import Selector, find_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb.export import Foreign
    from otrdb.interface import ReadsLike, StreamLike

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Question:
    """Which stream to read, which state of it, and how to give the answer."""

    archive: Path
    stream: Selector
    version: int | None
    as_of: int | None
    output: Output

    @contextmanager
    def asked(self) -> Iterator[tuple[StreamLike, ReadsLike]]:
        """The stream and what to read of it: its latest state, pending points included, or the version
        meant."""
        with read_archive(self.archive) as db:
            stream = find_stream(db, self.stream)
            if self.version is not None:
                yield stream, stream.at(self.version)
            else:
                yield stream, stream if self.as_of is None else stream.as_of(self.as_of)


def question_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Adds STREAM, --tag, --version, --as-of and the options of the answer; passes a `Question` as
    `question`."""

    @stream_argument
    @click.option("--version", type=int, help="Read this version instead of the latest state.")
    @click.option("--as-of", metavar="TIME", help="Read the version that was committed last at this time.")
    @output_options
    @archive_option
    @wraps(function)
    def command(
        archive: Path,
        stream: Selector,
        version: int | None,
        as_of: str | None,
        output: Output,
        **others: Foreign,
    ) -> Answer:
        if version is not None and as_of is not None:
            raise click.UsageError("--version and --as-of both choose a version: give one of them.")
        moment = None if as_of is None else parse_moment(as_of)
        return function(question=Question(archive, stream, version, moment, output), **others)

    return command
