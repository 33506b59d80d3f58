"""What both baseline archives do the same way: streams, atomic batches, versions, closing.

A `Core` keeps the points of each stream in a `Series`; its subclasses say how. All of it runs under one lock,
but states are immutable, so questions are answered outside it.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from otrdb.baseline.catalog import Catalog
from otrdb.baseline.claim import Claim
from otrdb.baseline.merging import Batch
from otrdb.baseline.states import Sorted, State
from otrdb.errors import ClosedArchive, Damaged, InsertTooBig, InvalidArgument, VersionNotAvailable
from otrdb.model import FIRST_VERSION, Int64Array, Kind, Merge
from otrdb.results import Finding

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from otrdb.metadata import Metadata

Durability: TypeAlias = Literal["sync", "off"]
Clock: TypeAlias = Callable[[], int]

MAX_POINTS: Final = 1 << 26
"""Most points in one batch: they are written as one record."""


class Commit(NamedTuple):
    """A version and when it was made, ns since 1970 UTC."""

    version: int
    time: int


class Part(NamedTuple):
    """One stream's share of a batch: times and value words in order of arrival."""

    uuid: UUID
    times: Int64Array
    words: Int64Array


class Series(ABC):
    """The points of one stream, with all their versions."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.pending = 0
        """Acknowledged points that are in no version yet."""
        self.commits: list[Commit] = []

    @property
    def version(self) -> int:
        """The last version made."""
        return self.commits[-1].version if self.commits else FIRST_VERSION

    def at(self, version: int) -> State:
        """The state of a version, or VersionNotAvailable."""
        if version <= FIRST_VERSION:
            return Sorted.empty(self.kind, version)
        if version > self.version:
            raise VersionNotAvailable(f"There is no version {version} yet; the last is {self.version}.")
        return self.latest() if version == self.version and not self.pending else self.committed(version)

    def as_of(self, instant: int) -> int:
        """The last version made at `instant` or before."""
        made = [commit.version for commit in self.commits if commit.time <= instant]
        return made[-1] if made else FIRST_VERSION

    @abstractmethod
    def latest(self) -> State:
        """All points, pending ones too."""

    @abstractmethod
    def committed(self, version: int) -> State:
        """The points of a version that was made."""

    @abstractmethod
    def changed(self, old: State, new: State) -> list[tuple[int, int]]:
        """Ranges [start, end), ascending, outside which two states of this series are the same."""


S = TypeVar("S", bound=Series)


class Core(ABC, Generic[S]):
    """An archive without its public face."""

    make: str
    """The name of this way of keeping points, recorded in the archive."""

    def __init__(self, path: Path, durability: Durability, clock: Clock) -> None:
        if durability not in ("sync", "off"):
            raise InvalidArgument(f"{durability!r} is no durability.", advice="Give 'sync' or 'off'.")
        self.path = path
        self.durable = durability == "sync"
        """Whether what is acknowledged has been synced."""
        self.lock = threading.RLock()
        self._clock = clock
        self._closed = False
        self._series: dict[UUID, S | Damaged] = {}
        self._claim = Claim(path, self.make)
        try:
            self.catalog = Catalog(path / "catalog.log")
            self._start()
        except BaseException:
            self._claim.release()
            raise

    @abstractmethod
    def _start(self) -> None:
        """Opens the files and loads what is in them."""

    @abstractmethod
    def _open(self, number: int, metadata: Metadata) -> S:
        """The series of a stream, new or from disk."""

    @abstractmethod
    def _store(self, parts: Sequence[tuple[S, Batch]]) -> None:
        """Keeps a batch, all of it or none; durably, if `durable`."""

    @abstractmethod
    def _commit(self, series: Sequence[S]) -> None:
        """Makes a version of each of these series, durably; all have pending points."""

    @abstractmethod
    def _erase(self, series: S, start: int, end: int) -> None:
        """Makes a version without the points of a range, durably; there are no pending points."""

    @abstractmethod
    def _remove(self, series: S) -> None:
        """Lets go of an obliterated stream's points."""

    @abstractmethod
    def _verify(self, series: S) -> None:
        """Reads all of a series, or raises Damaged."""

    @abstractmethod
    def _release(self) -> None:
        """Syncs and closes all files."""

    def load(self) -> None:
        """Opens the series of all streams; damage in one does not keep the others from opening."""
        for metadata in self.catalog.registry:
            try:
                self._series[metadata.uuid] = self._open(self.catalog.numbers[metadata.uuid], metadata)
            except Damaged as error:
                error.stream = metadata.uuid
                self._series[metadata.uuid] = error

    def now(self) -> int:
        """The time of a commit made now, ns since 1970 UTC."""
        return self._clock()

    def check_open(self) -> None:
        """Raises ClosedArchive after `close`."""
        if self._closed:
            raise ClosedArchive(f"The archive {self.path} is closed.")

    def metadata(self, uuid: UUID) -> Metadata:
        """What is known of a stream, or NoSuchStream."""
        self.check_open()
        return self.catalog.registry[uuid]

    def series(self, uuid: UUID) -> S:
        """A stream's series. Raises NoSuchStream, or Damaged if it could not be opened."""
        self.metadata(uuid)
        series = self._series[uuid]
        if isinstance(series, Damaged):
            raise series
        return series

    def create(self, metadata: Metadata) -> None:
        """Adds a stream."""
        with self.lock:
            self.check_open()
            self.catalog.registry.check_new(metadata)
            self.catalog.create(metadata)
            self._series[metadata.uuid] = self._open(self.catalog.numbers[metadata.uuid], metadata)

    def update(self, uuid: UUID, change: Callable[[Metadata], Metadata]) -> int:
        """Changes a stream's metadata and returns the new property version."""
        with self.lock:
            changed = change(self.metadata(uuid))
            self.catalog.registry.check_change(changed)
            self.catalog.change(changed)
            return changed.property_version

    def obliterate(self, uuid: UUID) -> None:
        """Removes a stream for ever."""
        with self.lock:
            self.metadata(uuid)
            self.catalog.obliterate(uuid)
            series = self._series.pop(uuid)
            if not isinstance(series, Damaged):
                self._remove(series)

    def insert(self, parts: Iterable[Part], merge: Merge) -> None:
        """Keeps the points of all parts, or none."""
        with self.lock:
            self.check_open()
            batches = [(self.series(part.uuid), Batch(part.times, part.words, merge)) for part in parts]
            batches = [(series, batch) for series, batch in batches if len(batch.times)]
            if sum(len(batch.times) for _, batch in batches) > MAX_POINTS:
                raise InsertTooBig(f"One batch holds at most {MAX_POINTS} points.")
            if batches:
                self._store(batches)

    def commit(self, uuids: Iterable[UUID]) -> None:
        """Makes a version of each stream that has pending points."""
        with self.lock:
            self.check_open()
            waiting = [series for series in map(self.series, uuids) if series.pending]
            if waiting:
                self._commit(waiting)

    def delete(self, uuid: UUID, start: int, end: int) -> int:
        """Commits what is pending, then makes a version without the points of a range."""
        with self.lock:
            self.commit([uuid])
            series = self.series(uuid)
            self._erase(series, start, end)
            return series.version

    def states(self, uuids: Iterable[UUID]) -> dict[UUID, State]:
        """The latest states of several streams at one moment."""
        with self.lock:
            self.check_open()
            return {uuid: self.series(uuid).latest() for uuid in uuids}

    def mark(self, uuid: UUID) -> S:
        """The stream's series, after all its points were given a version."""
        with self.lock:
            self.commit([uuid])
            return self.series(uuid)

    def keep_snapshot(self, name: str) -> None:
        """Commits everything and keeps the versions under a name."""
        with self.lock:
            uuids = self.uuids()
            self.commit(uuids)
            self.catalog.keep_snapshot(name, {uuid: self.series(uuid).version for uuid in uuids})

    def uuids(self) -> list[UUID]:
        """All streams that could be opened."""
        self.check_open()
        return [uuid for uuid, series in self._series.items() if not isinstance(series, Damaged)]

    def check(self) -> Iterator[Finding]:
        """Reads everything and says what is damaged."""
        self.check_open()
        for uuid in list(self._series):
            try:
                with self.lock:
                    self._verify(self.series(uuid))
            except Damaged as error:
                yield Finding(error.code, error.message, uuid, error.start, error.end)

    def stats(self) -> dict[str, Any]:
        """Counters."""
        with self.lock:
            pending = sum(self.series(uuid).pending for uuid in self.uuids())
            files = [item.stat().st_size for item in self.path.iterdir()]
            return {"streams": len(self._series), "pending_points": pending, "bytes_on_disk": sum(files)}

    def close(self) -> None:
        """Syncs and lets go of everything. May be called again."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._release()
            finally:
                self.catalog.close()
                self._claim.release()


def wall_clock() -> int:
    """Wall-clock time, ns since 1970 UTC."""
    return time.time_ns()
