"""The commit rules (a) to (d): power cuts at every step of short histories lose and tear nothing.

And each rule is needed: taken out of the engine, the same cuts break the promise it stands for.
"""

from __future__ import annotations

import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from otrdb.engine import opening
from otrdb.engine.commit import Batch, Committer
from otrdb.engine.replay import replay
from otrdb.engine.state import Chunk, Prefix, StreamState
from otrdb.errors import OtrError
from otrdb.storage.journal import Journal
from otrdb.storage.walk import Walk
from otrdb.testing.medium import FaultyFile, FaultyMedium, nothing
from otrdb.testing.operations import (
    SECOND,
    START,
    Delete,
    Flush,
    Insert,
    operations,
    perform,
    uuid_of,
)
from otrdb.testing.power_cuts import WatchedMedium, cuts, opened
from otrdb.testing.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.engine.core import Core
    from otrdb.model import Merge
    from otrdb.storage.journal_records import JournalRecord
    from otrdb.testing.operations import Operation


# --- any history


@pytest.mark.parametrize("seed", range(3))
def test_power_cuts_lose_and_tear_nothing(created: FaultyMedium, seed: int) -> None:
    assert problems(created, list(islice(operations(seed), 12)), seed) == []


def test_recovery_can_be_cut_at_every_step_too(created: FaultyMedium) -> None:
    before = WatchedMedium(created)
    witness = Witness()
    with opened(before) as archive:
        for operation in islice(operations(99), 20):
            witness.acknowledged(operation, perform(archive, operation))
        medium = WatchedMedium(before.crash(nothing))
    tried = []

    def cut() -> None:
        for survives in cuts(99):
            tried.append(survives)
            with opened(medium.crash(survives)) as archive:
                copy.deepcopy(witness).verify(archive, None)

    medium.watch = cut
    with opened(medium) as archive:
        medium.watch = None
        witness.verify(archive, None)
    assert tried


def problems(created: FaultyMedium, history: Sequence[Operation], seed: int = 0) -> list[str]:
    """What a power cut at any step of a history breaks of what was promised."""
    medium, witness = WatchedMedium(created), Witness()
    doubtful: list[Operation | None] = [None]
    found: list[str] = []
    tried = 0

    def cut() -> None:
        nonlocal tried
        for survives in cuts(seed):
            tried += 1
            try:
                with opened(medium.crash(survives)) as archive:
                    copy.deepcopy(witness).verify(archive, doubtful[0])
                    found.extend(map(str, archive.check()))
            except (AssertionError, OtrError) as error:
                found.append(f"{doubtful[0]}: {error}")

    with opened(medium) as archive:
        medium.watch = cut
        for operation in history:
            doubtful[0] = operation
            answer = perform(archive, operation)
            doubtful[0] = None
            witness.acknowledged(operation, answer)
        cut()
        medium.watch = None
    assert tried > len(cuts(seed)) * len(history)
    return found


# --- each rule, and the same without it


def one(stream: int, start: int, count: int = 1) -> Insert:
    return Insert("one", {stream: columns(start, count)})


def columns(start: int, count: int) -> tuple[Any, Any]:
    return START + SECOND * np.arange(start, start + count), np.arange(float(count))


LARGE = Insert("many", {stream: columns(100 * stream, 6_000) for stream in range(3)})
"""A batch over three streams that skips the journal."""


def test_rule_a_replay_takes_only_what_no_commit_has_applied(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    history: list[Operation] = [one(0, 1), one(0, 2), Flush(0), one(0, 3)]
    assert problems(created, history) == []
    real = replay

    def ignoring_what_was_applied(core: Core, record: JournalRecord) -> None:
        applied = core.streams.applied
        applied[applied != np.iinfo(np.int64).max] = 0
        core.pending._released[:] = 0
        real(core, record)

    monkeypatch.setattr(opening, "replay", ignoring_what_was_applied)
    assert problems(created, history) != []


def test_rule_b_a_commit_syncs_the_journal_it_contains(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not torn_by_a_commit(created)
    monkeypatch.setattr(Journal, "sync_through", lambda _journal, _lsn: None)
    assert torn_by_a_commit(created)


def torn_by_a_commit(created: FaultyMedium) -> bool:
    """Whether a batch over two streams, acknowledged but not synced, is there in part after a power cut."""
    medium = WatchedMedium(created)
    found: list[list[int]] = []

    def cut() -> None:
        with opened(medium.crash(nothing)) as left:
            found.append([left.stream(uuid_of(stream)).count() for stream in (0, 1)])

    with opened(medium, "off") as archive:
        perform(archive, Insert("many", {0: columns(0, 5), 1: columns(0, 5)}))
        medium.watch = cut
        perform(archive, Flush(0))
        cut()
        medium.watch = None
    assert found[0] == [0, 0]
    return any(left not in ([0, 0], [5, 5]) for left in found)


def test_rule_c_a_large_batch_is_one_group_over_all_its_streams(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems(created, [LARGE]) == []
    real = Committer.direct

    def one_by_one(committer: Committer, batches: Sequence[Batch], merge: Merge) -> None:
        for batch in batches:
            real(committer, [batch], merge)

    monkeypatch.setattr(Committer, "direct", one_by_one)
    assert problems(created, [LARGE]) != []


def test_rule_c_a_large_batch_brings_the_older_points_along(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    history: list[Operation] = [
        one(0, 1),
        Insert("many", {0: columns(50, 3), 4: columns(0, 3)}),
        LARGE,
        one(1, 2),
    ]
    assert problems(created, history) == []
    real = Committer._plan

    def leaving_them(committer: Committer, state: StreamState, direct: Chunk | None = None) -> Any:
        plan = real(committer, state, direct)
        return plan if direct is None else plan._replace(prefix=Prefix(state.committed, [], 0))

    monkeypatch.setattr(Committer, "_plan", leaving_them)
    assert problems(created, history) != []


def test_rule_c_a_large_batch_takes_an_lsn_of_its_own(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    history: list[Operation] = [one(0, 1), LARGE, one(0, 2), one(1, 3)]
    assert problems(created, history) == []
    monkeypatch.setattr(Journal, "take_lsn", lambda journal: journal.next_lsn)
    assert problems(created, history) != []


def test_rule_d_a_group_counts_only_as_a_whole(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    history: list[Operation] = [one(0, 1), LARGE, one(0, 2), Flush(0)]
    assert problems(created, history) == []
    monkeypatch.setattr(Walk, "is_whole", lambda _walk, _info: True)
    assert problems(created, history) != []


def test_rule_d_a_group_is_synced_before_it_counts(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    history: list[Operation] = [one(0, 1), LARGE, one(0, 2), Delete(0, START, START + 5 * SECOND)]
    assert problems(created, history) == []
    real = FaultyFile.sync

    def not_segments(file: FaultyFile) -> None:
        if not file._name.startswith("segment"):
            real(file)

    monkeypatch.setattr(FaultyFile, "sync", not_segments)
    assert problems(created, history) != []
