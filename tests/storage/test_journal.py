"""The journal: what was acknowledged comes back, in order, once, and as it was."""

import errno
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import DiskFull, InsertTooBig, InvalidArgument, MismatchedColumns, WriteFailed
from otrdb.storage.directory import Directory
from otrdb.storage.durability import Durability
from otrdb.storage.journal import Journal
from otrdb.storage.room import Room
from otrdb.testing import FaultyFile, FaultyMedium, Step, Survives, all_but, everything, only, zeros
from tests.storage.journals import (
    CAP,
    FIRST,
    Batch,
    expected,
    journal_on,
    one,
    parts_of,
    read,
    reader_on,
    replayed,
)
from tests.storage.stores import no_damage

words = st.integers(-(2**63), 2**63 - 1)
points = st.lists(st.tuples(words, words), min_size=1, max_size=4).map(tuple)
parts = st.lists(st.tuples(st.integers(0, 2**32 - 1), points), min_size=1, max_size=4).map(tuple)
batches = st.lists(st.builds(Batch, parts, st.integers(0, 3)), max_size=30)
single = st.lists(st.builds(one, st.integers(0, 5), words, words), max_size=30)


@given(st.one_of(batches, single), st.sampled_from(["sync", "off", "interval=1h"]), st.booleans())
def test_what_was_acknowledged_comes_back(given_batches: list[Batch], durability: str, closes: bool) -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, durability)
    appended = [(batch.append_to(journal), batch) for batch in given_batches]
    assert [lsn for lsn, _ in appended] == list(range(1, len(appended) + 1))
    for lsn, _ in appended:
        assert journal.acknowledge(lsn) or durability != "sync"
    if closes:
        journal.close()
        medium = medium.crash()
    else:
        if durability == "interval=1h":
            journal.sync_through(journal.next_lsn)
        medium = medium.crash(everything) if durability == "off" else medium.crash()
    assert read(medium) == (expected(appended), [])
    again = journal_on(medium)
    assert replayed(again) == (expected(appended), [])
    assert again.next_lsn == len(appended) + 1


def test_it_works_on_a_real_directory(tmp_path: Path) -> None:
    journal = journal_on(Directory(tmp_path), "interval=5ms", cap=64 << 20)
    appended = [(one(n, n).append_to(journal), one(n, n)) for n in range(10_000)]
    journal.sync_through(appended[-1][0])
    assert read(Directory(tmp_path, readonly=True)) == (expected(appended), [])
    journal.close()
    assert replayed(journal_on(Directory(tmp_path))) == (expected(appended), [])


def test_neighbours_of_one_point_are_replayed_as_one() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    for n in range(20):
        Batch(one(n, n).parts, policy=n // 10).append_to(journal)
    journal.close()
    records = list(reader_on(medium).records(no_damage))
    assert [(record.policy, record.lsn, len(record.times)) for record in records] == [
        (0, 10, 10),
        (1, 20, 10),
    ]


def test_batches_that_do_not_fit_together_are_refused() -> None:
    journal = journal_on(FaultyMedium())
    numbers, counts, times = np.zeros(2, np.uint32), np.array([1, 2], np.uint32), np.zeros(3, np.int64)
    with pytest.raises(MismatchedColumns):
        journal.append(numbers, None, times, times)
    with pytest.raises(MismatchedColumns):
        journal.append(numbers, counts[:1], times, times)
    with pytest.raises(MismatchedColumns):
        journal.append(numbers, counts, times, times[:2])
    with pytest.raises(MismatchedColumns):
        journal.carry(numbers, counts, times, times, 0, np.zeros(1, np.uint64))
    assert journal.append(numbers, counts, times, times) == 1


def test_columns_of_other_types_are_stored_as_they_should_be() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    backwards = np.arange(3, dtype=">i8")[::-1]
    journal.append(np.array([1, 2, 3], ">u4"), None, backwards, backwards)
    journal.close()
    assert read(medium)[0] == [(1, 0, n, ((3 - n, 3 - n),)) for n in (1, 2, 3)]


def test_one_sync_for_an_acknowledgement_and_none_for_the_next() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    one(1, 1).append_to(journal)
    first, second = one(1, 2).append_to(journal), one(1, 3).append_to(journal)
    medium.counts.clear()
    assert journal.acknowledge(second)
    assert journal.acknowledge(first)
    journal.sync_through(second)
    assert medium.counts["sync"] == medium.counts["write"] == 1
    assert journal.durable_lsn == second


def test_threads_share_syncs() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, cap=1 << 20)
    one(0, 0).append_to(journal)
    medium.counts.clear()
    syncing, others = threading.Event(), threading.Event()

    def slow(step: str, _: str) -> None:
        if step == "sync" and not syncing.is_set():
            syncing.set()
            medium.lock.release()
            others.wait(30)
            medium.lock.acquire()

    medium.watch = slow
    leader = threading.Thread(target=lambda: journal.acknowledge(one(1, 1).append_to(journal)))
    leader.start()
    syncing.wait(30)
    lsns = [one(2, n).append_to(journal) for n in range(8)]
    followers = [threading.Thread(target=journal.acknowledge, args=(lsn,)) for lsn in lsns]
    for thread in followers:
        thread.start()
    others.set()
    for thread in [leader, *followers]:
        thread.join()
    assert journal.durable_lsn == lsns[-1]
    assert medium.counts["sync"] == 2


