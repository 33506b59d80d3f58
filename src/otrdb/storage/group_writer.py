"""Writing a group: blocks go out in large pieces, then one record and one sync make them a commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from crc32c import crc32c

from otrdb.errors import DiskFull, InsertTooBig, InternalError
from otrdb.storage.blocks import HEADER_BYTES, Address, block_header
from otrdb.storage.groups import GroupInfo, GroupRecord, Position, record_bytes

if TYPE_CHECKING:
    from uuid import UUID

    from otrdb.storage.medium import File

_SPILL_BYTES: Final = 4 << 20
"""Blocks are written out when so many bytes have been collected."""

_LARGEST_OFFSET: Final = (1 << 32) - 1

Ended: TypeAlias = Callable[[GroupInfo | None, BaseException | None], None]
"""Is told how a group ended: what was committed, if it was; a failure that left the disk unknown."""


class Group:
    """Blocks on their way into a segment. Made by `SegmentStore.begin_group`, ended by `commit` or `abort`.

    Nothing of it can be read before it is committed. If anything raises `DiskFull`, the group has been
    aborted and the store goes on; after `WriteFailed` the store refuses to write (I13). As a context manager
    it aborts what was not committed.
    """

    __slots__ = ("_archive", "_blocks", "_crc", "_ended", "_file", "_offset", "_open", "_start", "_written")

    def __init__(self, file: File, start: Position, archive: UUID, ended: Ended) -> None:
        self._file = file
        self._start = start
        self._archive = archive
        self._ended = ended
        self._offset = start.offset
        self._blocks = bytearray()
        self._crc = 0
        self._written = False
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open:
            self.abort()

    @property
    def size(self) -> int:
        """Bytes of the blocks added so far."""
        return self._offset - self._start.offset

    def add(self, block_type: int, head: bytes, body: Iterable[bytes] = ()) -> Address:
        """Append a block and return its address, which later blocks may hold at once.

        Costs about a microsecond and the copy of the bytes; now and then a write of 4 MiB.

        Raises:
            InsertTooBig: the segment would pass 4 GiB.
            DiskFull, WriteFailed: while blocks were written out.
        """
        whole_body = b"".join(body)
        head_length = len(head)
        length = head_length + len(whole_body)
        offset = self._offset
        self._must_fit(HEADER_BYTES + length)
        self._offset = offset + HEADER_BYTES + length
        blocks = self._blocks
        blocks += block_header(block_type, head, length)
        blocks += head
        blocks += whole_body
        if len(blocks) >= _SPILL_BYTES:
            self._guarded(self._spill)
        return Address(self._start.segment, offset, length, head_length)

    def commit(self, payload: bytes) -> GroupInfo:
        """Append the group record with ``payload``, sync once, and return the group: it is durable now (I2).

        Raises:
            InsertTooBig, DiskFull: nothing happened.
            WriteFailed: whether it happened is seen when the archive is opened again.
        """
        self._must_fit(record_bytes(payload))
        record = self._record(payload)
        self._blocks += record.pack()
        self._guarded(self._write_and_sync)
        self._end(record.info, None)
        return record.info

    def abort(self) -> None:
        """Take back everything. Costs a cut of the file if blocks had been written out."""
        self._must_fit(0)
        try:
            if self._written:
                self._file.truncate(self._start.offset)
        except BaseException as error:
            self._end(None, error)
            raise
        self._end(None, None)

    def _record(self, payload: bytes) -> GroupRecord:
        sequence, segment, start = self._start
        length = record_bytes(payload) - HEADER_BYTES
        crc = crc32c(self._blocks, self._crc)
        info = GroupInfo(
            sequence + 1, time.time_ns(), start, Address(segment, self._offset, length, length), crc
        )
        return GroupRecord(info, sequence, self._archive, payload)

    def _must_fit(self, length: int) -> None:
        if not self._open:
            raise InternalError("A group was used after its end.")
        if self._offset + length > _LARGEST_OFFSET:
            raise InsertTooBig("One commit may not be larger than 4 GiB.")

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except DiskFull:
            self.abort()
            raise
        except BaseException as error:
            self._end(None, error)
            raise

    def _spill(self) -> None:
        self._crc = crc32c(self._blocks, self._crc)
        self._written = True
        self._file.append(self._blocks)
        self._blocks = bytearray()

    def _write_and_sync(self) -> None:
        self._written = True
        self._file.append(self._blocks)
        self._file.sync()

    def _end(self, info: GroupInfo | None, failure: BaseException | None) -> None:
        self._open = False
        self._blocks = bytearray()
        self._ended(info, failure)
