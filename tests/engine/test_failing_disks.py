"""A disk that is full, or fails, at every single step: the right error, nothing stored in part, and what was
acknowledged stays.
"""

from __future__ import annotations

import copy
import errno
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from otrdb.errors import DiskFull, WriteFailed
from otrdb.testing.medium import FaultyMedium, Step, everything, nothing
from otrdb.testing.operations import (
    FLOATS,
    START,
    Ask,
    Create,
    Flush,
    Keep,
    Obliterate,
    operations,
    perform,
    uuid_of,
)
from otrdb.testing.power_cuts import opened
from otrdb.testing.witness import Witness
from tests.engine.support import SECOND, core_of, fill

if TYPE_CHECKING:
    from otrdb import Archive
    from otrdb.testing.operations import Operation

ALL = np.ones(2_000)


def history() -> list[Operation]:
    """A mixture in which everything occurs: late points, wide batches, commits, metadata, snapshots."""
    first = next(operation for operation in operations(7) if isinstance(operation, Create))
    return [*islice(operations(5), 12), first, Ask(2), Keep("kept"), Flush(None), Obliterate(first.uuid)]


def steps(created: FaultyMedium, step: Step) -> int:
    """How often the history asks the medium for that."""
    medium = created.crash(everything)
    with opened(medium) as archive:
        before = medium.counts[step]
        for operation in history():
            perform(archive, operation)
        return medium.counts[step] - before


@pytest.mark.parametrize("step", ["append", "allocate"])
def test_the_disk_is_full_at_any_step_and_then_has_room(created: FaultyMedium, step: Step) -> None:
    total = steps(created, step)
    refusals = []
    for at in range(total):
        medium, witness = created.crash(everything), Witness()
        with opened(medium) as archive:
            medium.fail(step, after=at, code=errno.ENOSPC, partial=7)
            for operation in history():
                try:
                    answer = perform(archive, operation)
                except DiskFull as error:
                    refusals.append((error.code, error.advice))
                    witness.verify(archive, None)
                    # The advice is to free space and repeat the call.
                    answer = perform(archive, operation)
                witness.acknowledged(operation, answer)
            witness.verify(archive, None)
            assert list(archive.check()) == []
        with opened(medium) as archive:
            witness.verify(archive, None)
            assert list(archive.check()) == []
    assert set(refusals) == {("OTR-5020", DiskFull.default_advice)}


def test_the_disk_is_full_for_long(created: FaultyMedium) -> None:
    """Inserts are refused when the journal can hold no more, and never stored in part; reads go on."""
    medium = created.crash(everything)
    expected = 0
    with opened(medium) as archive:
        stream = archive.stream(uuid_of(0))
        fill(stream, 0, 1)
        medium.capacity = medium.used
        for turn in range(1, 4_000):
            try:
                stream.insert(SECOND * (turn * 1_000 + np.arange(200)), np.ones(200))
                expected += 200
            except DiskFull:
                break
            if turn % 50 == 0:
                assert stream.count(SECOND * 1_000) == expected
        else:
            pytest.fail("the disk never ran full")
        for _ in range(3):
            with pytest.raises(DiskFull):
                stream.insert(SECOND * np.arange(2_000), ALL)
            with pytest.raises(DiskFull):
                stream.delete(0, SECOND)
            with pytest.raises(DiskFull):
                archive.create("more")
        assert stream.count() == expected + 1
        assert archive.streams("more") == []
        medium.capacity = None
        stream.insert(1, 1.0)
        assert stream.delete(0, 1) > 10
        assert stream.count() == expected + 1
        assert list(archive.check()) == []
    with opened(medium) as archive:
        assert archive.stream(uuid_of(0)).count() == expected + 1


def test_an_archive_opens_on_a_full_disk(created: FaultyMedium) -> None:
    medium = created.crash(everything)
    witness = Witness()
    with opened(medium) as archive:
        for operation in history():
            witness.acknowledged(operation, perform(archive, operation))
        left = medium.crash(nothing)
    left.capacity = left.used
    with opened(left) as archive:
        witness.verify(archive, None)
        left.capacity = None
        assert list(archive.check()) == []


