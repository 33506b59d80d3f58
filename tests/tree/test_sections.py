"""Leaves in sections: the answers are those of one block, and small commits write little."""

from __future__ import annotations

import itertools
from math import log2
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb import tree
from otrdb.errors import Damaged
from otrdb.model import MAX_TIME, MIN_TIME, Kind, Merge
from otrdb.tree.geometry import LEAF_CAPACITY
from otrdb.tree.growth import LARGE, MOST_SECTIONS, appended, kept_sections, made_leaf
from otrdb.tree.leaf_block import encode_leaf
from otrdb.tree.leaves import ArrayLeaf, StoredLeaf
from otrdb.tree.nodes import Child, ChildKind, Node
from otrdb.tree.sections import (
    SECTIONS_ENTRY,
    SECTIONS_HEAD,
    Leaf,
    Section,
    SectionedLeaf,
    encode_sections,
)
from tests.tree.harness import Harness, Words, to_words

if TYPE_CHECKING:
    from collections.abc import Callable

T0 = 1_700_000_000_000_000_000
SHIFT = 24


# --- a leaf alone


def points(kind: Kind, count: int, seed: int, *, few_times: bool) -> tuple[Words, Words]:
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, 9 if few_times else 1 << SHIFT, count))
    return times, to_words(
        kind, random.integers(0, 2, count) if kind is Kind.BOOL else random.normal(size=count)
    )


def in_sections(
    kind: Kind, times: Words, words: Words, cuts: list[int], written: int
) -> StoredLeaf | SectionedLeaf:
    """A leaf cut at these points, all but the last ``written`` of them as blocks."""
    blocks = tree.MemoryBlocks()
    source = tree.Source(kind, blocks, tree.Cache(1 << 22))
    borders = sorted({0, len(times), *(cut for cut in cuts if cut < len(times))})
    parts = list(itertools.pairwise(borders))
    low, high = parts[0]
    leaf: StoredLeaf | SectionedLeaf = source.leaf_at(
        blocks.add(*encode_leaf(kind, 0, SHIFT, times[low:high], words[low:high]))
    )
    for at, (low, high) in enumerate(parts[1:]):
        part = appended(leaf, source, (times[low:high], words[low:high]), full=False)
        leaf = saved(part, source, blocks) if at < written else part
    return leaf


def saved(leaf: SectionedLeaf, source: tree.Source, blocks: tree.MemoryBlocks) -> StoredLeaf | SectionedLeaf:
    addresses = [
        blocks.add(*encode_leaf(source.kind, part.start, part.shift, part.times, part.words))
        for part in leaf.unwritten()
    ]
    if leaf.parts == 1:
        return source.leaf_at(addresses[0])
    directory = blocks.add(*encode_sections(leaf, leaf.written(addresses)))
    return source.sections(Child(0, 1, ChildKind.SECTIONS, 0, leaf.count, address=directory))


times_of_leaf = st.integers(-2, (1 << SHIFT) + 2)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(list(Kind)),
    count=st.sampled_from([2, 30, 1_025, 5_000]),
    few_times=st.booleans(),
    cuts=st.lists(st.integers(1, 5_000), min_size=1, max_size=12),
    written=st.integers(0, 12),
    seed=st.integers(0, 1 << 20),
    data=st.data(),
)
def test_any_sections_answer_as_one_block(
    kind: Kind, count: int, few_times: bool, cuts: list[int], written: int, seed: int, data: st.DataObject
) -> None:
    times, words = points(kind, count, seed, few_times=few_times)
    leaf = in_sections(kind, times, words, cuts, written)
    whole = ArrayLeaf(0, SHIFT, times, words)
    assert (leaf.start, leaf.shift, leaf.count) == (0, SHIFT, count)
    for question in data.draw(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=6)):
        draw = data.draw(st.integers(0, 9)), data.draw(times_of_leaf), data.draw(times_of_leaf)
        assert question(leaf, *draw) == question(whole, *draw)


def _columns(columns: tuple[Words, Words]) -> list[list[int]]:
    return [column.tolist() for column in columns]


def _within(leaf: Leaf, _: int, a: int, b: int) -> object:
    return _columns(leaf.within(*sorted((a, b))))


def _around_a_point(leaf: Leaf, wide: int, a: int, b: int) -> object:
    time = int(leaf.points()[0][(a + b) % len(leaf.points()[0])])
    return (
        _columns(leaf.within(time - (wide == 0), time + wide)),
        leaf.first_from(time),
        leaf.last_before(time),
    )


