"""A fair rival: sorted, compressed chunks with an index of their statistics, and no tree.

* Small inserts go to a write-ahead log (`journal.log`, one record per batch over all its streams) and wait in
  memory.
* A commit merges what waits into the chunks it touches, appends the new chunks to `chunks.log`, syncs, and
  appends a record to `manifest.log` that says which chunks of the list give way to which: that record is the
  version. Versions share the chunks they have in common.
* A batch for one stream that would fill a chunk is committed at once, without the write-ahead log.
* Each version names the last journal record that is in it (LSN), so that replaying the journal stores nothing
  twice. The journal is emptied when nothing waits and it has grown.
"""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from otrdb.baseline.archive import Archive
from otrdb.baseline.chunk_file import PIECE_WORDS, ChunkFile, piece_of_words, piece_words
from otrdb.baseline.core import Clock, Commit, Core, Durability, Series, wall_clock
from otrdb.baseline.log import RecordLog
from otrdb.baseline.merging import Batch, coalesce
from otrdb.baseline.pieces import PIECE_POINTS, Pieces, PieceState, erased, inserted, points_of
from otrdb.errors import InternalError
from otrdb.model import Kind, Merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.baseline.states import State
    from otrdb.metadata import Metadata

_JOURNAL_HEAD: Final = struct.Struct(
    "<QIBxxx"
)  # LSN, streams, merge policy; then (number, points) of each, columns
_VERSION_HEAD: Final = struct.Struct(
    "<IIQqQII"
)  # stream, zero, version, time, LSN, pieces kept before and after
_EMPTY_JOURNAL_FROM: Final = 4 << 20
_COMMIT_ALL_FROM: Final = 64 << 20
_POLICIES: Final = {policy.code: policy for policy in Merge}


class Splice(NamedTuple):
    """How one version's list of pieces became the next: all but `before` and `after` gave way to `added`."""

    before: int
    after: int
    added: Pieces

    @classmethod
    def between(cls, old: Pieces, new: Pieces) -> Splice:
        """The shortest splice that turns `old` into `new`."""
        shorter = min(len(old), len(new))
        before = next((at for at in range(shorter) if old[at] is not new[at]), shorter)
        rest = shorter - before
        after = next((at for at in range(rest) if old[-1 - at] is not new[-1 - at]), rest)
        return cls(before, after, new[before : len(new) - after])

    def apply(self, pieces: Pieces) -> Pieces:
        """The next list."""
        return (*pieces[: self.before], *self.added, *pieces[len(pieces) - self.after :])


class Version(NamedTuple):
    """One record of the manifest."""

    number: int
    commit: Commit
    lsn: int
    splice: Splice

    def encode(self) -> bytes:
        """The record's payload."""
        before, after, added = self.splice
        head = _VERSION_HEAD.pack(self.number, 0, *self.commit, self.lsn, before, after)
        return head + b"".join(piece_words(piece).astype("<i8").tobytes() for piece in added)

    @classmethod
    def decode(cls, payload: bytes) -> Version:
        """The version in a record's payload."""
        number, _, version, time, lsn, before, after = _VERSION_HEAD.unpack_from(payload)
        words = np.frombuffer(payload, dtype="<i8", offset=_VERSION_HEAD.size).astype(np.int64)
        added = tuple(map(piece_of_words, words.reshape(-1, PIECE_WORDS)))
        return cls(number, Commit(version, time), lsn, Splice(before, after, added))