@pytest.mark.parametrize("step", [step for step in get_args(Step) if step != "read"])
def test_the_disk_fails_at_any_step(created: FaultyMedium, step: Step) -> None:
    """`WriteFailed`; nothing more is written, reads go on; reopened, everything promised is there."""
    failed = 0
    for at in range(steps(created, step)):
        medium, witness = created.crash(everything), Witness()
        archive = opened(medium)
        medium.fail(step, after=at, stays=True, partial=11)
        doubtful = _until_it_fails(archive, witness)
        if doubtful is not None:
            failed += 1
            _verify_it_refuses(archive)
            copy.deepcopy(witness).verify(archive, doubtful, versions=False)
        for left in (medium.crash(everything), medium.crash(nothing)):
            with opened(left) as reopened:
                copy.deepcopy(witness).verify(reopened, doubtful)
                assert list(reopened.check()) == []
    assert failed or step in ("truncate", "allocate", "create", "rename", "delete")


def _until_it_fails(archive: Archive, witness: Witness) -> Operation | None:
    """The operation that met the failure; the ones before are acknowledged."""
    for operation in history():
        try:
            answer = perform(archive, operation)
        except WriteFailed:
            return operation
        witness.acknowledged(operation, answer)
    return None


def _verify_it_refuses(archive: Archive) -> None:
    stream = archive.stream(uuid_of(1))
    before = stream.count()
    for _ in range(2):
        with pytest.raises(WriteFailed):
            stream.insert(START, 1.0)
        with pytest.raises(WriteFailed):
            stream.insert(START + np.arange(20_000), np.ones(20_000))
        with pytest.raises(WriteFailed):
            stream.delete(0, 1)
        with pytest.raises(WriteFailed):
            archive.create("more")
    assert stream.count() == before


def test_a_failed_commit_is_not_the_inserts_error(created: FaultyMedium) -> None:
    """The points are acknowledged; a commit that they lead to fails. The next call says so."""
    medium = created.crash(everything)
    archive = opened(medium)
    stream = archive.stream(uuid_of(0))
    for turn in range(3):
        fill(stream, 5_000 * turn, 5_000)
    medium.fail("append", stays=True)
    fill(stream, 15_000, 5_000)
    assert stream.count() == 20_000
    with pytest.raises(WriteFailed):
        fill(stream, 20_000, 1)
    with opened(medium.crash(nothing)) as reopened:
        assert reopened.stream(uuid_of(0)).count() == 20_000


def test_a_full_disk_met_by_a_commit_is_not_the_inserts_error(created: FaultyMedium) -> None:
    medium = created.crash(everything)
    with opened(medium) as archive:
        stream = archive.stream(uuid_of(0))
        for turn in range(3):
            fill(stream, 5_000 * turn, 5_000)
        before = medium.counts["append"]
        medium.fail("append", code=errno.ENOSPC)
        fill(stream, 15_000, 5_000)
        assert medium.counts["append"] == before + 1
        assert stream.state.committed.version == 10
        assert stream.count() == 20_000
        fill(stream, 20_000, 1)
        assert stream.flush() == 11
        assert stream.count() == 20_001
        assert core_of(archive).pending.points == 0


def test_closing_on_a_disk_without_room_for_marks_keeps_their_numbers(created: FaultyMedium) -> None:
    medium = created.crash(everything)
    archive = opened(medium)
    stream = archive.stream(uuid_of(0))
    fill(stream, 0, 1)
    told = stream.version
    medium.capacity = medium.used
    archive.close()
    medium.capacity = None
    with opened(medium) as archive:
        stream = archive.stream(uuid_of(0))
        assert stream.count() == 1
        fill(stream, 1, 1)
        assert stream.version > told


def test_wide_batches_are_refused_whole_on_a_full_disk(created: FaultyMedium) -> None:
    medium = created.crash(everything)
    with opened(medium) as archive:
        streams = [archive.stream(uuid_of(number)) for number in range(FLOATS)]
        medium.capacity = medium.used
        stored = 0
        with suppress(DiskFull):
            while True:
                archive.insert_columns(np.arange(FLOATS), np.full(FLOATS, stored), np.ones(FLOATS), streams)
                stored += 1
        assert {stream.count() for stream in streams} == {stored}
    medium.capacity = None
    with opened(medium) as archive:
        assert {archive.stream(uuid_of(number)).count() for number in range(FLOATS)} == {stored}


def test_room_that_was_reserved_and_is_refused_all_the_same(created: FaultyMedium) -> None:
    """As a file system that copies on write may do; then nobody knows what was stored."""
    medium = created.crash(everything)
    archive = opened(medium)
    stream = archive.stream(uuid_of(0))
    fill(stream, 0, 3)
    medium.fail("write", code=errno.ENOSPC)
    with pytest.raises(WriteFailed):
        fill(stream, 3, 1)
    with pytest.raises(WriteFailed):
        fill(stream, 4, 1)
    with opened(medium.crash(nothing)) as reopened:
        assert reopened.stream(uuid_of(0)).count() in (3, 4)
