"""Subscriptions of an archive, driven at random beside a model of what each is to be told."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import otrdb
from otrdb.errors import FellBehind
from otrdb.testing.power_cuts import MEMORY
from tests.engine.support import core_of

Told = list[tuple[Any, ...]]

STREAMS = 4
LARGE = 17_000
SOME = st.sets(st.integers(0, STREAMS - 1), max_size=STREAMS)


class Follower:
    """A subscription, and what it must be told."""

    def __init__(self, subscription: otrdb.Subscription, followed: set[int]) -> None:
        self.subscription = subscription
        self.followed = followed
        self.expected: Told = []


class SubscriptionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.db = otrdb.open(self.directory.name, durability="off", memory=16 << 20)
        self.followers: list[Follower] = []
        self.created = 0
        self.inserted = 0

    @initialize()
    def create_streams(self) -> None:
        self.streams = [self.create() for _ in range(STREAMS)]

    def create(self) -> otrdb.Stream:
        self.created += 1
        kind = list(otrdb.Kind)[self.created % 3]
        return self.db.create(f"plant/{self.created}", kind=kind)

    def teardown(self) -> None:
        self.db.close()
        for follower in self.followers:
            self.take(follower)
            assert follower.subscription.ended
        assert core_of(self.db).subscribers.bytes == 0
        self.directory.cleanup()

    def column(self, count: int) -> tuple[Any, Any]:
        """New points: values are booleans, which every kind takes."""
        self.inserted += 1
        return (self.inserted << 20) + np.arange(count)[::-1], np.arange(count) % 2 == 0

    def expect(self, points: dict[int, tuple[Any, Any]], merge: str) -> None:
        for follower in self.followers:
            told = {n: (t.tolist(), v.tolist()) for n, (t, v) in points.items() if n in follower.followed}
            if any(times for times, _ in told.values()):
                follower.expected.append((merge, {n: each for n, each in told.items() if each[0]}))

    def typed(self, number: int, values: Any) -> Any:
        return values.astype(self.streams[number].kind.dtype)

    @rule(number=st.integers(0, STREAMS - 1), merge=st.sampled_from(list(otrdb.Merge)), data=st.data())
    def insert(self, number: int, merge: Any, data: st.DataObject) -> None:
        times, values = self.column(data.draw(st.sampled_from([0, 1, 2, 70, LARGE])))
        self.streams[number].insert(times, self.typed(number, values), merge=merge)
        self.expect({number: (times, values)}, merge)

    @rule(numbers=SOME, data=st.data())
    def insert_batch(self, numbers: set[int], data: st.DataObject) -> None:
        sizes = st.sampled_from([0, 1, 3, LARGE])
        points = {number: self.column(data.draw(sizes)) for number in sorted(numbers)}
        self.db.insert({self.streams[n]: (t, self.typed(n, v)) for n, (t, v) in points.items()})
        self.expect(points, "never")

    @rule(index=st.lists(st.integers(0, 1), max_size=8))
    def insert_wide(self, index: list[int]) -> None:
        numbers = [n for n in range(STREAMS) if self.streams[n].kind is self.streams[0].kind][:2]
        which = np.array([each % len(numbers) for each in index], np.int64)
        times, values = self.column(len(index))
        chosen = tuple(self.streams[number] for number in numbers)
        self.db.insert_columns(which, times, self.typed(0, values), chosen)
        self.expect({n: (times[which == i], values[which == i]) for i, n in enumerate(numbers)}, "never")

    @rule(numbers=SOME)
    def subscribe(self, numbers: set[int]) -> None:
        subscription = self.db.subscribe([self.streams[number] for number in numbers])
        self.followers.append(Follower(subscription, set(numbers)))

    @precondition(lambda self: self.followers)
    @rule(numbers=SOME, add=st.booleans(), data=st.data())
    def change(self, numbers: set[int], add: bool, data: st.DataObject) -> None:
        follower = data.draw(st.sampled_from(self.followers))
        streams = [self.streams[number] for number in numbers]
        if follower.subscription.ended:
            return
        if add:
            follower.subscription.add(streams)
            follower.followed |= numbers
        else:
            follower.subscription.remove(streams)
            follower.followed -= numbers

    @rule(number=st.integers(0, STREAMS - 1))
    def obliterate(self, number: int) -> None:
        gone = self.streams[number]
        gone.obliterate()
        for follower in self.followers:
            if number in follower.followed:
                follower.expected.append((gone.uuid,))
                follower.followed.remove(number)
            follower.expected = [self.renamed(each, number, gone) for each in follower.expected]
        self.streams[number] = self.create()

    def renamed(self, expected: tuple[Any, ...], number: int, gone: otrdb.Stream) -> tuple[Any, ...]:
        """What waits keeps the name of the stream that had this number."""
        if len(expected) == 1:
            return expected
        merge, points = expected
        return merge, {gone.uuid if n == number else n: each for n, each in points.items()}

    @precondition(lambda self: self.followers)
    @rule(data=st.data())
    def take_all(self, data: st.DataObject) -> None:
        self.take(data.draw(st.sampled_from(self.followers)))

    @precondition(lambda self: self.followers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        follower = data.draw(st.sampled_from(self.followers))
        follower.subscription.close()
        follower.expected, follower.followed = [], set()

    def take(self, follower: Follower) -> None:
        told: Told = []
        names = {stream: number for number, stream in enumerate(self.streams)}
        try:
            while (arrival := follower.subscription.get(timeout=0)) is not None:
                points = {
                    names.get(stream, stream.uuid): (times.tolist(), (values != 0).tolist())
                    for stream, (times, values) in arrival.points.items()
                }
                gone = [(stream.uuid,) for stream in arrival.obliterated]
                told += gone or [(arrival.merge, points)]
        except FellBehind:
            assert sum(self.size(each) for each in follower.expected) > 0
            told = follower.expected
            follower.followed = set()
        assert told == follower.expected
        follower.expected = []

    def size(self, expected: tuple[Any, ...]) -> int:
        return sum(len(times) for times, _ in expected[1].values()) if len(expected) == 2 else 0

    @invariant()
    def what_waits_is_within_the_limit(self) -> None:
        core = core_of(self.db)
        assert 0 <= core.subscribers.bytes <= core.budget.subscriptions

    @invariant()
    def followers_are_known(self) -> None:
        followed = core_of(self.db).subscribers.followed
        for follower in self.followers:
            if follower.subscription.ended:
                follower.followed = set()
            assert {
                self.streams.index(stream) for stream in follower.subscription.streams
            } == follower.followed
        assert bool(followed) == any(follower.followed for follower in self.followers)


SubscriptionMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestSubscriptions = SubscriptionMachine.TestCase