def test_an_interval_passes_and_points_are_durable() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "interval=1ms")
    lsn = one(1, 1).append_to(journal)
    deadline = threading.Event()
    for _ in range(1000):
        if journal.durable_lsn == lsn:
            break
        deadline.wait(0.01)
    assert read(medium.crash())[0] == [(1, 0, 1, ((1, 0),))]
    assert journal.acknowledge(lsn)
    medium.counts.clear()
    deadline.wait(0.05)
    assert not medium.counts, "an idle journal touches nothing"
    journal.close()


def test_a_failed_flush_is_told_to_the_next_caller() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "interval=1ms")
    medium.fail("sync", after=2)
    one(1, 1).append_to(journal)
    for _ in range(1000):
        if journal._failure:
            break
        threading.Event().wait(0.01)
    with pytest.raises(WriteFailed):
        one(1, 2).append_to(journal)
    with pytest.raises(WriteFailed):
        journal.sync_through(1)
    journal.close()


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_after_a_failure_everything_is_refused_and_what_was_durable_stays(operation: str) -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    journal.acknowledge(one(1, 1).append_to(journal))
    medium.fail(operation, partial=10)  # type: ignore[arg-type]
    lsn = one(1, 2).append_to(journal)
    for _ in range(2):
        with pytest.raises(WriteFailed, match="reopen"):
            journal.acknowledge(lsn)
    with pytest.raises(WriteFailed):
        one(1, 3).append_to(journal)
    with pytest.raises(WriteFailed):
        journal.free_below(1)
    journal.close()
    assert read(medium.crash())[0] == [(1, 0, 1, ((1, 0),))]
    again = journal_on(medium.crash(everything))
    assert replayed(again)[0][0] == (1, 0, 1, ((1, 0),))
    assert again.epoch == 2


def test_a_full_disk_refuses_a_record_and_takes_the_next_when_there_is_room() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    medium.capacity = 100
    with pytest.raises(DiskFull):
        one(1, 1).append_to(journal)
    assert medium.list() == []
    medium.capacity = 5000
    appended = [(one(1, 1).append_to(journal), one(1, 1))]
    assert appended[0][0] == 1
    with pytest.raises(DiskFull):
        Batch(((1, ((1, 1),) * 250),)).append_to(journal)
    appended += [(one(1, n).append_to(journal), one(1, n)) for n in range(5)]
    journal.acknowledge(appended[-1][0])
    assert read(medium.crash()) == (expected(appended), [])


