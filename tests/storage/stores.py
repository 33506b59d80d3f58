"""Helpers for tests of segments: opening stores, and committing groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otrdb.storage.groups import FIRST_POSITION, GroupInfo, Position
from otrdb.storage.segments import SEGMENT_BYTES, SegmentStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.errors import Damaged
    from otrdb.storage.blocks import Address
    from otrdb.storage.medium import Medium


@dataclass
class Opened:
    """A store, what its opening found, and what it reported."""

    store: SegmentStore
    found: list[tuple[int, bytes]] = field(default_factory=list)
    damage: list[Damaged] = field(default_factory=list)

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.found]


def opened(medium: Medium, position: Position = FIRST_POSITION, nominal: int = SEGMENT_BYTES) -> Opened:
    """A store that has been recovered for writing."""
    result = Opened(SegmentStore(medium, nominal=nominal))
    result.found = [
        (f.info.sequence, f.payload) for f in result.store.recover(position, result.damage.append)
    ]
    return result


def scanned(medium: Medium, position: Position = FIRST_POSITION, *, deep: bool = False) -> Opened:
    """A store that has been read only."""
    result = Opened(SegmentStore(medium))
    scan = result.store.scan(position, report=result.damage.append, deep=deep)
    result.found = [(found.info.sequence, found.payload) for found in scan]
    return result


def commit(store: SegmentStore, payload: bytes, blocks: Sequence[tuple[bytes, bytes]] = ()) -> GroupInfo:
    """Commit a group of blocks, given as heads and bodies."""
    with store.begin_group() as group:
        for head, body in blocks:
            group.add(2, head, (body,))
        return group.commit(payload)


def put(store: SegmentStore, head: bytes, body: bytes = b"") -> Address:
    """Commit a group of one block and return where that is."""
    with store.begin_group() as group:
        address = group.add(2, head, (body,))
        group.commit(b"")
        return address


def no_damage(damage: object) -> None:
    """A report for tests in which there must be nothing to report."""
    raise AssertionError(damage)
