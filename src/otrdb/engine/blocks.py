"""Reading blocks for trees, counted: how many reads a question costs is part of what is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otrdb.storage.segments import SegmentStore
    from otrdb.tree import Address


class CountedBlocks:
    """The blocks of a segment store. ``read`` counts blocks opened, ``pages`` parts of bodies read."""

    __slots__ = ("_segments", "pages", "read")

    def __init__(self, segments: SegmentStore) -> None:
        self._segments = segments
        self.read = 0
        self.pages = 0

    def read_head(self, address: Address) -> bytes:
        """The proved head of a block."""
        self.read += 1
        return self._segments.read_head(address)

    def read_body(self, address: Address, start: int, length: int) -> bytes:
        """Part of a block's body."""
        self.pages += 1
        return self._segments.read_body(address, start, length)
