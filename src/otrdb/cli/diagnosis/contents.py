"""The archive itself: whether it opens, who writes it, and its newest point."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import otrdb
from otrdb.cli.diagnosis import Sign
from otrdb.errors import Damaged, NotAnArchive, OtrError
from otrdb.extent import last_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otrdb import Stream


class Contents(NamedTuple):
    """What was seen; None where it is not known."""

    signs: list[Sign]
    newest: int | None = None
    floor: int | None = None


def look_inside(path: Path) -> Contents:
    """Opens the archive for reading, beside whoever writes it."""
    try:
        with otrdb.open(path, mode="r") as db:
            info, floor = db.info(), db.stats()["floor_bytes"]
            newest, damaged = _newest(db.streams())
    except NotAnArchive:
        return Contents([Sign("archive", "ok", f"there is none in {path} yet")])
    except (OtrError, OSError) as error:
        advice = "See what is left with: otrdb check, otrdb dump files"
        text = error.message if isinstance(error, OtrError) else str(error)
        return Contents([Sign("archive", "failure", f"does not open: {text}", advice)])
    signs = [Sign("archive", "ok", f"format {info['format']}, {info['streams']} streams")]
    if damaged:
        signs = [Sign("archive", "failure", damaged[0], "Copy it elsewhere, then run: otrdb check --deep")]
    writer = info["writer"]
    signs.append(Sign("writer", "ok", "nobody" if writer is None else writer))
    return Contents(signs, newest, floor)


def _newest(streams: Iterable[Stream]) -> tuple[int | None, list[str]]:
    """The latest time of all, and what damage was met on the way."""
    newest: int | None = None
    damaged = []
    for stream in streams:
        try:
            last = last_time(stream)
        except Damaged as error:
            damaged.append(error.message)
            continue
        if last is not None:
            newest = last if newest is None else max(newest, last)
    return newest, damaged
