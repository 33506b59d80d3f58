"""Segments: what was committed can be read, what was not is gone, and errors leave the store as promised."""

import threading
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import Damaged, DiskFull, InternalError, NotAnArchive, UnsupportedFormat, WriteFailed
from otrdb.storage.blocks import HEADER_BYTES, NOWHERE
from otrdb.storage.directory import Directory
from otrdb.storage.group_writer import Group
from otrdb.storage.groups import FIRST_POSITION
from otrdb.storage.headers import FORMAT, SEGMENT_HEADER, SegmentHeader
from otrdb.storage.segments import SegmentStore
from otrdb.testing.medium import FaultyMedium, everything
from tests.storage.stores import commit, no_damage, opened, put, scanned

FIRST = "segment-00000001.otr"
SECOND = "segment-00000002.otr"

blocks = st.lists(
    st.tuples(st.integers(2, 9), st.binary(max_size=60), st.lists(st.binary(max_size=60), max_size=3))
)


@given(st.lists(blocks, max_size=4))
def test_committed_blocks_can_be_read(groups: list[list[tuple[int, bytes, list[bytes]]]]) -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=200).store
    written = []
    for group_blocks in groups:
        with store.begin_group() as group:
            written += [
                (group.add(kind, head, body), head, b"".join(body)) for kind, head, body in group_blocks
            ]
            group.commit(b"payload")
    for reader in (store, scanned(medium.crash()).store):
        for address, head, body in written:
            assert reader.read_head(address) == head
            assert reader.read_block(address) == (head, body)
            assert (
                reader.read_body(address, len(body) // 2, len(body) - len(body) // 2)
                == body[len(body) // 2 :]
            )


def test_committed_blocks_can_be_read_from_a_real_directory(tmp_path: Path) -> None:
    medium = Directory(tmp_path)
    address = put(opened(medium).store, b"head", b"body" * 3_000_000)
    store = scanned(Directory(medium.path, readonly=True)).store
    assert store.read_block(address) == (b"head", b"body" * 3_000_000)
    store.close()


def test_groups_are_found_in_order_with_what_was_said_of_them() -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=300).store
    infos = [commit(store, bytes([n]), [(b"head", b"body" * n)]) for n in range(20)]
    assert [info.sequence for info in infos] == list(range(1, 21))
    assert len(store.sizes()) > 3
    reader = SegmentStore(medium.crash())
    found = list(reader.scan(report=no_damage))
    assert [each.info for each in found] == infos
    assert [each.payload for each in found] == [bytes([n]) for n in range(20)]
    assert reader.archive == store.archive
    assert sum(info.size for info in infos) == sum(reader.sizes().values()) - SEGMENT_HEADER.size * len(
        reader.sizes()
    )
    for info in (infos[0], infos[7], infos[-1]):
        rest = reader.scan(info.end, report=no_damage)
        assert [each.info for each in rest] == infos[info.sequence :]


def test_a_group_needs_one_sync_and_an_opening_none() -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    before = medium.counts["sync"]
    commit(store, b"payload", [(b"head", b"body")] * 3)
    assert medium.counts["sync"] == before + 1
    info = commit(store, b"more")
    medium.counts.clear()
    opened(medium, info.end)
    assert medium.counts["sync"] == medium.counts["write"] == 0


def test_large_groups_are_written_in_pieces_and_stay_in_one_segment() -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=1000).store
    before = medium.counts["append"]
    with store.begin_group() as group:
        addresses = [group.add(2, bytes([n]) * 1000, (bytes([n]) * 1_000_000,)) for n in range(10)]
        info = group.commit(b"")
    assert {address.segment for address in addresses} == {1}
    assert 2 < medium.counts["append"] - before < 5
    assert scanned(medium, deep=True).damage == []
    assert commit(store, b"").address.segment == 2
    assert info.size > 10_000_000


def test_an_aborted_group_leaves_nothing() -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    kept = put(store, b"kept")
    size = store.sizes()
    with store.begin_group() as group:
        group.add(2, bytes(5_000_000))
    with suppress(ZeroDivisionError), store.begin_group() as group:
        group.add(2, b"head")
        raise ZeroDivisionError
    assert store.sizes() == size
    assert put(store, b"next").offset > kept.offset
    assert [sequence for sequence, _ in scanned(medium).found] == [1, 2]


def test_a_group_is_of_no_use_after_its_end() -> None:
    store = opened(FaultyMedium()).store
    group = store.begin_group()
    group.commit(b"")
    for use in (lambda: group.add(2, b""), lambda: group.commit(b""), group.abort):
        with pytest.raises(InternalError):
            use()


def test_nothing_is_written_before_the_recovery() -> None:
    with pytest.raises(InternalError):
        SegmentStore(FaultyMedium()).begin_group()


