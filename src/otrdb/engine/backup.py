"""Backups: the segments through one group, and the points pending then as a journal file of their own.

Nothing is committed for a backup and no writer waits for one: segments only grow, so what stands before a
position stays as it is. What is pending is held as a moment holds it. An archive that is open for reading can
be backed up as well, beside the process that writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from otrdb.errors import InvalidArgument, NotABackup
from otrdb.results import BackedUp
from otrdb.storage.backup_files import (
    BACKUP_FILES,
    copy_pieces,
    plan,
    prove,
    remove_others,
    write_whole,
)
from otrdb.storage.backup_manifest import MANIFEST_NAME, Manifest, read_manifest, write_manifest
from otrdb.storage.directory import Directory
from otrdb.storage.freed import Freed
from otrdb.storage.headers import JournalHeader
from otrdb.storage.journal_files import JOURNAL_NAMES, JournalFiles
from otrdb.storage.journal_records import OPENED, POINTS, pack_points, seal
from otrdb.storage.locks import WriterLock

from .core import now_ns
from .findings import damage_found
from .pending import combined

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from uuid import UUID

    from otrdb.errors import Damaged
    from otrdb.results import Finding
    from otrdb.storage.groups import Position
    from otrdb.storage.medium import Data, Medium

    from .core import Core
    from .engine import Engine
    from .state import Chunk, Prefix, StreamState

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many bytes have been copied, and how many there are to copy."""


class _Held(NamedTuple):
    """All streams at one LSN: what is committed through `position`, and the pending points of each."""

    position: Position
    lsn: int
    epoch: int
    freed: Freed
    """What may be missing of the segments, by what is said in them through `position`."""
    pending: list[tuple[StreamState, Prefix]]


def backup_to(engine: Engine, target: str | os.PathLike[str], progress: Progress) -> BackedUp:
    """Back up to the directory ``target``, made if there is none."""
    engine.check_open()
    path, source = Path(target), engine.core.segments.medium
    if isinstance(source, Directory):
        refuse_inside(path, source.path)
    _check_target(path)
    medium = Directory(path)
    lock = WriterLock(path)
    try:
        with engine.core.files_kept():
            return backup(engine, medium, progress)
    finally:
        lock.release()


def backup(engine: Engine, target: Medium, progress: Progress) -> BackedUp:
    """Bring the backup on a medium up to date. The manifest is written last, and makes it count."""
    archive, source = engine.core.segments.archive, engine.core.segments.medium
    before = _begun(target, archive)
    held, number = _hold(engine), before.number + 1
    pieces, met = plan(source, held.position, target, before, held.freed)
    journal, journal_crc = write_whole(target, JOURNAL_NAMES.name(number), _journal(number, archive, held))
    held.pending.clear()
    told = _Told(progress, journal + sum(piece.missing for piece in pieces))
    told.advance(journal)
    segments, unreadable = copy_pieces(source, target, pieces, told.advance)
    sequence = held.position.sequence
    made = Manifest(number, archive, sequence, now_ns(), journal, journal_crc, segments)
    made, damaged = prove(target, before, made, held.freed)
    write_manifest(target, made)
    remove_others(target, made)
    reused = sum(piece.begin for piece in pieces)
    return BackedUp(told.done, reused, _findings([*met, *unreadable, *damaged]))


class _Told:
    """Counts what has been copied, and tells it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self.done = 0

    def advance(self, copied: int) -> None:
        self.done += copied
        self._progress(self.done, self._total)


def _findings(met: list[Damaged]) -> list[Finding]:
    """Each once, in the order they were met."""
    return list(dict.fromkeys(map(damage_found, met)))


def refuse_inside(path: Path, archive: Path) -> None:
    """`InvalidArgument` if ``path`` is the directory of an archive or a backup, or in it."""
    if path.resolve().is_relative_to(archive.resolve()):
        raise InvalidArgument(f"{path} is inside {archive}.", advice="Name a directory beside it.")


def _check_target(path: Path) -> None:
    """Refuse a directory that holds anything but a backup, before anything is made in it."""
    if path.exists() and not path.is_dir():
        raise NotABackup(f"{path} is a file; a backup is a directory.")
    inside = {entry.name for entry in path.iterdir()} if path.exists() else set()
    if MANIFEST_NAME not in inside and inside - BACKUP_FILES:
        raise NotABackup(f"{path} holds other files, and no backup.")


def _begun(target: Medium, archive: UUID) -> Manifest:
    """The last complete backup in a directory. An empty one is marked as a backup of this archive first: so
    what is copied to it is never taken for an archive.
    """
    manifest = read_manifest(target)
    if manifest is None:
        manifest = Manifest(0, archive)
        write_manifest(target, manifest)
    if manifest.archive != archive:
        raise NotABackup(f"The backup is of the archive {manifest.archive}; this one is {archive}.")
    return manifest


def _hold(engine: Engine) -> _Held:
    """All streams as they are now. Costs microseconds for each stream with pending points."""
    core = engine.core
    with core.committing, core.lock:
        engine.refresh()
        found = map(core.streams.number, core.pending.streams())
        states = [state for state in found if state is not None]
        for state in states:
            core.pending.absorb(state)
        pending = [(state, state.prefix()) for state in states]
        freed = Freed(core.segments.freed)
        return _Held(core.catalog.position, core.newest_lsn(), _epoch(core), freed, pending)


def _epoch(core: Core) -> int:
    if core.journal is not None:
        return core.journal.epoch
    files = JournalFiles(core.segments.medium, core.segments.archive)
    headers = map(files.header, files.numbers())
    return max((header.epoch for header in headers if header), default=1)


def _journal(number: int, archive: UUID, held: _Held) -> Iterator[Data]:
    """A journal file with what is pending, under new LSNs.

    It is left unclosed, as by a session that was cut off: so whoever writes a restored archive begins a new
    epoch, and gives no version a number that was told before the backup.
    """
    lsn = held.lsn
    yield JournalHeader(number, archive, lsn, lsn + 1, held.epoch).pack()
    for state, prefix in held.pending:
        for chunk in _by_merge(prefix):
            counts = np.array([len(chunk.times)], np.uint32)
            flags, payload = pack_points(state.numbers, counts, chunk.times, chunk.words)
            # Each record vouches for the one before: so damage is not taken for the end.
            yield seal(POINTS, chunk.merge.code, flags, number, lsn + 1, lsn, payload) + payload
            lsn += 1
    yield seal(OPENED, 0, 0, number, lsn + 1, lsn, b"")


def _by_merge(prefix: Prefix) -> Iterator[Chunk]:
    """The pending points of a stream in as few chunks as their merge policies allow."""
    chunks = prefix.chunks[: prefix.length]
    for _, same in groupby(chunks, key=lambda chunk: chunk.merge):
        yield combined(list(same))
