"""Opening an archive: lock, segments, catalog, journal; and closing it again."""

from __future__ import annotations

import os
import threading
from array import array
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from otrdb.errors import (
    Damaged,
    DiskFull,
    InvalidArgument,
    NotABackup,
    NotAnArchive,
    OtrError,
    ReadOnly,
    WriteFailed,
)
from otrdb.model import LAST_TIME, MIN_TIME
from otrdb.results import CheckProgress, Finding
from otrdb.storage.backup_files import missing
from otrdb.storage.backup_manifest import MANIFEST_NAME, read_manifest
from otrdb.storage.catalog import Catalog
from otrdb.storage.directory import Directory
from otrdb.storage.durability import Durability
from otrdb.storage.extract import Extract
from otrdb.storage.freed import Freed
from otrdb.storage.journal import CAP_BYTES, Journal
from otrdb.storage.locks import ReaderLease, WriterLock, oldest_lease
from otrdb.storage.records import SegmentsFreed, decode
from otrdb.storage.segments import SEGMENT_BYTES, SegmentStore
from otrdb.times import to_ns

from .archive import Archive
from .check import silent
from .core import Budget, Core, nobody
from .engine import Engine
from .findings import damage_found, records_lost
from .follow import Follower
from .forks import keep_from_children
from .loading import Loader, load_catalog
from .replay import replay
from .thinned import say_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb.storage.backup_manifest import Manifest
    from otrdb.storage.medium import Medium
    from otrdb.times import TimeLike

    from .state import StreamState

MEMORY: Final = 160 << 20
"""Default memory budget, bytes: decoded blocks, trees of pending points, the pending points themselves."""

LEAST_MEMORY: Final = 8 << 20

CATALOG_NAME: Final = "catalog.sqlite"

OWN_FILES: Final = frozenset(
    {CATALOG_NAME, f"{CATALOG_NAME}.stamp", "writer.lock", "readers", "keys.json", "keys.json.new"}
)
"""What an archive may hold besides segments and journal files."""

EPOCH_BITS: Final = 32
"""After an unclean end version numbers go on above ``(epoch - 1) << EPOCH_BITS``: marks given out in earlier
epochs were below, and their numbers are never used again, however often the end is unclean.
"""


_UNWRITTEN: Final = "The catalog cannot be written. Opening the archive will make it again from the segments."
_KEPT: Final = "The catalog is kept, since it cannot be made again from what is left of the segments."