class ChunkedSeries(Series):
    """One stream's lists of pieces, one per version, and the batches that wait."""

    def __init__(self, number: int, kind: Kind, chunks: ChunkFile) -> None:
        super().__init__(kind)
        self.number = number
        self.lsn = 0
        """The last journal record that is in a version."""
        self.last_lsn = 0
        """The last journal record there is."""
        self.pieces: Pieces = ()
        self._splices: list[Splice] = []
        self._waiting: list[Batch] = []
        self._merged: Pieces | None = ()
        self.chunks = chunks

    def add(self, lsn: int, batch: Batch) -> None:
        """Lets a batch wait that is in the journal."""
        self._waiting.append(batch)
        self.pending += len(batch.times)
        self.last_lsn = lsn
        self._merged = None

    def merged(self) -> Pieces:
        """The pieces with everything that waits; new ones are in memory."""
        if self._merged is None:
            pieces = self.pieces
            for batch in coalesce(self._waiting):
                pieces = inserted(pieces, batch, self.kind, self.chunks.load)
            self._merged = pieces
        return self._merged

    def without(self, start: int, end: int) -> Pieces:
        """The pieces without the points of a range."""
        return erased(self.pieces, start, end, self.kind, self.chunks.load)

    def adopt(self, version: Version) -> None:
        """Takes in the next version, which is in the manifest. Nothing waits any more."""
        self.pieces = self._merged = version.splice.apply(self.pieces)
        self._splices.append(version.splice)
        self.commits.append(version.commit)
        self.lsn = version.lsn
        self.last_lsn = max(self.last_lsn, version.lsn)
        self._waiting = []
        self.pending = 0

    def latest(self) -> State:
        """All points, pending ones too."""
        return self._state(self.merged(), self.version)

    def committed(self, version: int) -> State:
        """The points of a version that was made."""
        pieces: Pieces = ()
        for splice, commit in zip(self._splices, self.commits, strict=True):
            if commit.version <= version:
                pieces = splice.apply(pieces)
        return self._state(pieces, version)

    def changed(self, old: State, new: State) -> list[tuple[int, int]]:
        """The spans of the pieces that are in one of the states only."""
        before, after = ({piece.identity: piece for piece in pieces_of(state)} for state in (old, new))
        apart = [piece for key, piece in (before | after).items() if (key in before) != (key in after)]
        return sorted((piece.first, piece.last + 1) for piece in apart)

    def _state(self, pieces: Pieces, version: int) -> PieceState:
        return PieceState(pieces, self.kind, version, self.chunks.load)


class ChunkedCore(Core[ChunkedSeries]):
    """An archive of sorted chunks."""

    make = "chunked"

    def _start(self) -> None:
        self._pool = ThreadPoolExecutor(thread_name_prefix="otrdb-encode")
        self._chunks = ChunkFile(self.path / "chunks.log")
        self._manifest = RecordLog(self.path / "manifest.log")
        self._journal = RecordLog(self.path / "journal.log")
        self._numbered: dict[int, ChunkedSeries] = {}
        self._lsn = 0
        self.load()
        self._manifest.recover(self._replay_version)
        self._journal.recover(self._replay_batch)

    def _open(self, number: int, metadata: Metadata) -> ChunkedSeries:
        self._numbered[number] = ChunkedSeries(number, metadata.kind, self._chunks)
        return self._numbered[number]

    def _replay_version(self, payload: bytes) -> None:
        version = Version.decode(payload)
        self._lsn = max(self._lsn, version.lsn)
        if version.number in self._numbered:
            self._numbered[version.number].adopt(version)

    def _replay_batch(self, payload: bytes) -> None:
        lsn, parts = decode_batch(payload)
        self._lsn = max(self._lsn, lsn)
        for number, batch in parts:
            series = self._numbered.get(number)
            if series is not None and lsn > series.lsn:
                series.add(lsn, batch)

    def _store(self, parts: Sequence[tuple[ChunkedSeries, Batch]]) -> None:
        series, batch = parts[0]
        if len(parts) == 1 and len(batch.times) >= PIECE_POINTS:
            self._store_large(series, batch)
            return
        owned = [
            (series, Batch(batch.times.copy(), batch.words.copy(), batch.merge)) for series, batch in parts
        ]
        self._append(owned)
        self._make_room([series for series, _ in owned])

    def _store_large(self, series: ChunkedSeries, batch: Batch) -> None:
        """Commits a batch together with what waits before it."""
        pieces = inserted(series.merged(), batch, series.kind, self._chunks.load)
        self._lsn += 1
        self._publish([(series, pieces, self._lsn)])

    def _append(self, parts: Sequence[tuple[ChunkedSeries, Batch]]) -> None:
        payload = encode_batch(self._lsn + 1, [(series.number, batch) for series, batch in parts])
        size = self._journal.size
        try:
            self._journal.append(*payload)
            if self.durable:
                self._journal.sync()
        except BaseException:
            self._journal.cut(size)
            raise
        self._lsn += 1
        for series, batch in parts:
            series.add(self._lsn, batch)

    def _make_room(self, touched: Sequence[ChunkedSeries]) -> None:
        """Commits what has become worth a chunk, or all that waits when the journal is long."""
        full = self._journal.size > _COMMIT_ALL_FROM
        candidates = self._numbered.values() if full else touched
        self._commit([series for series in candidates if series.pending >= (1 if full else PIECE_POINTS)])

    def _commit(self, series: Sequence[ChunkedSeries]) -> None:
        if not series:
            return
        self._publish([(one, one.merged(), one.last_lsn) for one in series])
        nothing_waits = not any(one.pending for one in self._numbered.values())
        if nothing_waits and self._journal.size > _EMPTY_JOURNAL_FROM:
            self._journal.cut(0)

    def _erase(self, series: ChunkedSeries, start: int, end: int) -> None:
        self._publish([(series, series.without(start, end), series.last_lsn)])

    def _publish(self, changes: Sequence[tuple[ChunkedSeries, Pieces, int]]) -> None:
        """Makes a version of each series of these pieces, which holds the journal up to that LSN."""
        self._journal.sync()  # a batch over several streams must not outlive a crash in only some of them
        versions = [
            (series, self._saved(series, Splice.between(series.pieces, pieces)), lsn)
            for series, pieces, lsn in changes
        ]
        self._chunks.sync()
        size = self._manifest.size
        made = [
            (series, Version(series.number, Commit(series.version + 1, self.now()), lsn, splice))
            for series, splice, lsn in versions
        ]
        try:
            for _, version in made:
                self._manifest.append(version.encode())
            self._manifest.sync()
        except BaseException:
            self._manifest.cut(size)
            raise
        for series, version in made:
            series.adopt(version)

    def _saved(self, series: ChunkedSeries, splice: Splice) -> Splice:
        """The splice with its new pieces on disk."""
        fresh = [piece for piece in splice.added if piece.columns is not None]
        saved = dict(zip(map(id, fresh), self._chunks.save(fresh, series.kind, self._pool), strict=True))
        return splice._replace(added=tuple(saved.get(id(piece), piece) for piece in splice.added))

    def _remove(self, series: ChunkedSeries) -> None:
        del self._numbered[series.number]

    def _verify(self, series: ChunkedSeries) -> None:
        for commit in series.commits:
            for piece in pieces_of(series.committed(commit.version)):
                points_of(piece, series.kind, self._chunks.load)

    def _release(self) -> None:
        self._pool.shutdown()
        self._journal.sync()
        for file in (self._journal, self._manifest):
            file.release()
        self._chunks.close()


