"""Options that several commands share, as decorators."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from otrdb.cli.moments import parse_moment
from otrdb.cli.selecting import Selector, labels_of, parse_pairs
from otrdb.errors import OtrError
from otrdb.model import Merge
from otrdb.ranges import to_range
from otrdb.results import ALL_COLUMNS, DEFAULT_COLUMNS, check_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from otrdb.export import Foreign

Answer = TypeVar("Answer")

MERGES: Final = click.Choice([merge.value for merge in Merge])


def _archive_or_the_groups(ctx: click.Context, _: click.Parameter, value: Path | None) -> Path:
    path: Path = ctx.find_root().params["archive"] if value is None else value
    return path


archive_option = click.option(
    "-a",
    "--archive",
    type=click.Path(path_type=Path),
    callback=_archive_or_the_groups,
    help="Directory of the archive, as before the command.",
)

tz_option = click.option(
    "--tz", metavar="ZONE", help="Zone of times without an offset: UTC, +01:00 or Europe/Berlin."
)

yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")

merge_option = click.option(
    "--merge",
    type=MERGES,
    default=Merge.NEVER.value,
    show_default=True,
    help="What becomes of a new point whose time is taken: keep both (never), drop it if its value "
    "is equal too "
    "(equal), drop it (retain), or let it replace the old ones (replace).",
)


def _parse_columns(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    return check_columns([name.strip() for name in text.split(",")])


columns_option = click.option(
    "--columns",
    metavar="NAMES",
    default=",".join(DEFAULT_COLUMNS),
    show_default=True,
    callback=_parse_columns,
    help=f"Statistics to give, separated by commas, out of {', '.join(ALL_COLUMNS)}.",
)


def _parse_window(
    _: click.Context, __: click.Parameter, texts: tuple[str, str] | None
) -> tuple[int, int] | None:
    return None if texts is None else to_range(*map(parse_moment, texts))


accept_option = click.option(
    "--accept",
    nargs=2,
    metavar="LOW HIGH",
    callback=_parse_window,
    help="Refuse points before LOW, and at or after HIGH: the mark of a clock that is wrong.",
)


def complete_streams(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of streams for the shell. No error may reach the prompt, so a bad archive has none."""
    from click.shell_completion import CompletionItem

    from otrdb.cli.opening import read_archive

    path = ctx.params.get("archive") or ctx.find_root().params.get("archive") or Path("archive.otr")
    try:
        with read_archive(Path(path)) as archive:
            labels = labels_of(archive.streams())
    except (OtrError, OSError):
        return []
    return [CompletionItem(label) for label in labels if label.startswith(incomplete)]


def stream_argument(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Adds the argument STREAM and --tag; passes a `Selector` as `stream`."""

    @click.argument("stream", shell_complete=complete_streams)
    @click.option(
        "--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag STREAM must have; may be repeated."
    )
    @wraps(function)
    def command(stream: str, tags: tuple[str, ...], **others: Foreign) -> Answer:
        return function(stream=Selector(stream, parse_pairs(tags, "tag")), **others)

    return command


def range_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Adds --start, --end and --tz; passes `start` and `end` in ns, None where not given."""

    @click.option(
        "-s", "--start", metavar="TIME", help="Beginning of the range, inclusive [default: the first point]."
    )
    @click.option(
        "-e", "--end", metavar="TIME", help="End of the range, exclusive [default: after the last point]."
    )
    @tz_option
    @wraps(function)
    def command(start: str | None, end: str | None, tz: str | None, **others: Foreign) -> Answer:
        first, last = (None if text is None else parse_moment(text, tz) for text in (start, end))
        return function(start=first, end=last, **others)

    return command