def open_archive(
    path: str | os.PathLike[str],
    *,
    mode: Literal["w", "r"] = "w",
    durability: str = "sync",
    memory: int = MEMORY,
    journal: int = CAP_BYTES,
    accept: tuple[TimeLike, TimeLike] | None = None,
    new_streams: int | None = None,
) -> Archive:
    """Open the archive in the directory ``path``; with mode "w" it is created if there is none.

    Args: path: a directory of the archive's own. mode: "w" writes, one process at a time; "r" reads, beside a
    writer or alone, also on read-only media, and a backup too. durability: "sync" (acknowledged points
    survive a power cut), "interval" or "interval=250ms" (they do after that time), "off" (written, left to
    the system to sync). memory: bytes for caches and pending points. journal: cap of the journal, bytes.
    accept: times outside ``[low, high)`` are refused on insert. new_streams: most streams that may be made in
    any minute; None for any number.

    Raises:
        NotAnArchive: there is none, or something else is there.
        ArchiveLocked: another process writes it.
        ReadOnly: it is a backup, and ``mode`` is "w".
        UnsupportedFormat: a newer release wrote it.

    Example:
        >>> import otrdb, tempfile
        >>> with otrdb.open(tempfile.mkdtemp() + "/plant.otr") as db:
        ...     s = db.create("plant/line1", tags={"name": "temperature", "unit": "C"})
        ...     _ = s.insert([1_000, 2_000], [20.5, 21.0])
        ...     s.count()
        2
    """
    if mode not in ("w", "r"):
        raise InvalidArgument(f"{mode!r} is no mode.", advice="Give 'w' or 'r'.")
    if memory < LEAST_MEMORY or journal < 1 << 20:
        raise InvalidArgument(
            "That is too little memory or journal.", advice="Give at least 8 MiB and 1 MiB."
        )
    window = (MIN_TIME, LAST_TIME + 1) if accept is None else (to_ns(accept[0]), to_ns(accept[1]))
    if window[0] >= window[1]:
        raise InvalidArgument(f"accept={accept!r} lets no time in.", advice="Give (low, high), low first.")
    safety = Durability.parse(durability)
    directory = Path(path)
    _check_directory(directory, mode)
    medium: Medium = Directory(directory, readonly=mode == "r")
    backup = read_manifest(medium)
    if backup is not None:
        medium = backup_on(medium, backup)
    guard = WriterLock(directory) if mode == "w" else ReaderLease(directory)
    try:
        archive = open_medium(
            medium,
            writable=mode == "w",
            durability=safety,
            budget=Budget(memory),
            journal_cap=journal,
            accept=(max(window[0], MIN_TIME), min(window[1] - 1, LAST_TIME)),
            catalog=directory / CATALOG_NAME,
            release=guard.release,
            renew=guard.renew if isinstance(guard, ReaderLease) else _forget,
            oldest_reader=lambda: oldest_lease(directory),
            new_streams=new_streams,
        )
        if backup is not None:
            note_what_is_missing(archive, medium, backup)
    except BaseException:
        guard.release()
        raise
    return archive


def backup_on(medium: Medium, manifest: Manifest) -> Extract:
    """The files of a backup and nothing else; `NotABackup` if none was ever completed there."""
    if not manifest.number:
        raise NotABackup("The first backup to this directory was cut off.", advice="Back up again.")
    return Extract(medium, manifest.sizes)


def note_what_is_missing(archive: Archive, medium: Medium, manifest: Manifest) -> None:
    """Damage of a backup that its files do not tell of themselves: what is no longer at their end."""
    core = archive._engine.core
    newest = core.catalog.position.sequence
    for damage in missing(medium, manifest):
        core.note(damage_found(damage))
    if newest < manifest.sequence:
        text = f"The segments of the backup end with group {newest}; there were {manifest.sequence}."
        core.note(Finding(Damaged.code, text))


def repair(
    path: str | os.PathLike[str], *, progress: Callable[[CheckProgress], None] = silent
) -> list[Finding]:
    """Rebuild the catalog of the archive at ``path`` from its segments and verify everything; returns what is
    wrong.

    The segments alone are the whole archive, so nothing is lost with the catalog. What is damaged in them is
    reported, and stays where it is. A catalog that knows more than what is left of the segments is kept, and
    that is reported. Nobody else may be writing. ``progress`` is told how far the check has come. Cost: the
    whole archive is read, twice.

    Example:
        >>> import otrdb, tempfile
        >>> path = tempfile.mkdtemp() + "/plant.otr"
        >>> otrdb.open(path).close()
        >>> otrdb.repair(path)
        []
    """
    directory = Path(path)
    if (directory / MANIFEST_NAME).exists():
        _check_backup_is_read(directory, "w")
    _check_directory(directory, "r")
    lock = WriterLock(directory)
    with ExitStack() as stack:
        stack.callback(lock.release)
        lost = _lost_with_the_catalog(directory)
        if lost:
            return lost
        for suffix in ("", "-journal"):
            (directory / f"{CATALOG_NAME}{suffix}").unlink(missing_ok=True)
        catalog = directory / CATALOG_NAME
        archive = open_medium(
            Directory(directory),
            writable=True,
            durability=Durability.parse("sync"),
            budget=Budget(MEMORY),
            catalog=catalog,
            oldest_reader=lambda: oldest_lease(directory),
        )
        stack.callback(archive.close)
        found = list(archive.check(progress=progress))
        return found if catalog.exists() else [*found, Finding(WriteFailed.code, _UNWRITTEN)]


