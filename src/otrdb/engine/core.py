"""The parts of an open archive, and the rules of who may touch them when.

Two locks, always taken in this order: ``committing`` (one commit at a time; held over I/O) and ``lock`` (the
archive's state: streams, pending points, order of journal records; held for microseconds). Readers take
``lock`` only to learn a fixed state of a stream; everything they then read is immutable.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING

from otrdb.errors import ClosedArchive, OtrError, ReadOnly, WriteFailed
from otrdb.model import Kind
from otrdb.storage.blocks import NOWHERE
from otrdb.storage.room import Room
from otrdb.tree import Cache, Source

from .blocks import CountedBlocks
from .history import History
from .marks import Marks
from .moments import Moments
from .pending import Pending
from .roots import Roots
from .rules import Rules
from .streams import Streams
from .subscribers import Subscribers
from .versions import Committed, Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otrdb.results import Finding
    from otrdb.storage.catalog import Catalog
    from otrdb.storage.catalog_tables import CatalogVersion
    from otrdb.storage.journal import Journal
    from otrdb.storage.records import Committed as CommittedEntry
    from otrdb.storage.records import VersionKept
    from otrdb.storage.segments import SegmentStore

    from .state import StreamState


@dataclass(frozen=True, slots=True)
class Budget:
    """How the memory setting is shared out, in bytes.

    A third, or a quarter where somebody subscribes, is left for the streams themselves, for what is being
    committed, and for what the allocator cannot give back: measured, a fifth of what it was asked for.
    """

    total: int

    @property
    def cache(self) -> int:
        """Decoded blocks."""
        return self.total // 4

    @property
    def overlays(self) -> int:
        """Trees of pending points."""
        return self.total // 8

    @property
    def pending(self) -> int:
        """Pending points themselves."""
        return self.total // 5

    @property
    def marks(self) -> int:
        """Points that were committed since, and that only marks need as they were."""
        return self.total // 10

    @property
    def subscriptions(self) -> int:
        """Points that those who follow them have not taken yet."""
        return self.total // 16


def nobody() -> None:
    """Nobody reads besides."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class Core:
    """What the parts of the engine share."""

    segments: SegmentStore
    catalog: Catalog
    budget: Budget
    accept: tuple[int, int]
    """The first and the last time that is accepted, ns."""
    floor: int = 0
    """Bytes of the disk that new points may not take."""
    journal: Journal | None = None
    """None in an archive that is open for reading."""
    seen_lsn: int = 0
    """The newest LSN that was met in the journal's files."""
    streams: Streams = field(default_factory=Streams)
    moments: Moments = field(default_factory=Moments)
    pending: Pending = field(default_factory=Pending)
    history: History = field(default_factory=History)
    """Which versions are kept of a stream that no rule says otherwise of."""
    rules: Rules = field(default_factory=Rules)
    committing: RLock = field(default_factory=RLock)
    lock: RLock = field(default_factory=RLock)
    closed: bool = False
    forked: bool = False
    """Whether it is closed because this process is a child of the one that opened it."""
    failure: WriteFailed | None = None
    """Why nothing is written any more."""
    room: Room = field(init=False)
    cache: Cache = field(init=False)
    marks: Marks = field(init=False)
    roots: Roots = field(init=False)
    subscribers: Subscribers = field(init=False)
    blocks: CountedBlocks = field(init=False)
    sources: dict[Kind, Source] = field(init=False)
    oldest_reader: Callable[[], int | None] = nobody
    """Since when, ns, a reader may be using the files as they were then; None if nobody reads."""
    files: RLock = field(default_factory=RLock)
    """Taken before ``lock``: to delete a segment, and to change what forbids it, `keeping` and `closed`."""
    keeping: int = 0
    """How many need the segments to stay, such as backups."""
    findings: list[Finding] = field(default_factory=list)
    """Damage met when the archive was opened."""

    def __post_init__(self) -> None:
        self.room = Room(self.segments.medium, self.floor)
        self.cache = Cache(self.budget.cache)
        self.marks = Marks(self.budget.marks)
        self.roots = Roots(self.budget.overlays)
        self.subscribers = Subscribers(self.budget.subscriptions)
        self.blocks = CountedBlocks(self.segments)
        self.sources = {kind: Source(kind, self.blocks, self.cache) for kind in Kind}

    def check_open(self) -> None:
        """Raise `ClosedArchive` once the archive has been closed."""
        if self.forked:
            raise ClosedArchive(
                "This archive was opened by the parent of this process.",
                advice="Open it in this process: an archive cannot be used across a fork.",
            )
        if self.closed:
            raise ClosedArchive("This archive has been closed.")

    def writable(self) -> Journal:
        """The journal, or the reason why nothing can be written."""
        self.check_open()
        if self.journal is None:
            raise ReadOnly("This archive is open for reading.")
        if self.failure is not None or self.journal.failed:
            raise WriteFailed("A write failed earlier, so nothing more is written.") from self.failure
        return self.journal

    def admit(self, needed: int = 0) -> None:
        """Raise the reason why points cannot be taken in: what keeps anything from being written, or
        `DiskFull` if ``needed`` bytes more would take room that must stay free.
        """
        self.writable()
        self.room.admit(needed)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Remembers that a write failed within, after which inserts are refused as well."""
        try:
            yield
        except WriteFailed as error:
            self.failure = self.failure or error
            raise

    def interrupted(self, error: BaseException) -> None:
        """An insert ended with ``error`` between the journal and the pending points.

        A refusal stored nothing. After anything else the record may be in the journal and not among the
        pending points: a commit would then leave out what a replay brings in, so there must be none.
        """
        if not isinstance(error, OtrError):
            self.failure = self.failure or WriteFailed("An insert was interrupted half-way.")

    @contextmanager
    def files_kept(self) -> Iterator[None]:
        """No segment is deleted within."""
        with self.files:
            self.keeping += 1
        try:
            yield
        finally:
            with self.files:
                self.keeping -= 1

    def note(self, finding: Finding) -> None:
        """Remember what is wrong, for the next check."""
        if finding not in self.findings:
            self.findings.append(finding)

    def versions(self, state: StreamState) -> Versions:
        """The committed versions of a stream that are kept. Asked under the lock."""
        if state.versions is None:
            found = self.catalog.versions(state.number)
            state.versions = Versions(map(committed_of, found))
            # The catalog hears of a commit after the stream.
            state.versions.put(state.committed)
        return state.versions

    def kept_versions(self, state: StreamState) -> Iterable[Committed]:
        """The same, without keeping them in memory. Asked under the lock."""
        if state.versions is not None:
            return state.versions
        return map(committed_of, self.catalog.versions(state.number))

    def history_of(self, state: StreamState) -> History:
        """Which versions of a stream are kept. Asked under the lock."""
        return self.rules.history(state.metadata, self.history)

    def prunable(self, state: StreamState, versions: Sequence[Committed], now: int) -> list[int]:
        """The numbers of those ``versions`` of a stream that need not be kept at ``now``, ns."""
        with self.lock:
            history = self.history_of(state)
            held = self.streams.held(state.number)
        return history.prunable(versions, now, held)

    def newest_lsn(self) -> int:
        """The LSN of the newest acknowledged record. Asked under the lock."""
        return self.seen_lsn if self.journal is None else self.journal.next_lsn - 1


def committed_of(version: CatalogVersion | CommittedEntry | VersionKept) -> Committed:
    """A version as the catalog or an entry tells of it."""
    root = None if version.root == NOWHERE else version.root
    return Committed(version.version, root, version.applied_lsn, version.time)


def now_ns() -> int:
    """Wall-clock time, ns since 1970."""
    return time.time_ns()
