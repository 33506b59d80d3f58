"""The cache: it gives back what was put, never holds more than it may, and keeps what is used."""

from __future__ import annotations

import tracemalloc

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from otrdb.tree import Cache

BUDGET = 100
KEYS = st.integers(0, 12)


class CacheMachine(RuleBasedStateMachine):
    """Any sequence of calls, beside a dictionary of what was put last under each key."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = Cache(BUDGET)
        self.put_last: dict[int, tuple[object, int]] = {}

    @rule(key=KEYS, size=st.integers(1, BUDGET))
    def put(self, key: int, size: int) -> None:
        value = object()
        self.cache.put(key, value, size)
        self.put_last[key] = (value, size)
        assert (self.cache.get(key) is value) == (2 * size <= BUDGET)

    @rule(key=KEYS)
    def get(self, key: int) -> None:
        found = self.cache.get(key)
        assert found is None or found is self.put_last[key][0]

    @rule(key=KEYS)
    def drop(self, key: int) -> None:
        self.cache.drop(key)
        assert self.cache.get(key) is None

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        assert self.cache.size == 0

    @invariant()
    def holds_what_it_says_and_no_more_than_it_may(self) -> None:
        held = sum(size for key, (_, size) in self.put_last.items() if self.cache.get(key) is not None)
        assert self.cache.size == held <= BUDGET


TestCache = CacheMachine.TestCase
TestCache.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_all_of_the_budget_serves_a_scan_that_is_repeated() -> None:
    cache = Cache(BUDGET)
    for key in range(BUDGET):
        cache.put(key, key, 1)
    for _ in range(3):
        assert [cache.get(key) for key in range(BUDGET)] == list(range(BUDGET))


def test_what_is_asked_for_stays_while_others_pass() -> None:
    cache = Cache(BUDGET)
    cache.put("used", 1, 10)
    for key in range(10 * BUDGET):
        assert cache.get("used") == 1
        cache.put(key, key, 1)


def test_what_nobody_asks_for_leaves_in_the_order_it_came() -> None:
    cache = Cache(BUDGET)
    for key in range(BUDGET + 7):
        cache.put(key, key, 1)
    assert [key for key in range(BUDGET + 7) if cache.get(key) is None] == list(range(7))


def test_what_is_put_again_and_again_leaves_nothing_behind() -> None:
    """As the overlay of a live stream is, at every read after an insert."""
    cache = Cache(BUDGET)
    tracemalloc.start()
    for _ in range(2):
        cache.put("overlay", None, 1)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2_000):
            cache.put("overlay", None, 1)
            cache.drop("other")
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 2_000