def _lost_with_the_catalog(directory: Path) -> list[Finding]:
    """What the catalog knows and the segments do not hold any more. Nothing is changed to find out."""
    segments = SegmentStore(Directory(directory, readonly=True))
    core = Core(segments, Catalog(None, segments.archive), Budget(LEAST_MEMORY), (MIN_TIME, LAST_TIME))
    with ExitStack() as stack:
        stack.callback(segments.close)
        stack.callback(core.catalog.close)
        old = Catalog(directory / CATALOG_NAME, segments.archive, readonly=True)
        stack.callback(old.close)
        known = old.position.sequence
        try:
            missing = known - _load_segments(core, writable=False, known=known)
        except OtrError as error:
            return [*core.findings, Finding(Damaged.code, f"{_KEPT} {error.message}")] if known else []
        if missing > 0:
            return [*core.findings, Finding(Damaged.code, f"{_KEPT} It knows {missing} commits more.")]
    return []


def _nothing() -> None:
    """Nothing guards an archive that is opened on a bare medium."""


def _forget(_: int) -> None:
    """Nobody wants to know what is needed."""


def open_medium(
    medium: Medium,
    *,
    writable: bool,
    durability: Durability,
    budget: Budget,
    journal_cap: int = CAP_BYTES,
    accept: tuple[int, int] = (MIN_TIME, LAST_TIME),
    catalog: Path | None = None,
    segment: int = SEGMENT_BYTES,
    release: Callable[[], None] = _nothing,
    renew: Callable[[int], None] = _forget,
    oldest_reader: Callable[[], int | None] = nobody,
    new_streams: int | None = None,
) -> Archive:
    """Open the archive on any medium; ``release`` lets go of what guards it when it is closed.

    ``segment`` is the size, in bytes, from which on a segment is sealed. ``renew`` says that only files in
    use since a time, ns, are needed by this reader; ``oldest_reader`` since when no reader says less.
    """
    segments = SegmentStore(medium, nominal=segment)
    index = Catalog(catalog, segments.archive, readonly=not writable)
    # A segment for compaction, and what is pending at most.
    core = Core(segments, index, budget, accept, floor=segment + journal_cap)
    core.oldest_reader = oldest_reader
    keep_from_children(core)
    _load_segments(core, writable)
    if writable:
        applied = core.catalog.last_lsn
        core.journal = Journal(
            medium,
            core.segments.archive,
            durability=durability,
            cap=journal_cap,
            after=applied,
            room=core.room,
        )
        _replay(core)
    follower = None if writable else Follower(core, medium, renew)
    engine = Engine(core, journal_cap, follower, new_streams)
    engine.refresh()
    if writable:
        if core.findings:
            say_again(core, engine.committer)
        # The journal may hold more than the memory setting allows for.
        engine.pressure.settle()
        engine.compactor.delete_freed()
    return Archive(engine, Closing(engine, release))


def _load_segments(core: Core, writable: bool, known: int = 0) -> int:
    """Bring the catalog and the streams up to date.

    Returns how many groups up to sequence ``known`` were read for that, or need not be read any more.
    """
    _learn_freed(core)
    load_catalog(core)
    loader, freed, read = Loader(core), core.segments.freed, array("Q")
    position = core.catalog.position
    scan = core.segments.recover if writable else core.segments.scan
    for found in scan(position, report=lambda damage: core.findings.append(damage_found(damage))):
        loader.take(decode(found.payload))
        core.catalog.apply(found.payload, found.info)
        if found.info.sequence <= known:
            read.append(found.info.sequence)
    loader.finish()
    needed = sum(high - low + 1 for low, high in freed.without(1, known))
    return known - needed + sum(not freed.had(sequence) for sequence in read)


