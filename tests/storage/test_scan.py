"""Which groups happened: torn ones never did, damaged ones cost only themselves."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import Damaged
from otrdb.storage.groups import FIRST_POSITION, GroupInfo
from otrdb.storage.headers import SEGMENT_HEADER
from otrdb.testing.medium import FaultyMedium, everything
from otrdb.testing.survival import some
from tests.storage.stores import commit, no_damage, opened, put, scanned

FIRST = "segment-00000001.otr"
SECOND = "segment-00000002.otr"
BLOCKS = [(b"head one", b"body one"), (b"head two", b"body two")]


def three_groups() -> tuple[FaultyMedium, list[GroupInfo]]:
    medium = FaultyMedium()
    store = opened(medium).store
    return medium, [commit(store, bytes([n]), BLOCKS) for n in (1, 2, 3)]


def copy_of(medium: FaultyMedium) -> FaultyMedium:
    return medium.crash(everything)


def test_a_tail_torn_anywhere_never_happened() -> None:
    medium, infos = three_groups()
    last = infos[-1]
    for size in range(last.start, last.end.offset):
        torn = copy_of(medium)
        torn.open(FIRST).truncate(size)
        for reader in (scanned(copy_of(torn)), opened(torn)):
            assert (reader.payloads, reader.damage) == ([b"\1", b"\2"], [])
        assert torn.open(FIRST).size() == last.start


def test_a_tail_with_any_byte_changed_never_happened() -> None:
    medium, infos = three_groups()
    for offset in range(infos[-1].start, infos[-1].end.offset):
        torn = copy_of(medium)
        torn.flip(FIRST, offset)
        result = opened(torn)
        assert (result.payloads, result.damage) == ([b"\1", b"\2"], [])


@given(st.randoms(use_true_random=False), st.integers(0, 3), st.booleans())
def test_a_crash_leaves_a_group_whole_or_not_at_all(
    rng: random.Random, committed: int, finished: bool
) -> None:
    medium = FaultyMedium(sector=16)
    store = opened(medium, nominal=250).store
    for n in range(committed):
        commit(store, bytes([n]), BLOCKS)
    medium.fail("sync", stays=True, after=0)
    group = None
    try:
        group = store.begin_group()
        group.add(2, bytes(100), (bytes(range(200)),))
        if finished:
            group.commit(b"last")
    except OSError:
        pass
    crashed = medium.crash(some(rng.randrange(1 << 30), 0.7))
    after = opened(crashed)
    expected = [bytes([n]) for n in range(committed)]
    assert after.payloads in (expected, [*expected, b"last"])
    assert after.damage == []
    again = commit(after.store, b"again", BLOCKS)
    assert again.sequence == len(after.payloads) + 1
    assert scanned(crashed.crash(), deep=True).damage == []


def test_what_a_torn_group_left_does_not_come_back() -> None:
    medium, infos = three_groups()
    medium.flip(FIRST, infos[-1].start + 20)
    store = opened(medium).store
    commit(store, b"\4")
    assert scanned(medium, deep=True).payloads == [b"\1", b"\2", b"\4"]


def test_a_last_group_that_may_be_only_in_memory_is_written_again() -> None:
    medium, infos = three_groups()
    again = copy_of(medium)
    assert opened(again).payloads == [b"\1", b"\2", b"\3"]
    assert again.counts["write"] == 1
    assert again.counts["sync"] == 1
    vouched = copy_of(medium)
    assert opened(vouched, infos[-1].end).payloads == []
    assert vouched.counts["write"] == 0


@pytest.mark.parametrize("older", [0, 1])
def test_any_flipped_byte_of_an_older_group_costs_no_other_group(older: int) -> None:
    medium, infos = three_groups()
    info = infos[older]
    record = info.address.offset
    for offset in range(info.start, info.end.offset):
        rotten = copy_of(medium)
        rotten.flip(FIRST, offset)
        result = scanned(rotten, deep=True)
        kept = [bytes([n]) for n in (1, 2, 3) if offset < record or n != older + 1]
        assert result.payloads == kept
        assert len(result.damage) == 1
        assert result.damage[0].segment == 1
        assert info.start <= (result.damage[0].offset or 0) <= offset


def test_a_damaged_record_is_named_and_its_number_is_not_used_again() -> None:
    medium, infos = three_groups()
    medium.flip(FIRST, infos[1].address.offset + 30)
    result = opened(medium)
    assert [sequence for sequence, _ in result.found] == [1, 3]
    assert "group 2" in str(result.damage[0])
    assert commit(result.store, b"").sequence == 4


def test_a_last_group_known_to_be_durable_is_damage_and_is_kept() -> None:
    medium, infos = three_groups()
    medium.flip(FIRST, infos[2].start + 20)
    size = medium.open(FIRST).size()
    medium.open(FIRST).append(b"the beginning of a fourth")
    result = opened(medium, infos[2].end)
    assert result.damage == []
    assert medium.open(FIRST).size() == size

    medium, infos = three_groups()
    medium.open(FIRST).truncate(infos[2].start + 10)
    result = opened(medium, infos[2].end)
    assert "cut off" in str(result.damage[0])
    fourth = commit(result.store, b"\4")
    assert (fourth.sequence, fourth.address.segment) == (4, 2)
    assert medium.open(FIRST).size() == infos[2].start + 10
    found = scanned(medium)
    assert found.payloads == [b"\1", b"\2", b"\4"]
    assert "group 3" in str(found.damage[0])


def test_the_end_of_an_older_segment_cannot_be_torn() -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=100).store
    infos = [commit(store, bytes([n]), BLOCKS) for n in (1, 2)]
    assert [info.address.segment for info in infos] == [1, 2]
    rotten, cut = copy_of(medium), copy_of(medium)
    rotten.flip(FIRST, -1)
    cut.open(FIRST).truncate(90)
    for each in (rotten, cut):
        result = opened(each)
        assert result.payloads == [b"\2"]
        assert [(error.segment, error.offset) for error in result.damage] == [(1, SEGMENT_HEADER.size)]
        assert "group 1" in str(result.damage[0])


def test_a_missing_segment_is_reported_and_the_others_are_read() -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=100).store
    infos = [commit(store, bytes([n]), BLOCKS) for n in (1, 2, 3)]
    medium.delete(SECOND)
    result = scanned(medium)
    assert result.payloads == [b"\1", b"\3"]
    assert "group 2" in str(result.damage[0])
    result = opened(medium, infos[1].end)
    assert result.payloads == [b"\3"]
    assert "missing" in str(result.damage[0])
    medium.delete("segment-00000003.otr")
    result = opened(medium, infos[2].end)
    assert "missing" in str(result.damage[0])
    assert commit(result.store, b"").sequence == 4


@pytest.mark.parametrize("left", [0, 10, SEGMENT_HEADER.size - 1, SEGMENT_HEADER.size])
def test_a_segment_whose_header_was_torn_is_begun_again(left: int) -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=200).store
    commit(store, b"\1", BLOCKS)
    medium.open(SECOND, create=True).append(bytes(left))
    result = opened(medium, nominal=200)
    assert (result.payloads, result.damage) == ([b"\1"], [])
    assert commit(result.store, b"\2").address.segment == 2
    assert scanned(medium.crash(), deep=True).payloads == [b"\1", b"\2"]


def test_an_archive_whose_first_header_was_torn_is_made_again() -> None:
    medium = FaultyMedium()
    medium.open(FIRST, create=True).append(b"OTR")
    commit(opened(medium).store, b"\1")
    assert scanned(medium).payloads == [b"\1"]


def test_a_rotten_header_costs_nothing() -> None:
    medium, _ = three_groups()
    archive = scanned(medium).store.archive
    medium.flip(FIRST, 20)
    result = opened(medium)
    assert result.payloads == [b"\1", b"\2", b"\3"]
    assert result.store.archive == archive


def test_an_archive_of_which_nothing_can_be_recognised_is_left_alone() -> None:
    medium = FaultyMedium()
    medium.open(FIRST, create=True).append(bytes(1000))
    with pytest.raises(Damaged):
        scanned(medium)
    assert medium.open(FIRST).read(0, 2000) == bytes(1000)


def test_records_archived_as_data_are_not_taken_for_records() -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    info = commit(store, b"payload")
    raw = medium.open(FIRST).read(info.start, info.size)
    address = put(store, raw, raw * 3)
    commit(store, b"\3")
    medium.flip(FIRST, address.offset)
    result = scanned(medium)
    assert [sequence for sequence, _ in result.found] == [1, 2, 3]
    assert [(error.segment, error.offset) for error in result.damage] == [(1, address.offset)]


def test_groups_of_another_archive_are_not_ours() -> None:
    medium, _ = three_groups()
    other, infos = three_groups()
    medium.open(FIRST).append(other.open(FIRST).read(infos[2].start, infos[2].size))
    assert scanned(medium).payloads == [b"\1", b"\2", b"\3"]


def test_a_segment_of_another_archive_is_reported_and_left_alone() -> None:
    medium, _ = three_groups()
    strange = FaultyMedium()
    store = opened(strange, nominal=100).store
    for _ in range(8):
        commit(store, b"strange", BLOCKS)
    data = strange.open(SECOND).read(0, 1000)
    medium.open(SECOND, create=True).append(data)
    result = opened(medium)
    assert result.payloads == [b"\1", b"\2", b"\3"]
    assert "another archive" in str(result.damage[0])
    assert commit(result.store, b"").address.segment == 3
    assert medium.open(SECOND).read(0, 1000) == data


def test_what_a_writer_is_appending_is_not_there_yet_and_then_it_is() -> None:
    medium = FaultyMedium()
    writer = opened(medium, nominal=200).store
    reader = scanned(medium).store
    position = FIRST_POSITION
    seen = []
    for n in range(6):
        group = writer.begin_group()
        group.add(2, bytes(5_000_000 if n == 3 else 50))
        assert list(reader.scan(position, report=no_damage)) == []
        group.commit(bytes([n]))
        for found in reader.scan(position, report=no_damage):
            seen.append(found.payload)
            position = found.info.end
    assert seen == [bytes([n]) for n in range(6)]


def test_a_read_that_fails_anywhere_is_reported_or_made_up_for() -> None:
    medium, _ = three_groups()
    store = scanned(medium).store
    medium.counts.clear()
    assert len(list(store.scan(report=no_damage))) == 3
    for after in range(medium.counts["read"]):
        medium.fail("read", after=after)
        damage: list[Damaged] = []
        found = [each.payload for each in store.scan(report=damage.append)]
        assert found == [b"\1", b"\2", b"\3"] or (found == [b"\1", b"\2"] and not damage) or damage
        assert len(damage) <= 1
        assert set(found) <= {b"\1", b"\2", b"\3"}


def test_a_last_group_that_cannot_be_read_is_not_cut_off() -> None:
    medium, infos = three_groups()
    medium.spoil(FIRST, infos[2].start + 20, infos[2].start + 21)
    result = opened(medium)
    assert result.payloads == [b"\1", b"\2"]
    assert "cannot be read" in str(result.damage[0])
    assert commit(result.store, b"\4").address.segment == 2
    medium.spoil(FIRST, 0, 0)
    assert scanned(medium).payloads == [b"\1", b"\2", b"\3", b"\4"]
