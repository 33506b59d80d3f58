"""Batches of points as messages: one, or several that are one batch to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from otrdb.columns import check_times
from otrdb.errors import InsertTooBig, MismatchedColumns
from otrdb.wire import otrdb as wire
from otrdb.wire.tables import INDEX, packed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from otrdb.model import Array, Int64Array, Merge
    from otrdb.remote.link import Link

_PIECE: Final = 1 << 16
"""Points in one message, of 16 to 20 bytes each."""

_FRAME: Final = 32
"""Bytes of a message beside its columns."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The points of an insert: what the first message says, and the columns."""

    head: wire.InsertParams
    index: Array
    times: Int64Array
    words: Int64Array

    @classmethod
    def of_one(cls, uuid: UUID, times: Int64Array, words: Int64Array) -> Batch:
        """Points of one stream."""
        check_times(times)
        return cls(wire.InsertParams(way=wire.ONE, uuid=[uuid.bytes]), _NO_INDEX, times, words)

    @classmethod
    def of_many(cls, uuids: Sequence[UUID], columns: Sequence[tuple[Int64Array, Int64Array]]) -> Batch:
        """Points of several streams, each with its columns."""
        for times, _ in columns:
            check_times(times)
        head = wire.InsertParams(
            way=wire.MANY,
            uuid=[uuid.bytes for uuid in uuids],
            number=[len(times) for times, _ in columns],
        )
        joined = [np.concatenate([_NO_POINTS, *column]) for column in zip(*columns, strict=True)]
        return cls(head, _NO_INDEX, *(joined or [_NO_POINTS, _NO_POINTS]))

    @classmethod
    def of_wide(cls, uuids: Sequence[UUID], index: Int64Array, times: Int64Array, words: Int64Array) -> Batch:
        """Points each of which is of the stream at its place in ``index``."""
        if not len(index) == len(times) == len(words):
            lengths = f"{len(index)} stream numbers, {len(times)} times and {len(words)} values"
            raise MismatchedColumns(f"There are {lengths}.")
        check_times(times)
        head = wire.InsertParams(way=wire.WIDE, uuid=[uuid.bytes for uuid in uuids])
        return cls(head, index, times, words)

    @property
    def size(self) -> int:
        """Bytes of all messages, at the most."""
        columns = 2 * self.times.nbytes + len(self.index) * INDEX.itemsize
        return columns + self.head.ByteSize() + _FRAME * (1 + len(self.times) // _PIECE)

    def pieces(self) -> Iterator[wire.InsertParams]:
        """The messages; at least one."""
        for at in range(0, max(len(self.times), 1), _PIECE):
            part = wire.InsertParams() if at else self.head
            part.times = packed(self.times[at : at + _PIECE])
            part.values = packed(self.words[at : at + _PIECE])
            part.index = packed(self.index[at : at + _PIECE], INDEX)
            yield part


_NO_POINTS: Final = np.empty(0, np.int64)
_NO_INDEX: Final = np.empty(0, INDEX)


def send(link: Link, batch: Batch, merge: Merge) -> Any:  # noqa: ANN401
    """Have a batch stored, and return the answer. `InsertTooBig` if the server takes none as large."""
    size = batch.size
    if size > link.most_inserted:
        raise InsertTooBig(
            f"{len(batch.times)} points are {size} bytes; {link.where} takes {link.most_inserted} at once."
        )
    batch.head.merge = merge.value
    if len(batch.times) <= _PIECE:
        return link.ask("Insert", next(batch.pieces()))
    return link.send("InsertParts", batch.pieces())
