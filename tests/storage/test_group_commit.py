"""Shared syncs: who is made durable by another is acknowledged, whatever becomes of its own sync."""

import pytest

from otrdb.errors import WriteFailed
from otrdb.storage.group_commit import GroupCommit


class Disk:
    """Syncs nothing any more, since somebody has closed it, after a last sync of his own or without."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.commits = GroupCommit(self.sync, 3)

    def sync(self) -> int:
        self.commits.advance(self.last)
        raise WriteFailed("The journal writes no more.")


def test_what_closing_made_durable_is_acknowledged() -> None:
    Disk(7).commits.sync_through(7)


def test_what_nobody_made_durable_is_not() -> None:
    disk = Disk(6)
    with pytest.raises(WriteFailed):
        disk.commits.sync_through(7)
    assert disk.commits.durable == 6