def _run(leaf: Leaf, _: int, a: int, b: int) -> object:
    total = len(leaf.points()[0])
    first, last = sorted((a % total, b % total))
    return _columns(leaf.run(first, last + 1 - first, total))


def _subslots(leaf: Leaf, _: int, __: int, ___: int) -> object:
    piece = leaf.subslots(integer=False)
    return piece.slots.tobytes(), piece.rows.tobytes()


QUESTIONS: list[Callable[[Leaf, int, int, int], object]] = [
    _within,
    _around_a_point,
    _run,
    _subslots,
    lambda leaf, _, a, __: leaf.first_from(a),
    lambda leaf, _, a, __: leaf.last_before(a),
    lambda leaf, _, __, ___: _columns(leaf.points()),
]


@given(
    counts=st.lists(st.integers(1, 16_384), min_size=1, max_size=MOST_SECTIONS),
    new=st.integers(1, 16_384),
    most=st.integers(1, MOST_SECTIONS),
)
def test_sections_that_stay_are_few_and_larger_than_what_comes(
    counts: list[int], new: int, most: int
) -> None:
    kept = kept_sections(counts, new, most)
    assert 0 <= kept < most
    written = new + sum(counts[kept:])
    if kept and kept < most - 1:
        assert counts[kept - 1] > written or counts[kept - 1] >= LARGE
    assert kept_sections(counts, new + 1, most) <= kept


# --- in a tree


def steady(count: int, start: int = T0, step: int = 10**9) -> tuple[Words, Words]:
    times = start + step * np.arange(count, dtype=np.int64)
    return times, to_words(Kind.FLOAT, np.round(20 + np.random.default_rng(3).normal(size=count), 2))


def insert_in_steps(harness: Harness, columns: tuple[Words, Words], step: int) -> None:
    times, words = columns
    for low in range(0, len(times), step):
        harness.insert(times[low : low + step], words[low : low + step])


def leaves(harness: Harness, node: Node) -> list[tuple[Node, Child]]:
    found: list[tuple[Node, Child]] = []
    for child in node.children:
        if child.kind == ChildKind.NODE:
            found += leaves(harness, harness.source.node(child))
        elif child.kind:
            found.append((node, child))
    return found


def sizes(harness: Harness) -> list[list[int]]:
    """Points of each section of each leaf."""
    return [
        [section.size for section in harness.source.sections(child).sections]
        if child.kind == ChildKind.SECTIONS
        else [child.count]
        for _, child in leaves(harness, harness.root)
    ]


def coded_bytes(harness: Harness) -> int:
    """Of all leaves ever written."""
    return sum(len(head) + len(body) for head, body in harness.blocks._blocks if body)


def test_small_commits_write_little_and_leave_few_sections() -> None:
    harness = Harness()
    harness.insert(*steady(100_000, T0 - 10**14))
    written, coded, most = harness.blocks.size, coded_bytes(harness), 0
    times, words = steady(50_000)
    for low in range(0, len(times), 250):
        harness.insert(times[low : low + 250], words[low : low + 250])
        most = max(most, *map(len, sizes(harness)))
    whole = Harness()
    whole.insert(times, words)
    assert 2 < most <= MOST_SECTIONS
    assert coded_bytes(harness) - coded < 6 * coded_bytes(whole)
    assert harness.blocks.size - written < 18 * whole.blocks.size
    assert harness.live() == harness.reachable()
    assert harness.faults() == []


@pytest.mark.parametrize("step", [1, 7, 250])
def test_a_point_is_coded_a_few_times_however_small_the_commits(step: int) -> None:
    coded, counts = 0, list[int]()
    for _ in range(0, 12_000, step):
        kept = kept_sections(counts, step, MOST_SECTIONS)
        counts = [*counts[:kept], step + sum(counts[kept:])]
        coded += counts[-1]
    assert coded <= 12_000 * (1 + log2(12_000 / step))


def test_bulk_inserts_leave_whole_leaves_and_code_one_of_each_batch_twice_at_most() -> None:
    harness = Harness()
    insert_in_steps(harness, steady(400_000), 100_000)
    *complete, _ = sizes(harness)
    assert max(map(len, complete)) == 1
    coded = sum(section for leaf in sizes(harness) for section in leaf)
    assert coded == 400_000
    written = [int.from_bytes(head[8:12], "little") for head, body in harness.blocks._blocks if body]
    assert sum(written) - coded < 3 * LEAF_CAPACITY