def test_only_new_points_are_kept_from_the_floor() -> None:
    medium = FaultyMedium()
    medium.capacity = 3 * CAP
    journal = journal_on(medium, room=Room(medium, floor=3 * CAP - 6_000))
    batch = Batch(((1, ((1, 1),) * 150),))
    taken = batch.append_to(journal)
    with pytest.raises(DiskFull, match="must be before points are taken in"):
        batch.append_to(journal)
    assert len(medium.list()) == 1
    assert journal.carry(*batch.columns(), 0, np.array([taken], np.uint64)) == taken + 1
    assert len(medium.list()) == 2
    assert one(1, 2).append_to(journal) == taken + 2, "it fits into what is there"
    medium.capacity = 4 * CAP
    for _ in range(3):
        batch.append_to(journal)


def test_a_disk_that_runs_full_under_bytes_it_had_promised_is_a_failed_one() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "interval=1h")
    one(1, 1).append_to(journal)
    medium.fail("write", code=errno.ENOSPC)
    with pytest.raises(WriteFailed):
        Batch(((1, ((1, 1),) * 250),)).append_to(journal)
    with pytest.raises(WriteFailed):
        one(1, 1).append_to(journal)
    journal.close()


def test_a_sync_that_fails_when_a_file_is_begun() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    medium.fail("sync_directory")
    for _ in range(2):
        with pytest.raises(WriteFailed):
            one(1, 1).append_to(journal)


def test_a_record_larger_than_a_file_gets_its_own() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, cap=1 << 20)
    large = Batch(((7, tuple((n, n) for n in range(16_000))),))
    appended = [(batch.append_to(journal), batch) for batch in (one(1, 1), large, one(1, 2))]
    journal.close()
    assert read(medium) == (expected(appended), [])
    with pytest.raises(InsertTooBig):
        Batch(((7, tuple((n, n) for n in range(17_000))),)).append_to(journal_on(medium, cap=1 << 20))


def fill(journal: Journal, files: int) -> list[tuple[int, Batch]]:
    """Append until that many more files have been begun."""
    appended: list[tuple[int, Batch]] = []
    target = len(journal.files()) + files
    while len(journal.files()) < target:
        appended.append((one(1, len(appended)).append_to(journal), one(1, len(appended))))
    return appended


