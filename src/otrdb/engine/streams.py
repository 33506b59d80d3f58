"""The streams of an open archive: their states by number and by uuid, their names, and who holds old
versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb.errors import NoSuchSnapshot, NoSuchStream, WrongKind
from otrdb.model import Kind
from otrdb.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from otrdb.metadata import Metadata
    from otrdb.storage.journal_records import UInt32Array

    from .state import StreamState


_KINDS = tuple(Kind)
_GONE = -1
_EVERYTHING = np.iinfo(np.int64).max


class Streams:
    """All streams. Used under the archive's lock."""

    def __init__(self) -> None:
        self.names = Registry()
        self._by_number: dict[int, StreamState] = {}
        self._by_uuid: dict[UUID, StreamState] = {}
        self._codes = np.full(64, _GONE, np.int8)
        """By stream number: which kind, or that there is no such stream."""
        self.applied = np.full(64, _EVERYTHING, np.int64)
        """By stream number: the LSN through which the journal is in its tree; all, where there is no stream.
        """
        self.removals = 0
        """How many streams have been obliterated since the archive was opened."""
        self.next_number = 1
        self.snapshots: dict[str, dict[int, int]] = {}
        """Named snapshots: stream number to version."""

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[StreamState]:
        return iter(list(self._by_number.values()))

    def common_kind(self, numbers: UInt32Array) -> Kind:
        """The kind all these streams have; float for none. `NoSuchStream` if one was obliterated."""
        if not len(numbers):
            return Kind.FLOAT
        codes = self._codes[numbers]
        if (codes == _GONE).any():
            raise NoSuchStream(f"Stream {int(np.argmax(codes == _GONE))} of those given was obliterated.")
        if (codes != codes[0]).any():
            raise WrongKind("The streams are of several kinds.", advice="Insert one kind at a time.")
        return _KINDS[int(codes[0])]

    def alive(self, numbers: UInt32Array) -> bool:
        """Whether none of these streams, which were there once, was obliterated."""
        return not self.removals or not (self._codes[numbers] == _GONE).any()

    def add(self, state: StreamState) -> None:
        """A stream that has been created."""
        if state.number >= len(self._codes):
            more = max(state.number + 1, 2 * len(self._codes)) - len(self._codes)
            self._codes = np.concatenate([self._codes, np.full(more, _GONE, np.int8)])
            self.applied = np.concatenate([self.applied, np.full(more, _EVERYTHING, np.int64)])
        self._codes[state.number] = _KINDS.index(state.kind)
        self.applied[state.number] = state.committed.applied
        self.names.add(state.metadata)
        self._by_number[state.number] = state
        self._by_uuid[state.metadata.uuid] = state
        self.next_number = max(self.next_number, state.number + 1)

    def change(self, state: StreamState, metadata: Metadata) -> None:
        """The stream's properties are now these."""
        self.names.change(metadata)
        state.metadata = metadata

    def remove(self, state: StreamState) -> None:
        """The stream has been obliterated."""
        state.removed = True
        self.removals += 1
        self._codes[state.number] = _GONE
        self.applied[state.number] = _EVERYTHING
        self.names.obliterate(state.metadata.uuid)
        del self._by_number[state.number]
        del self._by_uuid[state.metadata.uuid]

    def bury(self, uuid: UUID) -> None:
        """A stream that was obliterated earlier had this uuid."""
        self.names.bury(uuid)

    def check(self, state: StreamState) -> None:
        """Raise `NoSuchStream` if the stream has been obliterated."""
        if state.removed:
            raise NoSuchStream(f"The stream {state.metadata.uuid} was obliterated.")

    def number(self, number: int) -> StreamState | None:
        """The stream of that number, if there is one."""
        return self._by_number.get(number)

    def existing(self, number: int) -> StreamState:
        """The stream of that number; `NoSuchStream` if it was obliterated."""
        state = self._by_number.get(number)
        if state is None:
            raise NoSuchStream("The stream was obliterated.")
        return state

    def uuid(self, uuid: UUID) -> StreamState:
        """The stream with that uuid."""
        _ = self.names[uuid]
        return self._by_uuid[uuid]

    def held(self, number: int) -> set[int]:
        """The versions of a stream that named snapshots hold."""
        return {versions[number] for versions in self.snapshots.values() if number in versions}

    def snapshot(self, name: str) -> dict[int, int]:
        """The versions of a named snapshot."""
        try:
            return self.snapshots[name]
        except KeyError:
            raise NoSuchSnapshot(f"There is no snapshot {name!r}.") from None
