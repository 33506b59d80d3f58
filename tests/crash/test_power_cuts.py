"""Power cuts at every step: the fast part. `make test-crash` runs the exhaustive one (`tests.crash`)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb.testing import FaultyMedium, Operation, PowerCuts, opened, survivals
from otrdb.testing.strategies import histories
from tests.crash.histories import (
    DURABILITIES,
    HISTORIES,
    JOURNAL,
    SECTORS,
    SEGMENT,
    STREAMS,
    Run,
    small_leaves,
)

SPARSELY = {"trickling": 13, "carry-overs": 23, "segments": 13, "thinning": 43}
"""How many steps lie between two cuts of a history that has many."""


@pytest.mark.parametrize("name", HISTORIES)
def test_power_cuts_lose_and_tear_nothing(name: str) -> None:
    """Each history in one mode, another one for each, at some of its steps."""
    place = list(HISTORIES).index(name)
    run = Run(name, DURABILITIES[place % 3], SECTORS[place % 2], SPARSELY.get(name, 5), place, singles=2)
    cuts = run.cuts()
    with run.conditions():
        assert cuts.run(run.history()) == []
    assert cuts.tally.cuts + cuts.tally.same > cuts.tally.points > 0


@settings(max_examples=12)
@given(
    history=histories(STREAMS, longest=20),
    durability=st.sampled_from(DURABILITIES),
    sector=st.sampled_from(SECTORS),
    seed=st.integers(0, 1 << 20),
)
def test_power_cuts_anywhere_in_any_history_lose_and_tear_nothing(
    history: list[Operation], durability: str, sector: int, seed: int
) -> None:
    cuts = PowerCuts(
        STREAMS,
        durability=durability,
        sector=sector,
        journal=JOURNAL,
        segment=SEGMENT,
        seed=seed,
        singles=2,
        every=11,
        first=seed,
    )
    with small_leaves():
        assert cuts.run(history) == []


@pytest.mark.parametrize("durability", DURABILITIES)
def test_power_cuts_while_an_archive_is_made_leave_none_or_a_good_one(durability: str) -> None:
    medium, made = FaultyMedium(), list[str]()
    left: dict[object, tuple[FaultyMedium, list[str]]] = {}

    def cut(*_: str) -> None:
        for survives in survivals(len(medium.unsynced()), seed=1):
            crashed = medium.crash(survives)
            left[len(made), *crashed.contents().items()] = crashed, made.copy()

    medium.watch = cut
    with opened(medium, durability) as archive:
        for name in ("first", "second"):
            archive.create(name).insert(1, 0.5)
            made.append(name)
    for crashed, acknowledged in left.values():
        with opened(crashed, durability) as archive:
            assert set(acknowledged) <= set(archive.collections()) <= {"first", "second"}
            assert archive.create("more").insert(1, 0.5).pending == 1
            assert list(archive.check()) == []
    assert len(left) > 20