def test_files_tell_their_lsns_and_are_freed_when_nothing_in_them_is_needed() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = fill(journal, files=4)
    files = journal.files()
    assert [file.number for file in files] == [1, 2, 3, 4]
    assert files[0].first == 1
    assert files[-1].last == len(appended)
    for before, after in itertools.pairwise(files):
        assert before.last + 1 == after.first
    assert journal.live_bytes == pytest.approx(3 * CAP // 4, abs=200)
    journal.free_below(files[1].last)
    assert [file.number for file in journal.files()] == [2, 3, 4]
    journal.free_below(files[1].last + 1)
    assert [file.number for file in journal.files()] == [3, 4]
    journal.sync_through(len(appended))
    kept = [(lsn, batch) for lsn, batch in appended if lsn > files[1].last]
    assert read(medium.crash()) == (expected(kept), [])
    again = journal_on(medium.crash())
    assert [(file.number, file.first, file.last) for file in again.files()] == [
        (file.number, file.first, file.last) for file in journal.files()
    ]


def test_used_files_are_used_again_and_their_old_records_never_come_back() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    for _ in range(5):
        appended = fill(journal, files=2)
        journal.sync_through(appended[-1][0])
        journal.free_below(appended[-1][0] + 1)
        later = [(one(2, 2).append_to(journal), one(2, 2))]
        journal.sync_through(later[-1][0])
        parts, lost = read(medium.crash())
        assert lost == []
        assert parts[-1:] == expected(later)
        assert {lsn for lsn, *_ in parts} <= {lsn for lsn, _ in appended + later}
    assert medium.counts["allocate"] == 3


def test_the_current_file_is_exchanged_when_all_in_it_is_applied() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    for n in range(4):
        one(1, n).append_to(journal)
    journal.free_below(journal.next_lsn)
    assert [file.number for file in journal.files()] == [1], "too little to be worth it"
    for n in range(20):
        one(1, n).append_to(journal)
    journal.free_below(journal.next_lsn - 1)
    assert [file.number for file in journal.files()] == [1]
    medium.capacity = medium.used
    journal.free_below(journal.next_lsn)
    assert [file.number for file in journal.files()] == [1], "no room for another one"
    medium.capacity = None
    journal.free_below(journal.next_lsn)
    assert [file.number for file in journal.files()] == [2]
    journal.close()
    assert read(medium.crash()) == ([], [])
    assert journal_on(medium).next_lsn == 25


@pytest.mark.parametrize("full", [False, True])
def test_the_epoch_outlives_the_files_of_earlier_sessions(full: bool) -> None:
    medium = FaultyMedium()
    for session in range(1, 6):
        journal = journal_on(medium)
        assert journal.epoch == session
        if session == 1:
            appended = fill(journal, files=3)
            journal.sync_through(appended[-1][0])
        medium.capacity = medium.used if full else None
        journal.free_below(journal.next_lsn)
        assert len(journal.files()) == 1
        if session == 3:
            medium.capacity = None
            one(1, 1).append_to(journal)
            journal.acknowledge(journal.next_lsn)
        medium = medium.crash()


def test_records_lost_in_a_torn_session_do_not_come_back() -> None:
    """The session before closed, so a new one goes on in its file; but not behind what a torn one left."""
    medium = FaultyMedium()
    journal = journal_on(medium, "off")
    first = [(one(1, 0).append_to(journal), one(1, 0))]
    journal.close()
    journal = journal_on(medium, "off")
    for n in range(1, 4):
        journal.acknowledge(one(1, n).append_to(journal))
    medium = medium.crash(all_but(0))
    journal = journal_on(medium, "off")
    assert journal.unclean
    later = [(one(1, 7).append_to(journal), one(1, 7))]
    journal.acknowledge(later[0][0])
    assert read(medium.crash(everything)) == (expected(first + later), [])


def test_what_a_file_says_of_those_before_it_is_believed_when_they_are_gone() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    for n in range(20):
        one(1, n).append_to(journal)
    journal.sync_through(20)
    journal.free_below(journal.next_lsn)
    assert [file.number for file in journal.files()] == [2]
    medium = medium.crash()
    journal = journal_on(medium)
    appended = [(one(2, 1).append_to(journal), one(2, 1))]
    journal.sync_through(appended[0][0])
    assert read(medium.crash()) == (expected(appended), [])


def test_files_that_are_freed_together_leave_no_gap() -> None:
    """In whatever order the disk forgets names, no file comes back without those behind it."""
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = fill(journal, files=4)
    journal.sync_through(len(appended))
    kept = [(lsn, batch) for lsn, batch in appended if lsn > journal.files()[2].last]
    left: list[FaultyMedium] = []

    def cut(*_: str) -> None:
        changes = range(len(medium.unsynced()))
        left.extend(medium.crash(survives(place)) for place in changes for survives in (only, all_but))

    medium.watch = cut
    journal.free_below(kept[0][0])
    assert len(left) >= 6
    for crashed in left:
        found, lost = read(crashed)
        assert lost == []
        assert found[-len(kept) :] == expected(kept)


@pytest.mark.parametrize("survives", [zeros, everything])
def test_a_file_that_was_never_begun_is_not_one_that_lost_its_records(survives: Survives) -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = fill(journal, files=2)
    journal.sync_through(len(appended))
    left: list[FaultyMedium] = []
    medium.watch = lambda step, _: left.append(medium.crash(survives)) if step == "sync" else None
    journal.free_below(0)
    journal._begin_file(0)
    medium.watch = None
    for crashed in left:
        again = journal_on(crashed)
        assert replayed(again) == (expected(appended), [])
        # Once the files before it are gone nothing but itself tells what it was.
        after: list[FaultyMedium] = []
        again.append(*one(7, 7).columns())
        again.sync_through(again.next_lsn)
        crashed.watch = lambda *_, disk=crashed, after=after: after.append(disk.crash())
        again.free_below(again.next_lsn - 1)
        for last in after:
            found, lost = read(last)
            assert (found[-1][2], lost) == (7, [])


@pytest.mark.parametrize("step", ["delete", "rename", "sync_directory"])
def test_after_a_file_could_not_be_freed_nothing_is_written(step: Step) -> None:
    """The name may have changed or not, now or after a crash: no other may be changed behind it."""
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = fill(journal, files=3)
    journal._files._spares = 0 if step == "delete" else 4
    medium.fail(step)
    with pytest.raises(WriteFailed):
        journal.free_below(journal.next_lsn)
    assert journal.failed
    with pytest.raises(WriteFailed):
        one(1, 1).append_to(journal)
    assert read(medium.crash())[1] == []
    assert len(appended) > 0


def test_a_session_that_only_freed_files_ends_cleanly() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    for n in range(20):
        one(1, n).append_to(journal)
    journal.close()
    journal = journal_on(medium)
    journal.free_below(journal.next_lsn)
    assert [file.number for file in journal.files()] == [2]
    journal.close()
    again = journal_on(medium.crash())
    assert (again.epoch, again.unclean) == (1, False)


def test_a_reader_comes_back_from_a_file_for_which_there_was_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    medium = FaultyMedium()
    journal, reader = journal_on(medium), reader_on(medium)
    seen: list[int] = []

    def look() -> None:
        seen.extend(lsn for lsn, *_ in parts_of(reader.records(pytest.fail)))  # type: ignore[arg-type]

    real = FaultyFile.allocate

    def looked_at(file: FaultyFile, size: int) -> None:
        look()
        real(file, size)

    for n in range(20):
        one(1, n).append_to(journal)
    journal.sync_through(20)
    monkeypatch.setattr(FaultyFile, "allocate", looked_at)
    medium.capacity = medium.used
    with pytest.raises(DiskFull):
        Batch(((1, tuple((n, n) for n in range(200))),)).append_to(journal)
    assert seen == list(range(1, 21))
    one(1, 20).append_to(journal)
    journal.sync_through(21)
    look()
    assert seen == list(range(1, 22))


def test_a_file_that_a_crash_brings_back_does_no_harm() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = fill(journal, files=3)
    journal.sync_through(appended[-1][0])
    medium.fail("sync_directory")
    with pytest.raises(WriteFailed):
        journal.free_below(journal.files()[1].last)
    assert read(medium.crash()) == (expected(appended), [])


def test_carried_parts_keep_their_lsns() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    slow = Batch(((9, ((5, 6), (7, 8))),), policy=2)
    first = slow.append_to(journal)
    appended = fill(journal, files=2)
    numbers, counts, times, kept_words = slow.columns()
    lsn = journal.carry(numbers, counts, times, kept_words, 2, np.array([first], np.uint64))
    assert lsn == appended[-1][0] + 1
    journal.sync_through(lsn)
    journal.free_below(lsn)
    records = list(reader_on(medium.crash()).records(no_damage))
    assert [(record.carried, record.lsn) for record in records][-1] == (True, lsn)
    assert (first, 2, 9, ((5, 6), (7, 8))) in parts_of(records)


def test_lsns_are_above_all_that_were_applied() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, after=100)
    assert journal.take_lsn() == 101
    assert one(1, 1).append_to(journal) == 102
    assert journal.take_lsn() == 103
    journal.sync_through(103)
    assert journal.durable_lsn == 102
    journal.close()
    assert journal_on(medium, after=50).next_lsn == 103
    assert journal_on(medium, after=500).next_lsn == 501


