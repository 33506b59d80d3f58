"""Room on the disk that new points may not take.

What was acknowledged must be committed one day, and points can only be dropped by writing: deletes, retention
and compaction need room for what they write before they give any back. So inserts stop at a *floor* of free
bytes, and everything else goes on below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import DiskFull

if TYPE_CHECKING:
    from otrdb.storage.medium import Medium


class Room:
    """The room of one medium, of which ``floor`` bytes are kept free of new points.

    The system is not asked at every insert: only before the first one after a commit, before every one while
    there is no room, and before another file of the journal is begun. So at most one file of the journal is
    promised without a look.
    """

    __slots__ = ("_medium", "due", "floor")

    def __init__(self, medium: Medium, floor: int = 0) -> None:
        self._medium = medium
        self.floor = floor
        self.due = True
        """Whether to look before points are taken in: something was written, or there was no room."""

    def admit(self, needed: int = 0) -> None:
        """Raise `DiskFull` if ``needed`` bytes more would leave less than the floor. One system call."""
        free = self._medium.free_bytes()
        self.due = free - needed < self.floor
        if self.due:
            raise DiskFull(
                f"{free:,} bytes are free on the disk, and {self.floor + needed:,} must be before points are "
                "taken in: flush, delete, retention and compaction need some to go on.",
                advice="Free some space, or delete or expire what is no longer needed and compact. "
                "Inserts go on by themselves then.",
            )
