"""The commit rules (a) to (d) are needed: without one of them power cuts break what it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otrdb.engine import opening
from otrdb.engine.commit import Batch, Committer
from otrdb.engine.replay import replay
from otrdb.engine.state import Chunk, Prefix, StreamState
from otrdb.storage.journal import Journal
from otrdb.storage.walk import Walk
from otrdb.testing import Delete, FaultyFile, Flush, Insert, PowerCuts, nothing, opened, perform, uuid_of
from otrdb.testing.operations import SECOND, START
from tests.crash.histories import JOURNAL, SEGMENT, columns, one

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from otrdb.engine.core import Core
    from otrdb.model import Merge
    from otrdb.storage.journal_records import JournalRecord
    from otrdb.testing import FaultyMedium, Operation

LARGE = Insert("many", {stream: columns(stream, 100 * stream, 300) for stream in range(3)})
"""A batch over three streams that skips the journal."""


APART = 4
"""Steps between two cuts of one run."""


def is_sound(history: Sequence[Operation], first: int = 0) -> bool:
    """Whether power cuts at some steps of a history, from that one on, break nothing that was promised."""
    cuts = PowerCuts(range(5), journal=JOURNAL, segment=SEGMENT, singles=3, every=APART, first=first)
    return cuts.run(history) == []


def is_broken(history: Sequence[Operation]) -> bool:
    """Whether a power cut at any step breaks something."""
    return not all(is_sound(history, first) for first in range(APART))


def test_rule_a_replay_takes_only_what_no_commit_has_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Operation] = [one(0, 1), one(0, 2), Flush(0), one(0, 3)]
    assert is_sound(history)
    real = replay

    def ignoring_what_was_applied(core: Core, record: JournalRecord) -> None:
        applied = core.streams.applied
        applied[applied != np.iinfo(np.int64).max] = 0
        core.pending._released[:] = 0
        real(core, record)

    monkeypatch.setattr(opening, "replay", ignoring_what_was_applied)
    assert is_broken(history)


def test_rule_b_a_commit_syncs_the_journal_it_contains(
    created: FaultyMedium, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not torn_by_a_commit(created)
    monkeypatch.setattr(Journal, "sync_through", lambda _journal, _lsn: None)
    assert torn_by_a_commit(created)


def torn_by_a_commit(created: FaultyMedium) -> bool:
    """Whether a batch over two streams, acknowledged but not synced, is there in part after a power cut."""
    medium = created.crash()
    found: list[list[int]] = []

    def cut(*_: str) -> None:
        with opened(medium.crash(nothing)) as left:
            found.append([left.stream(uuid_of(stream)).count() for stream in (0, 1)])

    with opened(medium, "off") as archive:
        perform(archive, Insert("many", {0: columns(0, 0, 5), 1: columns(1, 0, 5)}))
        medium.watch = cut
        perform(archive, Flush(0))
        cut()
        medium.watch = None
    assert found[0] == [0, 0]
    return any(left not in ([0, 0], [5, 5]) for left in found)


def test_rule_c_a_large_batch_is_one_group_over_all_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_sound([LARGE])
    real = Committer.direct

    def one_by_one(committer: Committer, batches: Sequence[Batch], merge: Merge) -> None:
        for batch in batches:
            real(committer, [batch], merge)

    monkeypatch.setattr(Committer, "direct", one_by_one)
    assert is_broken([LARGE])


def test_rule_c_a_large_batch_brings_the_older_points_along(monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Operation] = [
        one(0, 1),
        Insert("many", {0: columns(0, 50, 3), 4: columns(4, 0, 3)}),
        LARGE,
        one(1, 2),
    ]
    assert is_sound(history)
    real = Committer._plan

    def leaving_them(committer: Committer, state: StreamState, direct: Chunk | None = None) -> Any:
        plan = real(committer, state, direct)
        return plan if direct is None else plan._replace(prefix=Prefix(state.committed, [], 0))

    monkeypatch.setattr(Committer, "_plan", leaving_them)
    assert is_broken(history)


def test_rule_c_a_large_batch_takes_an_lsn_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Operation] = [one(0, 1), LARGE, one(0, 2), one(1, 3)]
    assert is_sound(history)
    monkeypatch.setattr(Journal, "take_lsn", lambda journal: journal.next_lsn)
    assert is_broken(history)


def test_rule_d_a_group_counts_only_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Operation] = [one(0, 1), LARGE, one(0, 2), Flush(0)]
    assert is_sound(history)
    monkeypatch.setattr(Walk, "is_whole", lambda _walk, _info: True)
    assert is_broken(history)


def test_rule_d_a_group_is_synced_before_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    history: list[Operation] = [one(0, 1), LARGE, one(0, 2), Delete(0, START, START + 5 * SECOND)]
    assert is_sound(history)
    real = FaultyFile.sync

    def not_segments(file: FaultyFile) -> None:
        if not file._name.startswith("segment"):
            real(file)

    monkeypatch.setattr(FaultyFile, "sync", not_segments)
    assert is_broken(history)