def test_sessions_go_on_behind_each_other_and_the_epoch_counts_unclean_ends() -> None:
    medium = FaultyMedium()
    appended: list[tuple[int, Batch]] = []
    epochs = []
    for session in range(8):
        journal = journal_on(medium)
        epochs.append(journal.epoch)
        appended += [(one(session, n).append_to(journal), one(session, n)) for n in range(3)]
        journal.sync_through(appended[-1][0])
        if session % 3 != 2:
            journal.close()
            journal.close()
        medium = medium.crash()
        assert read(medium) == (expected(appended), [])
    assert epochs == [1, 1, 1, 2, 2, 2, 3, 3]
    assert sum(name.startswith("journal") for name in medium.list()) == 3


def test_a_session_may_be_made_to_end_uncleanly_without_a_point() -> None:
    medium = FaultyMedium()
    for begins, unclean_next in ((False, False), (True, True), (False, False)):
        journal = journal_on(medium)
        one(1, 1).append_to(journal)
        journal.close()
        journal = journal_on(medium)
        if begins:
            journal.begin_session()
            medium.counts.clear()
            journal.begin_session()
            assert not medium.counts
        medium = medium.crash()
        journal = journal_on(medium)
        assert journal.unclean == unclean_next
        assert {number for _, _, number, _ in replayed(journal)[0]} == {1}
        journal.close()


