"""What the commands that read one stream have in common."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import click

from otrdb.cli.left_out import end_lacking, leave_out_option, tell_left_out
from otrdb.cli.moments import parse_moment
from otrdb.cli.opening import read_archive
from otrdb.cli.options import archive_option, stream_argument
from otrdb.cli.output import Output, output_options
from otrdb.cli.selecting import Selector, find_stream, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otrdb import Stream, View
    from otrdb.export import Foreign
    from otrdb.interface import ReadsLike

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Question:
    """Which stream to read, which state of it, and how to give the answer."""

    archive: Path
    stream: Selector
    version: int | None
    as_of: int | None
    leave_out_damage: bool
    output: Output

    @contextmanager
    def asked(self) -> Iterator[tuple[Stream, ReadsLike]]:
        """The stream and what to read of it: its latest state, pending points included, or the version
        meant; of it what is sound, if that was chosen, and then what is lacking is told."""
        with read_archive(self.archive) as db:
            stream = db.stream(find_stream(db, self.stream).uuid)
            state = self._state(stream)
            if not self.leave_out_damage:
                yield stream, state
                return
            sound = state.leaving_out_damage()
            try:
                yield stream, sound
            finally:
                tell_left_out({stream.uuid: path_of(stream)}, sound.left_out)
        end_lacking(sound.left_out)

    def _state(self, stream: Stream) -> Stream | View:
        if self.version is not None:
            return stream.at(self.version)
        return stream if self.as_of is None else stream.as_of(self.as_of)


def question_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Adds STREAM, --tag, --version, --as-of, --leave-out-damage and the options of the answer; passes a
    `Question` as `question`."""

    @stream_argument
    @click.option("--version", type=int, help="Read this version instead of the latest state.")
    @click.option("--as-of", metavar="TIME", help="Read the version that was committed last at this time.")
    @leave_out_option
    @output_options
    @archive_option
    @wraps(function)
    def command(
        archive: Path,
        stream: Selector,
        version: int | None,
        as_of: str | None,
        leave_out_damage: bool,
        output: Output,
        **others: Foreign,
    ) -> Answer:
        if version is not None and as_of is not None:
            raise click.UsageError("--version and --as-of both choose a version: give one of them.")
        moment = None if as_of is None else parse_moment(as_of)
        return function(
            question=Question(archive, stream, version, moment, leave_out_damage, output), **others
        )

    return command
