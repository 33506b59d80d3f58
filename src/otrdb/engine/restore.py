"""Restoring: a new archive from a backup, of everything or of chosen streams at some version."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

import numpy as np

from otrdb.errors import Damaged, InvalidArgument, NotABackup, Thinned
from otrdb.storage.backup_files import copy_backup
from otrdb.storage.backup_manifest import read_manifest
from otrdb.storage.directory import Directory, rename_directory

from .backup import Progress, refuse_inside
from .opening import backup_on, open_archive

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from otrdb.interface import StreamLike

    from .archive import Archive
    from .reads import Reads
    from .stream import Stream

AsOf: TypeAlias = int | str | datetime | np.datetime64

_POINTS: Final = 1 << 20
"""Points that are in memory at once."""


def restore(
    backup: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    streams: Sequence[UUID | str | StreamLike] | None = None,
    as_of: AsOf | None = None,
    progress: Progress | None = None,
) -> int:
    """Make an archive in the new directory ``target`` from a ``backup``; returns how many streams it has.

    Without ``streams`` and ``as_of`` it is a copy of everything: versions, snapshots and pending points too.
    Every file is proved by the checksum in the backup's manifest, written, synced, read back and proved
    again. It has the uuid of the archive that was backed up; a later backup of it goes to a directory of its
    own. Numbers of versions go on above all that were told before the backup.

    With ``streams`` (uuids, or handles) or ``as_of`` it is a new archive, with a uuid of its own, that holds
    these streams, or all, with their uuids, kinds, collections, tags, annotations and property versions, and
    the points each had ``as_of`` that version (an int; of one stream only) or time (`datetime`, text or
    `numpy.datetime64`; a stream without a version then is empty), or when it was backed up. Earlier
    versions, snapshots, rules and obliterated uuids are not carried over; versions begin at 10 again. At most
    a million points are in memory at once, and of those with one time all.

    The archive is made as ``target.part`` and gets its name when it is whole and durable; what goes wrong
    before leaves nothing under that name. ``progress`` is called with what has been done and how much there
    is: bytes of a copy, else points.

    Raises:
        NotABackup: there is no complete backup in ``backup``.
        InvalidArgument: ``target`` exists and is not empty, or is inside the backup.
        Damaged: something that is to be restored is not what was written.
        NoSuchStream, VersionNotAvailable: of the streams and version asked for.
        Thinned: one of these streams is thinned; a copy of everything keeps it so.

    Example:
        >>> import otrdb, tempfile
        >>> place = tempfile.mkdtemp()
        >>> with otrdb.open(place + "/plant.otr") as db:
        ...     heat = db.create("plant")
        ...     _ = heat.insert([1, 2], [20.5, 20.7])
        ...     _ = db.backup(place + "/backup")
        >>> otrdb.restore(place + "/backup", place + "/again.otr")
        1
        >>> with otrdb.open(place + "/again.otr") as db:
        ...     db.stream(heat.uuid).count()
        2
    """
    path, told = Path(target), progress or _untold
    medium = Directory(backup, readonly=True)
    manifest = read_manifest(medium) if medium.path.is_dir() else None
    if manifest is None:
        raise NotABackup(f"There is no backup in {backup}.", advice="Name the directory of a backup.")
    refuse_inside(path, medium.path)
    source = backup_on(medium, manifest)
    with _new_directory(path) as part:
        if streams is None and as_of is None:
            copy_backup(source, manifest, Directory(part), _steps(told, sum(manifest.sizes.values())))
            with open_archive(part) as archive:  # makes the catalog, too
                return len(archive.streams())
        with open_archive(backup, mode="r") as old, open_archive(part) as new:
            chosen = old.streams() if streams is None else [_found(old, stream) for stream in streams]
            _check_whole(old, chosen)
            _restore_streams(chosen, new, as_of, told)
            return len(new.streams())


def _untold(done: int, total: int) -> None:
    """Nobody watches."""


def _steps(progress: Progress, total: int) -> Callable[[int], None]:
    """Counts steps up to ``total``."""
    done = 0

    def advance(step: int) -> None:
        nonlocal done
        done += step
        progress(done, total)

    return advance


@contextmanager
def _new_directory(path: Path) -> Iterator[Path]:
    """A directory that gets the name ``path`` in the end, if all goes well, and is removed otherwise."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InvalidArgument(f"{path} exists.", advice="Restore to a new directory.")
    part = path.with_name(f"{path.name}.part")
    if part.exists():
        raise InvalidArgument(
            f"{part} exists: a restore to {path} is under way, or was cut off.",
            advice=f"If none is under way, remove {part} and repeat.",
        )
    try:
        yield part
        (part / "writer.lock").unlink(missing_ok=True)
        rename_directory(part, path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _found(archive: Archive, stream: UUID | str | StreamLike) -> Stream:
    return archive.stream(stream if isinstance(stream, (UUID, str)) else stream.uuid)


def _check_whole(archive: Archive, streams: Sequence[Stream]) -> None:
    """`Damaged` if what was met on opening the backup may concern these streams: they could be older than
    they were, or lack points.
    """
    uuids = {None, *(stream.uuid for stream in streams)}
    for finding in archive._engine.core.findings:
        if finding.stream in uuids:
            raise Damaged(
                finding.message, advice="Read what is left in the backup itself: it opens as an archive does."
            )


def _restore_streams(streams: Sequence[Stream], target: Archive, as_of: AsOf | None, told: Progress) -> None:
    streams = list({stream.uuid: stream for stream in streams}.values())
    if isinstance(as_of, int) and len(streams) != 1:
        raise InvalidArgument(
            f"Version {as_of} of {len(streams)} streams says nothing: each counts its own.",
            advice="Give a time, or one stream.",
        )
    states = [_state(stream, as_of) for stream in streams]
    advance = _steps(told, sum(state.count() for state in states))
    for stream, state in zip(streams, states, strict=True):
        copy = _created(stream, target)
        try:
            for low, high in _pieces(state):
                points = state.values(low, high)
                copy.insert(points.times, points.values)
                advance(len(points))
        except Thinned as error:
            error.advice = "Restore everything: a copy keeps what was thinned as it is."
            raise
    target.flush()


def _state(stream: Stream, as_of: AsOf | None) -> Reads:
    if as_of is None:
        return stream
    return stream.at(as_of) if isinstance(as_of, int) else stream.as_of(as_of)


def _created(stream: Stream, target: Archive) -> Stream:
    """The stream, empty, with its metadata and the number of times that was changed."""
    made = target.create(
        stream.collection,
        kind=stream.kind,
        tags=stream.tags,
        annotations=stream.annotations,
        uuid=stream.uuid,
    )
    number = stream.property_version
    if number != made.property_version:
        target._engine.update(made.state, lambda metadata: replace(metadata, property_version=number))
    return made


def _pieces(state: Reads) -> Iterator[tuple[int, int]]:
    """Ranges that together hold all points, and each not too many."""
    first, last = state.earliest(), state.latest()
    if first is not None and last is not None:
        yield from _halved(state, first.time, last.time + 1)


def _halved(state: Reads, low: int, high: int) -> Iterator[tuple[int, int]]:
    count = state.count(low, high)
    if count <= _POINTS or high - low == 1:
        if count:
            yield low, high
        return
    middle = (low + high) // 2
    yield from _halved(state, low, middle)
    yield from _halved(state, middle, high)