def _learn_freed(core: Core) -> None:
    """Which segments may be missing: the catalog knows, unless it is new or older than they are.

    One that is older knows versions whose blocks have been moved since, and is made anew.
    """
    segments, catalog = core.segments, core.catalog
    segments.freed = Freed(catalog.freed())
    if not segments.has_gaps():
        return
    for found in segments.scan(report=lambda _: None):
        for entry in decode(found.payload):
            if isinstance(entry, SegmentsFreed):
                segments.freed.add(entry)
    if 0 < catalog.position.sequence <= segments.freed.last_group:
        catalog.clear()


def _replay(core: Core) -> None:
    journal = core.writable()
    for record in journal.replay(lambda lost: core.findings.append(records_lost(core, lost))):
        replay(core, record)
    for state in core.streams:
        state.last_version = max(state.last_version, (journal.epoch - 1) << EPOCH_BITS)


def _check_directory(directory: Path, mode: str) -> None:
    """Refuse what is no archive, before anything is made in it."""
    if directory.exists() and not directory.is_dir():
        raise NotAnArchive(f"{directory} is a file; an archive is a directory.")
    inside = os.listdir(directory) if directory.exists() else []
    if MANIFEST_NAME in inside:
        _check_backup_is_read(directory, mode)
        return
    if not any(name.endswith(".otr") for name in inside) and any(map(_needs_segments, inside)):
        raise Damaged(
            f"The segments of the archive in {directory} are missing.",
            advice="Put them back; nothing has been changed.",
        )
    known = [name for name in inside if name.endswith((".otr", ".otj"))]
    if mode == "r" and not known:
        raise NotAnArchive(f"There is no archive in {directory}.")
    if inside and not known and set(inside) - OWN_FILES:
        raise NotAnArchive(f"{directory} holds other files, and no archive.")


def _check_backup_is_read(directory: Path, mode: str) -> None:
    if mode == "w":
        raise ReadOnly(
            f"{directory} holds a backup.",
            advice="It can be read. To change it, restore it to a new directory.",
        )


def _needs_segments(name: str) -> bool:
    """Whether a file is never there without a segment: the first one is made before it."""
    return name == CATALOG_NAME or name.endswith(".otj")


class Closing:
    """Closes an archive once, whoever asks first."""

    def __init__(self, engine: Engine, release: Callable[[], None]) -> None:
        self._engine = engine
        self._release = release
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Make acknowledged points durable, bring the catalog up to date, let go of the files."""
        core = self._engine.core
        if core.forked:
            return
        with self._lock, core.committing, ExitStack() as stack:
            if core.closed:
                return
            stack.callback(self._release)
            stack.callback(core.segments.close)
            stack.callback(self._engine.encoder.close)
            stack.callback(core.catalog.close)
            stack.callback(self._end_journal)
            self._commit_marked()

    def _end_journal(self) -> None:
        """What was acknowledged becomes durable, whatever else goes wrong."""
        core = self._engine.core
        with core.files, core.lock:
            core.closed = True
            clean = core.failure is None and not any(_marked(state) for state in core.streams)
        if core.journal is not None:
            try:
                core.journal.close(clean=clean)
            finally:
                core.subscribers.close(core.journal.durable_lsn)

    def _commit_marked(self) -> None:
        """Commit the streams with marks: a mark's number must not mean something else after the next opening.

        Where there is no room for that the session ends uncleanly, after which numbers go on much higher.
        """
        core = self._engine.core
        if core.journal is None:
            return
        with core.lock:
            marked = [state for state in core.streams if _marked(state)]
        with suppress(DiskFull, WriteFailed, Damaged):
            self._engine.pressure.commit(marked)


def _marked(state: StreamState) -> bool:
    """Whether marks of this session have larger numbers than any version committed."""
    return state.told > state.committed.version