def test_a_session_that_is_closed_uncleanly_loses_nothing() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "interval=1h")
    one(1, 1).append_to(journal)
    journal.close(clean=False)
    again = journal_on(medium.crash())
    assert (again.epoch, again.unclean) == (2, True)
    assert replayed(again)[0] == [(1, 0, 1, ((1, 0),))]


def test_opening_and_closing_an_idle_journal_writes_nothing() -> None:
    medium = FaultyMedium()
    journal_on(medium).close()
    assert medium.list() == []
    journal = journal_on(medium)
    one(1, 1).append_to(journal)
    journal.close()
    medium.counts.clear()
    journal_on(medium).close()
    assert medium.counts["write"] == medium.counts["sync"] == medium.counts["append"] == 0


def test_closed_is_closed() -> None:
    journal = journal_on(FaultyMedium())
    one(1, 1).append_to(journal)
    journal.close()
    with pytest.raises(WriteFailed):
        one(1, 2).append_to(journal)


def test_a_reader_follows_a_writer() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "off")
    reader = reader_on(medium)
    seen: list[int] = []

    def follow() -> None:
        seen.extend(lsn for lsn, *_ in parts_of(reader.records(pytest.fail)))  # type: ignore[arg-type]

    follow()
    for n in range(300):
        lsn = one(1, n).append_to(journal)
        if n % 7 == 0:
            journal.acknowledge(lsn)
            follow()
            assert seen == list(range(1, lsn + 1))
    journal.close()
    follow()
    assert seen == list(range(1, 301))
    follow()
    assert len(seen) == 300


def test_a_reader_misses_only_what_was_given_up() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "off")
    reader = reader_on(medium)
    appended = fill(journal, files=3)
    assert parts_of(reader.records(no_damage))
    appended = fill(journal, files=4)
    given_up = journal.files()[-2].last
    journal.sync_through(given_up)
    journal.free_below(given_up + 1)
    later = fill(journal, files=1)
    journal.close()
    seen = [lsn for lsn, *_ in parts_of(reader.records(pytest.fail))]  # type: ignore[arg-type]
    assert seen == [lsn for lsn, _ in appended + later if lsn > given_up]


@pytest.mark.parametrize(
    "text", ["", "Sync", "sync=1s", "interval=", "interval=10", "interval=2h", "interval=1us", "off=1"]
)
def test_other_durabilities_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        Durability.parse(text)


def test_durabilities() -> None:
    assert Durability.parse("interval").interval_s == 0.1
    assert Durability.parse("interval=2s").interval_s == 2.0
    assert [Durability.parse(mode).mode for mode in ("sync", "off")] == ["sync", "off"]


def test_unreadable_bytes_cost_what_is_in_them_and_are_reported() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, cap=256 << 10)
    appended = [(one(1, n).append_to(journal), one(1, n)) for n in range(500)]
    journal.close()
    medium.spoil(FIRST, 10_000, 10_001)
    left, lost = read(medium)
    gone = [lsn for lsn, _ in appended if lsn not in {part[0] for part in left}]
    assert set(left) < set(expected(appended))
    assert 0 < len(gone) < 200
    assert [(each.file, each.after, each.before) for each in lost] == [(1, gone[0] - 1, gone[-1] + 1)]
