"""What the archive knows of one stream while it is open.

A stream's latest state is a committed root (`Committed`) and the pending points that are not in it yet, a
list of `Chunk` in order of arrival. Lists of chunks only grow: whoever remembers a list and a length
(`Prefix`) has a fixed state, at no cost. A commit gives the stream a new root and a new list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otrdb.model import FIRST_VERSION, Int64Array, Kind, Merge

from .versions import Committed, Versions

if TYPE_CHECKING:
    from otrdb.metadata import Metadata
    from otrdb.tree import Source

COMMIT_POINTS = 16_384
"""Fewer points than this are never worth a commit of their own."""


class Chunk(NamedTuple):
    """Pending points: ``times`` int64[n] in any order and value ``words`` int64[n], in order of arrival.

    ``first`` and ``lsn`` are the log sequence numbers of the oldest and newest record in it.
    """

    first: int
    lsn: int
    times: Int64Array
    words: Int64Array
    merge: Merge


class Prefix(NamedTuple):
    """A fixed state of a stream: a committed root and the first ``length`` of a list of pending chunks."""

    committed: Committed
    chunks: list[Chunk]
    length: int

    @property
    def lsn(self) -> int:
        """The newest LSN in this state."""
        return self.chunks[self.length - 1].lsn if self.length else self.committed.applied

    @property
    def pending(self) -> int:
        """How many points are in it that are not in the root."""
        return sum(len(chunk.times) for chunk in self.chunks[: self.length])

    def same(self, other: Prefix) -> bool:
        """Whether both are one state, without a look at the points."""
        return (
            self.committed is other.committed and self.chunks is other.chunks and self.length == other.length
        )


class Mark(NamedTuple):
    """A version number bound to an uncommitted state, kept until ``expires`` (monotonic seconds)."""

    prefix: Prefix
    expires: float


class StreamState:
    """One stream. Changed only under the archive's lock, except where a reader replaces a cached value."""

    __slots__ = (
        "absorbed",
        "check_at",
        "chunks",
        "committed",
        "consolidated",
        "fixed",
        "last_version",
        "marks",
        "metadata",
        "number",
        "numbers",
        "planned",
        "pruned",
        "removed",
        "source",
        "told",
        "versions",
    )

    def __init__(self, number: int, metadata: Metadata, source: Source) -> None:
        self.number = number
        self.numbers = np.array([number], np.uint32)
        """The number as the journal takes it."""
        self.metadata = metadata
        self.source = source
        self.removed = False
        self.committed = Committed(FIRST_VERSION, None, 0, 0)
        self.versions: Versions | None = Versions()
        """Committed versions still kept, ascending, `committed` the last; None: ask the catalog for them."""
        self.pruned = 0
        """When it was last looked for versions that need not be kept, ns."""
        self.last_version = FIRST_VERSION
        """The newest version number given to a commit or a mark; that of a running commit too."""
        self.told = FIRST_VERSION
        """The newest version number anybody was told of."""
        self.planned = 0
        """The version a commit is just making, or 0. No mark is made meanwhile: it would have a larger number
        and lack what the commit brings."""
        self.marks: dict[int, Mark] = {}
        self.chunks: list[Chunk] = []
        self.fixed = 0
        """Chunks before this one are part of somebody's prefix: never merged or reordered."""
        self.consolidated = 0
        """Chunks before this one have been merged into larger ones."""
        self.check_at = COMMIT_POINTS
        """The number of pending points at which a commit is thought of next."""
        self.absorbed = 0
        """Wide batches up to this LSN have been taken over into chunks."""

    @property
    def kind(self) -> Kind:
        """The kind of the stream's values."""
        return self.source.kind

    def prefix(self) -> Prefix:
        """The latest state. The chunks in it stay as they are from now on."""
        self.fixed = len(self.chunks)
        return Prefix(self.committed, self.chunks, self.fixed)

    def commit(self, committed: Committed, taken: int) -> None:
        """``committed`` now holds the first ``taken`` chunks."""
        self.committed = committed
        if self.versions is not None:
            self.versions.append(committed)
        self.last_version = max(self.last_version, committed.version)
        self.told = max(self.told, committed.version)
        self.chunks = self.chunks[taken:]
        self.check_at = COMMIT_POINTS
        self.fixed = self.consolidated = 0