def test_a_leaf_behind_which_points_have_come_is_one_block() -> None:
    harness = Harness()
    times, words = steady(60_000)
    insert_in_steps(harness, (times[:30_000], words[:30_000]), 900)
    harness.insert(times[30_000:], words[30_000:])
    *complete, _ = sizes(harness)
    assert max(map(len, complete)) == 1
    assert harness.faults() == []


def test_an_append_reads_the_last_row_only() -> None:
    harness = Harness()
    times, words = steady(46_900)
    harness.insert(times[:-100], words[:-100])
    harness.source.cache.clear()
    _, child = leaves(harness, harness.root)[-1]
    assert child.address is not None
    assert child.count > 8_000
    read = list[tuple[int, int]]()
    body = harness.blocks.read_body

    def read_body(address: tree.Address, start: int, length: int) -> bytes:
        read.append((address[1], length))
        return body(address, start, length)

    harness.blocks.read_body = read_body  # type: ignore[method-assign]
    harness.insert(times[-100:], words[-100:], save=False)
    assert [at for at, _ in read] in ([], [child.address[1]])
    assert sum(length for _, length in read) <= (child.address[2] - child.address[3]) // 4


@pytest.mark.parametrize("merge", list(Merge))
def test_points_at_the_newest_time_come_behind_it_or_under_their_policy(merge: Merge) -> None:
    harness = Harness(Kind.INT)
    harness.insert(np.array([1, 5, 9]), np.array([10, 20, 30]))
    harness.insert(np.array([9, 9, 12]), np.array([30, 40, 50]), merge)
    expected = {
        Merge.NEVER: ([1, 5, 9, 9, 9, 12], [10, 20, 30, 30, 40, 50]),
        Merge.EQUAL: ([1, 5, 9, 9, 12], [10, 20, 30, 40, 50]),
        Merge.RETAIN: ([1, 5, 9, 12], [10, 20, 30, 50]),
        Merge.REPLACE: ([1, 5, 9, 12], [10, 20, 40, 50]),
    }
    assert harness.values(MIN_TIME, MAX_TIME) == expected[merge]
    assert harness.faults() == []


# --- what is wrong with one


def trickled() -> tuple[Harness, Child, SectionedLeaf]:
    harness = Harness()
    times, words = steady(4_000)
    for low, high in itertools.pairwise([0, 3_000, 3_700, 3_960, 4_000]):
        harness.insert(times[low:high], words[low:high])
    [(_, child)] = leaves(harness, harness.root)
    leaf = harness.source.sections(child)
    assert [section.size for section in leaf.sections] == [3_000, 700, 260, 40]
    return harness, child, leaf


def test_all_damaged_sections_are_found_and_located() -> None:
    harness, child, leaf = trickled()
    assert harness.faults() == []
    damaged = {section.address[:2] for section in leaf.sections[1:3] if section.address}
    for _, at in damaged:
        head, body = harness.blocks._blocks[at]
        harness.blocks._blocks[at] = head, bytes([body[0] ^ 1]) + body[1:]
    harness.source.cache.clear()
    assert {fault.place for fault in harness.faults()} == damaged
    for place in damaged:
        assert tree.locate(harness.source, harness.root, place) == (MIN_TIME, MAX_TIME)
    with pytest.raises(Damaged):
        harness.values(MIN_TIME, MAX_TIME)
    assert harness.values(MIN_TIME, T0 + 3_000 * 10**9)[0] == steady(3_000)[0].tolist()
    assert child.address is not None
    assert tree.locate(harness.source, harness.root, child.address[:2]) == (MIN_TIME, MAX_TIME)


@pytest.mark.parametrize("field", ["first", "count"])
@pytest.mark.parametrize("entry", range(4))
def test_a_directory_that_says_other_than_its_sections_is_found(field: str, entry: int) -> None:
    harness, child, _ = trickled()
    assert child.address is not None
    head, body = harness.blocks._blocks[child.address[1]]
    changed = bytearray(head)
    changed[SECTIONS_HEAD.size + entry * SECTIONS_ENTRY.size + SECTIONS_ENTRY.offset(field)] ^= 1
    harness.blocks._blocks[child.address[1]] = bytes(changed), body
    harness.source.cache.clear()
    assert harness.faults() != []


@pytest.mark.parametrize("cut", [1, SECTIONS_ENTRY.size])
def test_a_directory_of_another_length_is_damage(cut: int) -> None:
    harness, child, _ = trickled()
    assert child.address is not None
    head, body = harness.blocks._blocks[child.address[1]]
    harness.blocks._blocks[child.address[1]] = head[:-cut], body
    harness.source.cache.clear()
    with pytest.raises(Damaged):
        harness.values(MIN_TIME, MAX_TIME)


