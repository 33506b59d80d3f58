"""What is damaged can be let go of: a delete of all its times needs nothing of it, and what waits because of
it can be committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from otrdb import Kind, Merge
from otrdb.errors import Damaged
from otrdb.testing.medium import FaultyMedium
from otrdb.testing.model import State, empty, erased, merged
from otrdb.testing.power_cuts import opened
from otrdb.tree import EVERYTHING
from otrdb.tree.source import listed
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb import Archive, Finding, Stream
    from otrdb.tree import Address, Node, Source

SEGMENT = "segment-00000001.otr"
BEGUN = 60_000
"""Seconds of one point each, before the clock of the device stood nearly still at `STALLED`."""
STALLED = 100_000 * SECOND
ENDED = 300_000


class Place(NamedTuple):
    """A block of a tree on the disk, and the times it is for."""

    type: str
    address: Address
    start: int
    end: int


def places(source: Source, node: Node) -> Iterator[Place]:
    """The blocks below a node, those of the last times first."""
    for child in reversed(node.children):
        if child.address is None:
            continue
        times = node.child_start(child), node.child_end(child)
        if child.kind.name == "NODE":
            yield from places(source, source.node(child))
        yield Place(child.kind.name.lower(), child.address, *times)
        for address in listed(source, child):
            yield Place(f"part of {child.kind.name.lower()}", address, *times)


class Plant:
    """An archive of a stream that has blocks of every type, all committed, and what is in it."""

    def __init__(self, memory: int) -> None:
        rng = np.random.default_rng(5)
        self.medium = FaultyMedium()
        self.memory = memory
        self.archive = self.opened()
        self.stream = self.archive.create("plant")
        self.expected = empty(Kind.FLOAT)
        self.insert(SECOND * np.arange(BEGUN))
        self.insert(STALLED + np.sort(rng.integers(0, 5, 40_000)))
        for start, end in ((0, 2_000), (2_000, 2_900), (2_900, 3_200)):
            self.insert(SECOND * np.arange(ENDED + start, ENDED + end))
            self.stream.flush()

    def opened(self) -> Archive:
        return opened(self.medium, memory=self.memory)

    def insert(self, times: Any, merge: Merge = Merge.NEVER) -> None:
        values = np.random.default_rng(len(times)).normal(size=len(times))
        self.stream.insert(times, values, merge=merge)
        self.expected = merged(self.expected, times, values, merge)

    def delete(self, start: int, end: int) -> None:
        self.stream.delete(start, end)
        self.expected = erased(self.expected, start, end)

    def rot(self, what: str) -> Place:
        """Let a block of that type rot."""
        root = self.stream.state.committed.root
        assert root is not None
        found = [*places(self.stream.state.source, self.stream.state.source.node_at(root))]
        found.append(Place("root", root, *EVERYTHING))
        at = next(place for place in found if place.type == what)
        _, offset, length, _ = at.address
        self.medium.flip(SEGMENT, offset + 16 + length // 2, 3)
        core_of(self.archive).cache.clear()
        return at

    def check(self) -> None:
        """All of the stream is as it should be, also once it was opened again."""
        for _ in range(2):
            assert_same(self.stream, self.expected)
            self.archive.close()
            self.archive = self.opened()
            (self.stream,) = self.archive.streams("plant")


def assert_same(stream: Stream, expected: State) -> None:
    times, values = stream.values().to_numpy()
    np.testing.assert_array_equal(times, expected.times)
    np.testing.assert_array_equal(values, expected.values)


def newest_first(archive: Archive) -> Finding:
    """What a check finds wrong with the latest version of a stream."""
    return next(iter(archive.check()))


@pytest.mark.parametrize(
    ("memory", "merge"), [(8 << 20, Merge.NEVER), (64 << 20, Merge.REPLACE)], ids=["streamed", "in memory"]
)
@pytest.mark.parametrize(
    "what", ["leaf", "sections", "part of sections", "chain", "part of chain", "node", "root"]
)
def test_once_what_is_damaged_was_deleted_what_is_pending_can_be_committed(
    what: str, memory: int, merge: Merge
) -> None:
    plant = Plant(memory)
    at = plant.rot(what)
    rng = np.random.default_rng(7)
    inside = rng.integers(max(at.start, 0), min(at.end, ENDED * SECOND), 20)
    plant.insert(inside)
    plant.insert(rng.integers(-1_000 * SECOND, 2 * ENDED * SECOND, 300), merge)
    plant.insert(inside + 1)
    with pytest.raises(Damaged):
        plant.stream.flush()
    found = newest_first(plant.archive)
    assert (found.stream, found.start, found.end) == (plant.stream.uuid, at.start, at.end)
    plant.delete(at.start, at.end)
    assert plant.stream.flush() == plant.stream.version
    assert core_of(plant.archive).pending.points == 0
    assert not any("differ" in finding.message for finding in plant.archive.check())
    assert all(finding.code == Damaged.code for finding in plant.archive.check())
    plant.check()
    fill(plant.stream, 2 * ENDED, 10)
    plant.stream.flush()


def test_the_journal_files_of_what_was_pending_are_given_up() -> None:
    plant = Plant(32 << 20)
    at = plant.rot("leaf")
    plant.insert(np.arange(at.start, at.start + 3))
    other = plant.archive.create("other")
    plant.delete(at.start, at.end)
    for turn in range(80):
        fill(other, 1_000 * turn, 1_000)
    assert core_of(plant.archive).journal.files()[0].number > 1  # type: ignore[union-attr]
    plant.check()


def test_a_delete_of_a_part_is_refused_and_changes_nothing() -> None:
    plant = Plant(32 << 20)
    at = plant.rot("leaf")
    plant.insert(np.arange(at.start, at.start + 3))
    version = plant.stream.version
    for start, end in ((at.start + 1, at.end), (at.start, at.end - 1), (at.start - 10, at.start + 10)):
        with pytest.raises(Damaged):
            plant.stream.delete(start, end)
    assert core_of(plant.archive).pending.points == 3
    assert plant.stream.version == version
    plant.delete(at.start - 10, at.end + 10)
    plant.check()


def test_damage_that_is_not_deleted_is_named() -> None:
    plant = Plant(32 << 20)
    gone, stays = plant.rot("leaf"), plant.rot("part of chain")
    plant.insert(np.array([gone.start, stays.start]))
    with pytest.raises(Damaged) as caught:
        plant.stream.delete(gone.start, gone.end)
    assert (caught.value.start, caught.value.end) == (stays.start, stays.end)
    assert core_of(plant.archive).pending.points == 2
    plant.delete(gone.start, stays.end)
    plant.check()


def test_who_holds_the_state_before_keeps_it() -> None:
    plant = Plant(32 << 20)
    at = plant.rot("leaf")
    before = plant.expected
    plant.insert(np.array([at.start - 5, at.start + 5]))
    mark = plant.stream.version
    with plant.archive.snapshot() as snapshot:
        plant.insert(np.array([at.start - 3, at.start + 3]))
        plant.delete(at.start, at.end)
        for held in (snapshot.view(plant.stream), plant.stream.at(mark)):
            times = held.values(end=at.start).times
            expected = np.append(before.times[before.times < at.start], at.start - 5)
            np.testing.assert_array_equal(times, np.sort(expected))
            with pytest.raises(Damaged):
                held.values()
    plant.check()


def test_the_change_is_seen() -> None:
    plant = Plant(32 << 20)
    version = plant.stream.version
    for what in ("leaf", "root"):
        at = plant.rot(what)
        plant.insert(np.array([max(at.start, 0)]))
        plant.delete(at.start, at.end)
        changes = plant.stream.changes(version)
        start, end = max(at.start, 0), min(at.end, ENDED * SECOND)
        assert any(each.start <= start and each.end >= end for each in changes)
    assert plant.stream.count() == 0