def pieces_of(state: State) -> Pieces:
    """The pieces of a state of a `ChunkedSeries`; a version from before the first point has none."""
    return state.pieces if isinstance(state, PieceState) else ()


def encode_batch(lsn: int, parts: Sequence[tuple[int, Batch]]) -> list[bytes]:
    """A batch as the payload of a journal record, in pieces."""
    head = _JOURNAL_HEAD.pack(lsn, len(parts), parts[0][1].merge.code)
    sizes = np.array([(number, len(batch.times)) for number, batch in parts], dtype="<u4")
    columns = [batch.times.astype("<i8").tobytes() for _, batch in parts]
    columns += [batch.words.astype("<i8").tobytes() for _, batch in parts]
    return [head, sizes.tobytes(), *columns]


def decode_batch(payload: bytes) -> tuple[int, list[tuple[int, Batch]]]:
    """The LSN and the parts, by stream number, in a journal record's payload."""
    lsn, streams, code = _JOURNAL_HEAD.unpack_from(payload)
    sizes = np.frombuffer(payload, dtype="<u4", count=2 * streams, offset=_JOURNAL_HEAD.size).reshape(-1, 2)
    columns = np.frombuffer(payload, dtype="<i8", offset=_JOURNAL_HEAD.size + sizes.nbytes).astype(np.int64)
    ends = np.cumsum(sizes[:, 1].astype(np.int64))
    if 2 * int(ends[-1]) != len(columns):
        raise InternalError("A journal record's sizes do not add up.")
    times, words = (np.split(half, ends[:-1]) for half in np.split(columns, 2))
    batches = [Batch(*both, _POLICIES[code]) for both in zip(times, words, strict=True)]
    return lsn, list(zip(sizes[:, 0].tolist(), batches, strict=True))


def open_chunked(path: str | Path, *, durability: Durability = "sync", clock: Clock = wall_clock) -> Archive:
    """Opens, or creates, an archive of sorted compressed chunks with an index of their statistics.

    With `durability` "sync" an insert is acknowledged when it would survive a power cut, with "off" when it
    is written.
    """
    return Archive(ChunkedCore(Path(path), durability, clock))