def test_a_node_that_counts_other_points_than_the_directory_is_damage() -> None:
    _, _, leaf = trickled()
    with pytest.raises(Damaged, match="another number of points"):
        leaf.run(0, 2, 3_999)


@pytest.mark.parametrize("entry", range(4))
@pytest.mark.parametrize("pending", [False, True])
def test_a_damaged_section_can_be_left_out_alone(entry: int, pending: bool) -> None:
    harness, _, leaf = trickled()
    expected, _ = steady(4_000)
    if pending:
        expected, words = steady(4_020)
        harness.insert(expected[4_000:], words[4_000:], save=False)
    at = leaf.sections[entry].written[1]
    head, body = harness.blocks._blocks[at]
    harness.blocks._blocks[at] = head, body[:-1] + bytes([body[-1] ^ 1])  # in its last page
    harness.source.cache.clear()
    tolerant = tree.TolerantSource(harness.source)
    times, _ = tree.values(tolerant, harness.root, MIN_TIME, MAX_TIME)
    [lost] = tolerant.ranges
    begin = int(np.searchsorted(expected, lost.start))
    end = 4_000 if entry == 3 else sum(section.size for section in leaf.sections[: entry + 1])
    assert times.tolist() == [*expected[:begin].tolist(), *expected[end:].tolist()]
    assert 0 < end - begin <= min(leaf.sections[entry].size, 1_024)


def check_intervals(harness: Harness) -> None:
    """The interval in the head of each section holds its points."""
    for _, child in leaves(harness, harness.root):
        if child.kind == ChildKind.SECTIONS:
            leaf = harness.source.sections(child)
            for part in map(leaf.leaf, range(len(leaf.sections))):
                assert part.start <= part.points()[0][0]
                assert part.points()[0][-1] < part.start + (1 << part.shift)


def test_sections_coded_together_lie_in_their_interval_and_lose_a_page_only() -> None:
    """Those of a leaf that was divided before, and is divided behind that now."""
    harness = Harness()
    base, step, half = T0 >> 50 << 50, 1 << 29, 1 << 43
    times = np.concatenate([base + step * np.arange(8_000), base + half + step * np.arange(-300, 300)])
    insert_in_steps(harness, (times, times), 8_000)
    newest = base + 2 * half + step * np.arange(10)
    harness.insert(newest, newest)
    assert sizes(harness) == [[8_600, 10]]
    check_intervals(harness)
    [(_, child)] = leaves(harness, harness.root)
    at = harness.source.sections(child).sections[0].written[1]
    head, body = harness.blocks._blocks[at]
    begin = sum(size for size, _ in tree.page_sums(head)[:3])
    harness.blocks._blocks[at] = head, body[:begin] + bytes([body[begin] ^ 1]) + body[begin + 1 :]
    harness.source.cache.clear()
    tolerant = tree.TolerantSource(harness.source)
    found, _ = tree.values(tolerant, harness.root, base, int(times[5_000]))
    [lost] = tolerant.ranges
    kept = times[:5_000][(times[:5_000] < lost.start) | (times[:5_000] >= lost.end)]
    assert len(kept) > 3_900
    assert found[(found < lost.start) | (found >= lost.end)].tolist() == kept.tolist()


def test_a_leaf_made_of_stored_sections_is_divided_by_time() -> None:
    """Also where one of them lies on both sides of the middle, and new points in the second half only."""
    blocks = tree.MemoryBlocks()
    source = tree.Source(Kind.INT, blocks, tree.Cache(1 << 22))
    times = np.arange(8_700)
    stored = [
        Section(
            low, high - low, blocks.add(*encode_leaf(Kind.INT, 0, SHIFT, times[low:high], times[low:high]))
        )
        for low, high in itertools.pairwise([0, 5_000, 8_400])
    ]
    leaf = made_leaf(source, 0, SHIFT, stored, (times, times), full=False)
    assert isinstance(leaf, SectionedLeaf)
    assert leaf.points()[0].tolist() == times.tolist()
    assert [(part.start, part.shift) for part in leaf.unwritten()] == [(0, 13), (8_192, 13)]
    assert [int(part.times[-1]) for part in leaf.unwritten()] == [8_191, 8_699]
    grown = appended(
        in_sections(Kind.INT, times[:8_400], times[:8_400], [5_000], 1),
        source,
        (times[8_400:], times[8_400:]),
        full=False,
    )
    assert [(part.start, part.shift) for part in grown.unwritten()] == [(0, SHIFT), (8_192, 13)]
