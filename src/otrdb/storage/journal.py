"""The journal: acknowledged points that are in no group yet.

    lsn = journal.append(numbers, counts, times, words, policy)     a few microseconds, no I/O
    durable = journal.acknowledge(lsn)                              waits as the durability setting says

Writers share syncs: while one thread waits for the disk, others append, and the next sync serves them all.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from otrdb.errors import ClosedArchive, DiskFull, InsertTooBig, OtrError, WriteFailed
from otrdb.storage.flusher import Flusher
from otrdb.storage.group_commit import GroupCommit
from otrdb.storage.headers import JOURNAL_HEADER
from otrdb.storage.journal_files import FILE_BYTES, JournalFiles
from otrdb.storage.journal_reader import BEGINNING, JournalReader
from otrdb.storage.journal_records import CARRIED, CLOSED, HEADER_BYTES, OPENED, POINTS, pack_points, seal
from otrdb.storage.journal_recovery import JournalFile, recover

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from otrdb.model import Int64Array, UInt64Array
    from otrdb.storage.durability import Durability
    from otrdb.storage.journal_records import JournalRecord, UInt32Array
    from otrdb.storage.journal_scan import Report
    from otrdb.storage.medium import File, Medium
    from otrdb.storage.room import Room

CAP_BYTES: Final = 64 << 20
"""What the files of a journal may take together before points have to move to the segments."""

_WORTH_FREEING: Final = 8
"""The current file is given up, when it holds nothing needed, from this fraction (1/n) of its room on."""

_WRITE_BYTES: Final = 64 << 10
"""Records are written out when so many bytes have been collected."""


class Journal:
    """The journal of an archive that is open for writing. Safe from any thread.

    Opening it makes durable what earlier sessions left, and `replay` gives it. After a write or a sync
    failed, everything but `close` raises `WriteFailed` (I13); a full disk is not such a failure.

    Args:
        medium: where its files are.
        archive: the archive's uuid.
        durability: what `acknowledge` waits for.
        cap: bytes the files may take; a record of more than a quarter of it is refused.
        after: the largest LSN applied by any group in the segments: new LSNs are above it (I12).
        room: is asked before a file is made for new points; without it they may take all there is.

    Attributes:
        epoch: grows by one at every opening after a session that did not close.
        unclean: whether that was so this time.
        cap: as given.
    """

    def __init__(
        self,
        medium: Medium,
        archive: UUID,
        *,
        durability: Durability,
        cap: int = CAP_BYTES,
        after: int = 0,
        room: Room | None = None,
    ) -> None:
        size = min(FILE_BYTES, cap // 4)
        self.cap = cap
        self._room = room
        self._mode = durability.mode
        self._files = JournalFiles(medium, archive, size, spares=cap // size)
        recovered = recover(self._files, after)
        self.epoch = recovered.epoch
        self.unclean = bool(recovered.files) and not recovered.closed
        self._recovered = recovered.end
        self._next_lsn = recovered.next_lsn
        self._last = recovered.end.lsn
        self._commits = GroupCommit(self._write_and_sync, recovered.end.lsn)
        self._flusher = Flusher(durability.interval_s, self._commits.sync)
        # Taken in this order: _writing, _lock. Only _lock is needed to append.
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._older = recovered.files
        self._buffer = bytearray()
        self._file: File | None = None
        self._number = recovered.end.number
        self._first = self._written = self._end = self._capacity = 0
        if recovered.closed:
            number, first, _, _ = self._older.pop()
            self._use(self._files.open(number), number, first, recovered.end.offset)
        self._beginning = threading.Lock()
        self._opened = 0
        """LSN of the first record behind the end of that session; 0: there is none yet."""
        self._resumed = recovered.closed
        """Whether the file in use is still that of a session that closed."""

    @property
    def next_lsn(self) -> int:
        """The LSN that comes next."""
        return self._next_lsn

    @property
    def durable_lsn(self) -> int:
        """LSN of the newest record that is known to survive a power cut."""
        return self._commits.durable

    @property
    def failed(self) -> bool:
        """Whether a write or a sync failed, after which nothing is taken any more."""
        return self._failure is not None

    @property
    def live_bytes(self) -> int:
        """Bytes of all files in use: whole ones, and what is written of the last."""
        return sum(file.bytes for file in self._older) + self._end

    def append(
        self,
        numbers: UInt32Array,
        counts: UInt32Array | None,
        times: Int64Array,
        words: Int64Array,
        policy: int = 0,
    ) -> int:
        """Add one batch, atomic over its streams, and return its LSN.

        It is safe after `acknowledge`, not before.

        Args:
            numbers: uint32[parts], stream numbers.
            counts: uint32[parts], points of each; None if each has one.
            times: int64[points], ns, those of the parts one after the other.
            words: int64[points], values.
            policy: code of the merge policy.

        Raises:
            MismatchedColumns: the lengths do not fit together.
            InsertTooBig: the record is larger than a quarter of the cap.
            DiskFull: no room for another journal file, or it would take what must stay free; nothing was
                added, and later calls may succeed.
            WriteFailed: the journal has failed.
        """
        flags, payload = pack_points(numbers, counts, times, words)
        return self._append(POINTS, policy, flags, payload)

    def carry(
        self,
        numbers: UInt32Array,
        counts: UInt32Array,
        times: Int64Array,
        words: Int64Array,
        policy: int,
        originals: UInt64Array,
    ) -> int:
        """Repeat points of some streams, so that the file they are in can be freed; returns the new LSN.

        Like `append`; ``originals`` uint64[parts] are the LSNs under which the parts were acknowledged. A
        part may be replayed twice, from the old place and from the new one, with the same original LSN. Sync
        before freeing the old one.
        """
        flags, payload = pack_points(numbers, counts, times, words, originals)
        return self._append(CARRIED, policy, flags, payload)

    def take_lsn(self) -> int:
        """An LSN for a batch that is committed without a record here."""
        with self._lock:
            lsn = self._next_lsn
            self._next_lsn += 1
        return lsn

    def acknowledge(self, lsn: int) -> bool:
        """Make all through ``lsn`` as safe as the setting promises; returns whether it survives a power cut.

        sync: waits for one write and one sync, shared with other threads. off: one write. interval: nothing.
        """
        if self._mode == "sync":
            self.sync_through(lsn)
        elif self._mode == "off":
            with self._writing:
                # What closing has made durable meanwhile is acknowledged like everything else.
                if self._commits.durable < min(lsn, self._last):
                    self._write_out()
        return self._commits.durable >= min(lsn, self._last)

    def sync_through(self, lsn: int) -> None:
        """Return when all through ``lsn`` survives a power cut. Costs at most one write and one sync."""
        self._commits.sync_through(min(lsn, self._last))

    @property
    def begun(self) -> bool:
        """Whether the session counts as one that did not close, until it does, whatever happens."""
        return self._file is not None and (not self._resumed or 0 < self._opened <= self._commits.durable)

    def begin_session(self) -> None:
        """Let it count so (see `begun`).

        For what a crash makes doubtful though the journal never saw it. Costs a sync, once.
        """
        with self._beginning:
            if not self.begun:
                if not self._opened:
                    self._append(OPENED, 0, 0, b"")
                self.sync_through(self._opened)

    def replay(self, report: Report) -> Iterator[JournalRecord]:
        """What earlier sessions left, in the order of the files; appending and freeing may go on."""
        if self._recovered == BEGINNING:
            return iter(())
        return JournalReader(self._files).records(report, until=self._recovered)

    def files(self) -> list[JournalFile]:
        """The files in use, oldest first, each with its range of LSNs."""
        with self._lock:
            current = JournalFile(self._number, self._first, self._last, self._end)
            return [*self._older, current] if self._file else list(self._older)

    def free_below(self, lsn: int) -> None:
        """Give up the files that hold only records below ``lsn``.

        The current file too, if an eighth of it has been used; less than that is left to be replayed in vain.
        One file always stays: what epoch it is stands nowhere else (I14).
        """
        if self._file is None and self._older and self._older[-1].last < lsn:
            # Without room for a file of this session, one of an earlier one stays.
            with suppress(DiskFull):
                self.begin_session()
        with self._writing:
            self._raise_failure()
            self._free(lsn)
            used = self._end - JOURNAL_HEADER.size
            if self._last < lsn and used * _WORTH_FREEING >= self._capacity > 0:
                # An economy only: without room for a new file, the old one stays in use.
                with suppress(DiskFull):
                    self._begin_file(0, self._room)
                    self._free(lsn)

    def close(self, *, clean: bool = True) -> None:
        """Sync what was appended and end the session; the next may go on behind it. May be repeated.

        If it is not ``clean``, the next session begins like after a crash.
        """
        self._flusher.stop()
        open_end = self._file is not None and (not self._resumed or self._opened > 0)
        if self._failure is None and open_end:
            self._commits.sync()
        if clean and self._failure is None and open_end:
            with self._lock:
                self._add(CLOSED, 0, 0, self._last, b"")
            self._commits.sync()
        self._fail(ClosedArchive("The journal is closed."))

    def _append(self, kind: int, policy: int, flags: int, payload: bytes) -> int:
        length = HEADER_BYTES + len(payload)
        while True:
            with self._lock:
                if self._end + length <= self._capacity:
                    lsn = self._next_lsn
                    self._next_lsn = lsn + 1
                    if self._resumed and not self._opened:
                        self._opened = lsn
                    self._add(kind, policy, flags, lsn, payload)
                    self._last = lsn
                    collected = len(self._buffer)
                    break
            self._make_room(length, self._room if kind == POINTS else None)
        if collected >= _WRITE_BYTES:
            with self._writing:
                self._write_out()
        elif collected == length and self._mode == "interval":
            self._flusher.due()
        return lsn

    def _add(self, kind: int, policy: int, flags: int, lsn: int, payload: bytes) -> None:
        record = seal(kind, policy, flags, self._number, lsn, self._commits.durable, payload) + payload
        # In one step, so that not even a keyboard interrupt leaves half a record.
        self._buffer += record
        self._end += len(record)

    def _make_room(self, length: int, room: Room | None) -> None:
        if length > self.cap // 4:
            raise InsertTooBig(f"A record of {length:,} bytes is too large for a journal of {self.cap:,}.")
        with self._writing:
            self._raise_failure()
            if self._end + length > self._capacity:
                self._begin_file(length, room)

    def _begin_file(self, record: int, room: Room | None = None) -> None:
        """Go over to a new file, the old one being durable as a whole (I8). Called with `_writing` held."""
        with self._lock:
            capacity, self._capacity = self._capacity, 0  # nobody appends meanwhile
        try:
            self._finish_file()
            number, first = self._number + 1, self._next_lsn
            file = self._files.create(number, record + HEADER_BYTES, self._last, first, self.epoch, room)
        except DiskFull:
            with self._lock:
                self._capacity = 0 if self._failure else capacity
            raise
        except BaseException as error:
            self._fail(error)
            raise
        if self._file:
            self._older.append(JournalFile(self._number, self._first, self._last, self._end))
        self._use(file, number, first, JOURNAL_HEADER.size)
        self._resumed = False

    def _finish_file(self) -> None:
        last = self._write_out()
        if self._file:
            self._file.sync()
            self._commits.advance(last)

    def _use(self, file: File, number: int, first: int, end: int) -> None:
        """Append to ``file`` from ``end`` on. Room for a closed record is kept."""
        with self._lock:
            self._file, self._number, self._first = file, number, first
            self._written = self._end = end
            self._capacity = file.size() - HEADER_BYTES

    def _write_out(self) -> int:
        """Hand the collected records to the system; returns the last LSN. Called with `_writing` held."""
        self._raise_failure()
        try:
            with self._lock:
                data, self._buffer = self._buffer, bytearray()
                last = self._last
            if data and self._file:
                self._file.write(self._written, data)
                self._written += len(data)
        except BaseException as error:
            # Even if only interrupted: what was taken from the buffer may be nowhere.
            self._fail(error)
            if isinstance(error, DiskFull):
                # On a file system that copies on write. To repeat the call would store its points twice.
                raise WriteFailed("There is no room left to write where room was reserved.") from error
            raise
        return last

    def _write_and_sync(self) -> int:
        """Make durable what was appended; returns its last LSN."""
        with self._writing:
            last = self._write_out()
            file = self._file
        try:
            if file:
                file.sync()
        except OtrError as error:
            self._fail(error)
            raise
        return last

    def _free(self, lsn: int) -> None:
        keeper = None if self._file else self._tells_epoch()
        for file in [file for file in self._older if file.last < lsn and file is not keeper]:
            try:
                self._files.free(file.number)
                # One by one (I11): a file that a crash brings back, while one behind it stays away, would
                # look like the last before a loss.
                self._files.sync_directory()
            except WriteFailed as error:
                self._fail(error)
                raise
            self._older.remove(file)

    def _tells_epoch(self) -> JournalFile | None:
        return next((file for file in reversed(self._older) if self._files.header(file.number)), None)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
            self._capacity = 0

    def _raise_failure(self) -> None:
        if self._failure:
            raise WriteFailed("The journal writes no more.") from self._failure