def test_groups_wait_for_each_other() -> None:
    store = opened(FaultyMedium()).store
    order: list[str] = []
    first = store.begin_group()

    def second() -> None:
        commit(store, b"second")
        order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    order.append("first")
    first.commit(b"first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("size", [10, 6_000_000])
def test_a_full_disk_takes_the_group_back_and_no_more(size: int) -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    kept = put(store, b"kept")
    medium.capacity = medium.used + size // 2

    def write() -> None:
        with store.begin_group() as group:
            for _ in range(10):
                group.add(2, bytes(size // 10))
            group.commit(b"")

    with pytest.raises(DiskFull):
        write()
    assert medium.used == medium.capacity - size // 2
    assert store.read_head(kept) == b"kept"
    medium.capacity = None
    write()
    assert [sequence for sequence, _ in scanned(medium.crash()).found] == [1, 2]


def test_a_full_disk_ends_the_group_by_itself() -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    group = store.begin_group()
    medium.capacity = medium.used + 10
    with pytest.raises(DiskFull):
        group.commit(b"")
    medium.capacity = None
    assert commit(store, b"").sequence == 1


def test_a_full_disk_when_a_segment_is_begun() -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=100).store
    put(store, bytes(100))
    medium.capacity = medium.used + 10
    with pytest.raises(DiskFull):
        store.begin_group()
    assert medium.list() == [FIRST]
    medium.capacity = None
    assert put(store, b"head").segment == 2


@pytest.mark.parametrize("operation", ["append", "sync"])
def test_after_a_failed_write_reads_go_on_and_writes_are_refused(operation: str) -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    kept = put(store, b"kept")
    medium.fail(operation)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(WriteFailed, match="reopen"):
            commit(store, b"lost?", [(b"head", b"body")])
    assert store.read_head(kept) == b"kept"
    for survives in (everything, None):
        after = opened(medium.crash(survives) if survives else medium.crash())
        assert after.payloads[0] == b""
        assert commit(after.store, b"next").sequence == len(after.found) + 1


def test_an_interrupted_commit_refuses_further_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    group = store.begin_group()
    monkeypatch.setattr(medium, "step", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        group.commit(b"")
    with pytest.raises(WriteFailed):
        store.begin_group()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@given(st.data())
def test_any_flipped_bit_of_header_or_head_is_seen(data: st.DataObject) -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    address = put(store, b"a head of some length", b"body")
    offset = data.draw(st.integers(address.offset, address.offset + HEADER_BYTES + address.head - 1))
    medium.flip(FIRST, offset, data.draw(st.integers(0, 7)))
    with pytest.raises(Damaged) as caught:
        store.read_head(address)
    assert (caught.value.segment, caught.value.offset) == (1, address.offset)


def test_addresses_that_lead_nowhere_are_damage() -> None:
    store = opened(FaultyMedium()).store
    address = put(store, b"head", b"body")
    wrong = [
        NOWHERE,
        address._replace(segment=9),
        address._replace(offset=address.offset + 1),
        address._replace(offset=1 << 30),
        address._replace(length=address.length + 1),
        address._replace(head=address.head - 1),
    ]
    for each in wrong:
        with pytest.raises(Damaged):
            store.read_head(each)
    for start, length in ((-1, 1), (0, 5), (4, 1)):
        with pytest.raises(Damaged):
            store.read_body(address, start, length)


def test_a_disk_that_does_not_read_is_damage_where_it_is() -> None:
    medium = FaultyMedium()
    store = opened(medium).store
    address = put(store, b"head", b"body")
    medium.fail("read")
    with pytest.raises(Damaged, match="Input/output"):
        store.read_body(address, 0, 4)
    assert store.read_body(address, 0, 4) == b"body"


def test_a_reader_is_not_disturbed_when_its_handle_is_dropped_from_the_cache(
    tmp_path: Path,
) -> None:
    medium = Directory(tmp_path)
    store = opened(medium, nominal=50).store
    addresses = [put(store, bytes([n]) * 100) for n in range(20)]
    store._files._limit = 2

    def read() -> None:
        for _ in range(100):
            for n, address in enumerate(addresses):
                heads.add(store.read_head(address) == bytes([n]) * 100)

    heads: set[bool] = set()
    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heads == {True}
    store.close()


def test_no_archive_is_made_where_nothing_may_be_written() -> None:
    medium = FaultyMedium()
    medium.writable = False
    with pytest.raises(NotAnArchive):
        SegmentStore(medium)


def test_another_format_is_refused() -> None:
    medium = FaultyMedium()
    opened(medium)
    data = bytearray(SegmentHeader(1, UUID(int=1), 0).pack()[:-4])
    data[8] = FORMAT + 1
    medium.open(FIRST).write(0, bytes(data) + crc32c(data).to_bytes(4, "little"))
    with pytest.raises(UnsupportedFormat, match=f"format {FORMAT + 1}"):
        SegmentStore(medium)


def test_positions_begin_before_the_first_group() -> None:
    medium = FaultyMedium()
    info = commit(opened(medium).store, b"")
    assert (info.address.segment, info.start) == FIRST_POSITION[1:]
    assert isinstance(opened(medium).store.begin_group(), Group)
