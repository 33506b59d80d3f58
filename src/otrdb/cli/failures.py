"""From exceptions to exit codes and lines on stderr."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import click

from otrdb.errors import (
    AmbiguousStream,
    ArchiveLocked,
    ClosedArchive,
    Damaged,
    InvalidArgument,
    NaiveTime,
    NoSuchPoint,
    NoSuchSnapshot,
    NoSuchStream,
    NotAnArchive,
    OtrError,
    ReadOnly,
    StreamExists,
    VersionNotAvailable,
    WriteFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED: Final = 1
DAMAGE_FOUND: Final = 3
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it

_ADVICE: Final[dict[type[OtrError], str]] = {
    NoSuchStream: "List what there is with: otrdb streams",
    NoSuchSnapshot: "Snapshots are taken and listed in Python.",
    NoSuchPoint: "Ask for the range that holds points with: otrdb streams --points",
    AmbiguousStream: "Name the stream by its uuid, or add --tag KEY=VALUE.",
    StreamExists: "Leave --uuid out, or give another.",
    NaiveTime: "End it with Z or an offset such as +02:00, or say where it was written with --tz.",
    VersionNotAvailable: "The latest version needs no --version.",
    ClosedArchive: "Repeat the command.",
    ReadOnly: "Check who may write the archive's directory.",
    ArchiveLocked: "Stop the other writer first; commands that only read work beside it.",
    NotAnArchive: "Name another with -a, or make this one with: otrdb create",
    Damaged: "Copy the archive elsewhere before anything else, then run: otrdb check",
    WriteFailed: "Check the disk and its cable, then repeat the command.",
}


class Failure(click.ClickException):
    """Ends the command with a line on stderr."""

    exit_code = FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints the line as it is."""
        click.echo(self.message, file=file, err=True)


class Interrupted(Failure):
    """Ends the command as Ctrl-C does."""

    exit_code = INTERRUPTED


def describe(error: OtrError) -> str:
    """The line an error is reported with: code, message and what to do, in terms of the command line."""
    advice = error.advice
    if advice == error.default_advice:
        advice = _ADVICE.get(type(error), advice)
    return f"{error.code} {error.message} {advice}".rstrip()


@contextmanager
def reported() -> Iterator[None]:
    """Turns our errors, those of the file system and Ctrl-C into `Failure`; bugs stay tracebacks."""
    try:
        yield
    except OtrError as error:
        raise Failure(describe(error)) from error
    except BrokenPipeError:  # whoever read our answer has had enough; click ends quietly
        raise
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        ours = InvalidArgument(
            f"{place}{error.strerror or error}.", advice="Check the path and who may use it."
        )
        raise Failure(describe(ours)) from error
    except KeyboardInterrupt:
        raise Interrupted("Interrupted.") from None
