"""The journal after crashes and rot: a prefix of what was written; what is lost is lost alone, and told."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.storage.headers import JOURNAL_HEADER
from otrdb.storage.journal import Journal
from otrdb.storage.journal_files import JournalFiles
from otrdb.storage.journal_reader import JournalReader
from otrdb.storage.medium import File
from otrdb.testing.medium import FaultyMedium, everything
from otrdb.testing.survival import some
from tests.storage.journals import (
    ARCHIVE,
    FIRST,
    SECOND,
    Batch,
    Part,
    expected,
    journal_on,
    one,
    read,
    reader_on,
    replayed,
)
from tests.storage.stores import no_damage

WIDE = Batch(((3, ((30, 31), (32, 33))), (4, ((40, 41),))), policy=3)


def three_batches(*, synced: bool) -> tuple[FaultyMedium, Journal, list[tuple[int, Batch]], list[int]]:
    """A journal of three records, their LSNs, and the offsets where they begin and the last one ends."""
    medium = FaultyMedium()
    journal = journal_on(medium, "sync" if synced else "off")
    appended, ends = [], [JOURNAL_HEADER.size]
    for batch in (one(1, 10, 11), WIDE, one(2, 20, 21)):
        appended.append((batch.append_to(journal), batch))
        journal.acknowledge(appended[-1][0])
        ends.append(journal.live_bytes)
    return medium, journal, appended, ends


def without(parts: list[Part], lsn: int) -> list[Part]:
    return [part for part in parts if part[0] != lsn]


def test_a_tail_with_any_byte_changed_is_left_out() -> None:
    medium, _, appended, ends = three_batches(synced=True)
    for offset in range(ends[2], ends[3]):
        torn = medium.crash()
        torn.flip(FIRST, offset)
        assert read(torn) == (expected(appended[:2]), [])
        assert replayed(journal_on(torn)) == (expected(appended[:2]), [])


def test_a_tail_cut_anywhere_is_left_out() -> None:
    medium, _, appended, ends = three_batches(synced=True)
    for offset in range(ends[2], ends[3]):
        torn = medium.crash()
        torn.open(FIRST).write(offset, bytes(ends[3] - offset))
        if torn.open(FIRST).read(0, ends[3]) != medium.open(FIRST).read(0, ends[3]):
            assert read(torn) == (expected(appended[:2]), [])


def test_any_flipped_byte_of_an_older_record_costs_that_record_alone_and_is_reported() -> None:
    medium, _, appended, ends = three_batches(synced=True)
    for damaged in (0, 1):
        lsn, batch = appended[damaged]
        for offset in range(ends[damaged], ends[damaged + 1]):
            rotten = medium.crash()
            rotten.flip(FIRST, offset, bit=offset % 8)
            for parts, lost in (read(rotten), replayed(journal_on(rotten.crash()))):
                assert parts == without(expected(appended), lsn)
                (report,) = lost
                assert (report.file, report.offset) == (1, ends[damaged])
                assert report.length == ends[damaged + 1] - ends[damaged]
                assert (report.after, report.before) == (lsn - 1, lsn + 1)
                if offset == ends[damaged]:
                    times = [time for _, points in batch.parts for time, _ in points]
                    assert report.numbers == tuple(sorted(number for number, _ in batch.parts))
                    assert (report.start, report.end) == (min(times), max(times) + 1)


def test_rot_is_found_in_files_that_are_not_the_last_to_their_ends() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = [(one(1, n).append_to(journal), one(1, n)) for n in range(100)]
    first_file = journal.files()[0]
    journal.close()
    medium.flip(FIRST, first_file.bytes - 1)
    parts, lost = read(medium)
    assert parts == without(expected(appended), first_file.last)
    assert [(each.after, each.before) for each in lost] == [(first_file.last - 1, first_file.last + 1)]


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_a_rotten_header_costs_nothing(name: str) -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = [(one(1, n).append_to(journal), one(1, n)) for n in range(100)]
    files = journal.files()
    journal.close()
    medium.flip(name, 20)
    assert read(medium) == (expected(appended), [])
    again = journal_on(medium)
    assert replayed(again) == (expected(appended), [])
    assert [(file.number, file.last) for file in again.files()] == [
        (file.number, file.last) for file in files
    ]
    assert again.next_lsn == 101


def test_a_missing_file_is_reported() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    appended = [(one(1, n).append_to(journal), one(1, n)) for n in range(150)]
    files = journal.files()
    journal.close()
    medium.delete(SECOND)
    parts, lost = read(medium)
    assert parts == expected(
        [(lsn, batch) for lsn, batch in appended if not files[1].first <= lsn <= files[1].last]
    )
    assert [(each.after, each.before) for each in lost] == [(files[0].last, files[1].last + 1)]


@given(st.randoms(use_true_random=False), st.integers(0, 100), st.integers(1, 20), st.booleans())
def test_a_crash_leaves_a_prefix_with_all_that_was_acknowledged(
    rng: random.Random, acknowledged: int, more: int, written: bool
) -> None:
    medium = FaultyMedium(sector=8)
    appended: list[tuple[int, Batch]] = []

    def append(journal: Journal, count: int) -> None:
        batches = [one(1, rng.randrange(1000)) if rng.random() < 0.7 else WIDE for _ in range(count)]
        appended.extend((batch.append_to(journal), batch) for batch in batches)

    for _ in range(3):
        journal = journal_on(medium, "off")
        parts, lost = replayed(journal)
        assert (parts, lost) == (expected(appended), [])
        append(journal, acknowledged)
        journal.sync_through(journal.next_lsn)
        safe = len(appended)
        append(journal, more)
        if written:
            journal.acknowledge(journal.next_lsn)
        medium = medium.crash(some(rng.randrange(1 << 30), 0.7))
        found, lost = read(medium)
        survived = [(lsn, batch) for lsn, batch in appended if lsn in {part[0] for part in found}]
        assert lost == []
        assert found == expected(survived) == expected(appended[: len(survived)])
        assert len(survived) >= safe
        appended = survived


def test_what_a_torn_tail_left_does_not_come_back() -> None:
    medium, _, appended, ends = three_batches(synced=False)
    torn = medium.crash(everything)
    torn.open(FIRST).write(ends[1], bytes(ends[2] - ends[1]))
    journal = journal_on(torn)
    kept = expected(appended[:1])
    assert replayed(journal) == (kept, [])
    later = [(one(7, n).append_to(journal), one(7, n)) for n in range(3)]
    assert [lsn for lsn, _ in later] == [2, 3, 4]
    journal.sync_through(4)
    assert read(torn.crash()) == (kept + expected(later), [])


def test_what_a_torn_tail_left_does_not_come_back_when_rot_is_stepped_over() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "off")
    for n in range(4):
        journal.acknowledge(one(1, n).append_to(journal))
    torn = medium.crash(everything)
    torn.open(FIRST).write(JOURNAL_HEADER.size + 2 * 64, bytes(8))
    journal = journal_on(torn)
    later = (one(7, 7).append_to(journal), one(7, 7))
    journal.acknowledge(later[0])
    torn.flip(FIRST, JOURNAL_HEADER.size + 64)
    parts, lost = read(torn)
    assert parts == expected([(1, one(1, 0)), later])
    assert [(each.after, each.before) for each in lost] == [(1, 3)]


def test_torn_records_in_a_file_that_is_used_again_do_not_come_back() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium, "off")
    for n in range(40):
        journal.acknowledge(one(1, n).append_to(journal))
    torn = medium.crash(everything)
    torn.open(FIRST).write(JOURNAL_HEADER.size + 64, bytes(8))
    journal = journal_on(torn)
    large = Batch(((2, tuple((n, n) for n in range(37))),))
    journal.acknowledge(large.append_to(journal))
    journal.free_below(journal.next_lsn)
    lsn = large.append_to(journal)
    journal.acknowledge(lsn)
    assert lsn == 3
    assert torn.counts["allocate"] == 1, "the first file is used again"
    assert read(torn) == (expected([(3, large)]), [])


class Overtaken(JournalFiles):
    """Files of which the first is given up and used again while it is being read."""

    def open(self, number: int) -> File:
        file = super().open(number)
        if number == 1:
            self._medium.rename(FIRST, "journal-00000009.otj")
            file.write(0, bytes(file.size()))
        return file


def test_a_file_that_is_used_again_while_it_is_read_is_no_damage() -> None:
    medium = FaultyMedium()
    journal = journal_on(medium)
    while len(journal.files()) < 2:
        one(1, 1).append_to(journal)
    lsn = one(1, 2).append_to(journal)
    journal.close()
    records = JournalReader(Overtaken(medium, ARCHIVE)).records(no_damage)
    assert [record.lsn for record in records][-1] == lsn


def test_records_that_may_be_only_in_memory_are_written_again_before_anything_relies_on_them() -> None:
    medium, _, appended, _ = three_batches(synced=False)
    after = medium.crash(everything)
    journal = journal_on(after)
    assert after.counts["write"] == after.counts["sync"] == 1
    assert replayed(journal) == (expected(appended), [])
    assert read(after.crash()) == (expected(appended), [])


def test_a_file_that_was_only_being_made_is_passed_over() -> None:
    medium, journal, appended, _ = three_batches(synced=True)
    journal.close()
    medium.open(SECOND, create=True).allocate(4096)
    assert read(medium) == (expected(appended), [])
    again = journal_on(medium)
    assert replayed(again) == (expected(appended), [])
    assert again.next_lsn == 4
    again.acknowledge(one(5, 5).append_to(again))
    assert read(medium.crash()) == (expected([*appended, (4, one(5, 5))]), [])


def test_a_spare_with_its_old_header_is_an_empty_file() -> None:
    medium, journal, appended, _ = three_batches(synced=True)
    old = medium.open(FIRST).read(0, 4096)
    journal.close()
    medium.open(SECOND, create=True).append(old)
    assert read(medium) == (expected(appended), [])
    assert replayed(journal_on(medium)) == (expected(appended), [])


def test_records_archived_as_data_are_not_taken_for_records() -> None:
    medium, journal, appended, ends = three_batches(synced=True)
    image = np.frombuffer(medium.open(FIRST).read(0, ends[3]), "<i8")
    forged = Batch(((6, tuple((0, int(word)) for word in image)),))
    appended.append((forged.append_to(journal), forged))
    appended.append((one(1, 99).append_to(journal), one(1, 99)))
    journal.close()
    medium.flip(FIRST, ends[3])
    parts, lost = read(medium)
    assert parts == without(expected(appended), 4)
    assert [(each.after, each.before, each.numbers) for each in lost] == [(3, 5, (6,))]


def test_a_reader_stands_before_rot_until_the_next_file_tells_it_from_a_tail() -> None:
    medium, journal, appended, ends = three_batches(synced=True)
    reader = reader_on(medium)
    list(reader.records(no_damage))
    appended.append((one(8, 8).append_to(journal), one(8, 8)))
    journal.acknowledge(4)
    medium.flip(FIRST, ends[3] + 12)
    assert list(reader.records(no_damage)) == []
    while len(journal.files()) < 2:
        appended.append((one(9, 9).append_to(journal), one(9, 9)))
    journal.sync_through(journal.next_lsn)
    lost: list[object] = []
    assert [record.lsn for record in reader.records(lost.append)][-1] == appended[-1][0]
    assert len(lost) == 1
