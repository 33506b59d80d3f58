"""Rounds become points with the right times, whatever the clock and the disk do."""

from collections.abc import Callable, Mapping, Sequence

import pytest

import otrdb
from otrdb.collect.holding import Holding, Taken
from otrdb.collect.loop import Loop, Status
from otrdb.collect.protocol import Reading, Round, Source
from otrdb.collect.recorder import Recorder
from otrdb.errors import AmbiguousStream, Damaged, DiskFull, OtrError, WrongKind
from otrdb.interface import ArchiveLike, StreamLike
from otrdb.results import InsertedBatch
from tests.collect.fakes import RUNNING, SECOND, SPEED, TURNS, FakeClock, FakeCollector

TODAY = 1_700_000_000 * SECOND


def collect(
    recorder: Recorder,
    clock: FakeClock,
    rounds: int,
    *,
    right: Callable[[], bool] = lambda: True,
    hold: int = 100,
    collector: FakeCollector | None = None,
    observe: Callable[[Status], None] = lambda _: None,
) -> Status:
    loop = Loop(collector or FakeCollector(clock), recorder, clock, right, SECOND, hold, observe)
    return loop.run(clock.wait, rounds)


def times(archive: ArchiveLike, source: Source) -> list[int]:
    stream = archive.stream(f"host/test/{source.collection}", name=source.name)
    return [point.time for point in stream.values()]


def test_a_round_is_one_point_in_each_stream(archive: ArchiveLike, recorder: Recorder) -> None:
    status = collect(recorder, FakeClock(ahead=TODAY), 3)
    assert (status.rounds, status.points, status.held, status.missed) == (3, 9, 0, 0)
    for source, expected in ((SPEED, [0.5, 1.0, 1.5]), (TURNS, [1, 2, 3]), (RUNNING, [False, True, False])):
        stream = archive.stream(f"host/test/{source.collection}", name=source.name)
        assert stream.kind is source.kind
        assert stream.unit == source.unit
        assert stream.values().values.tolist() == expected
        assert stream.values().times.tolist() == [TODAY, TODAY + SECOND, TODAY + 2 * SECOND]


def test_a_round_is_one_batch(
    archive: ArchiveLike, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []
    insert = recorder.archive.insert

    def count(batch: Mapping[StreamLike, object]) -> InsertedBatch:
        batches.append(len(batch))
        return insert(batch)

    monkeypatch.setattr(recorder.archive, "insert", count)
    collect(recorder, FakeClock(ahead=TODAY), 4)
    assert batches == [3, 3, 3, 3]


def test_a_second_start_goes_on_with_the_same_streams(archive: ArchiveLike, recorder: Recorder) -> None:
    clock = FakeClock(ahead=TODAY)
    collect(recorder, clock, 2)
    collect(Recorder(archive, "host/test"), clock, 3)
    assert len(archive.streams("host/test")) == 3
    assert len(times(archive, SPEED)) == 5


def test_sources_may_come_and_go(archive: ArchiveLike, recorder: Recorder) -> None:
    recorder.store([Taken(1, [Reading(SPEED, 1.0)]), Taken(2, [Reading(TURNS, 7)]), Taken(3, [])])
    recorder.store([Taken(4, [Reading(SPEED, 2.0), Reading(TURNS, 8)])])
    assert recorder.store([]) == 0
    assert times(archive, SPEED) == [1, 4]
    assert times(archive, TURNS) == [2, 4]


def test_streams_of_others_are_not_touched(archive: ArchiveLike, recorder: Recorder) -> None:
    for axis in "ab":
        archive.create("host/test/motor", tags={"name": "speed", "axis": axis})
    with pytest.raises(AmbiguousStream):
        recorder.store([Taken(1, [Reading(SPEED, 1.0)])])
    archive.create("host/test/motor", kind="bool", tags={"name": "turns"})
    with pytest.raises(WrongKind):
        recorder.store([Taken(1, [Reading(TURNS, 5)])])


def test_rounds_are_held_until_the_clock_is_set(archive: ArchiveLike, recorder: Recorder) -> None:
    """The clock starts in 1970 and jumps to today behind the third round: all rounds get today's times."""
    clock = FakeClock(now=40 * SECOND)
    seen = []

    def watch(status: Status) -> None:
        seen.append((status.held, status.points, len(archive.streams())))
        if status.rounds == 3:
            clock.ahead = TODAY

    status = collect(recorder, clock, 6, right=lambda: clock.ahead > 0, observe=watch)
    assert seen[:3] == [(1, 0, 0), (2, 0, 0), (3, 0, 0)]
    assert seen[3:] == [(0, 12, 3), (0, 15, 3), (0, 18, 3)]
    assert status.dropped == 0
    assert times(archive, SPEED) == [TODAY + (40 + number) * SECOND for number in range(6)]


def test_too_many_held_rounds_give_way_oldest_first(archive: ArchiveLike, recorder: Recorder) -> None:
    clock = FakeClock(ahead=TODAY)
    collector = FakeCollector(clock)
    status = collect(recorder, clock, 9, right=lambda: collector.rounds >= 8, hold=3, collector=collector)
    assert (status.dropped, status.held, status.points) == (5, 0, 12)
    assert times(archive, SPEED) == [TODAY + number * SECOND for number in (5, 6, 7, 8)]


def test_a_clock_that_was_right_once_is_believed_from_then_on(recorder: Recorder) -> None:
    answers = iter([False, True])
    status = collect(recorder, FakeClock(ahead=TODAY), 5, right=lambda: next(answers))
    assert (status.points, status.held) == (15, 0)


def test_rounds_held_at_the_end_are_told(archive: ArchiveLike, recorder: Recorder) -> None:
    status = collect(recorder, FakeClock(), 4, right=lambda: False)
    assert (status.held, status.points, status.clock_is_right) == (4, 0, False)
    assert archive.streams() == []


def test_holding_keeps_the_newest() -> None:
    holding = Holding(2)
    for time in range(5):
        holding.add(Taken(time, []))
    assert (len(holding), holding.dropped) == (2, 3)
    assert [taken.time for taken in holding.release(100)] == [103, 104]
    assert (len(holding), holding.release(0)) == (0, [])


def test_a_full_disk_loses_rounds_and_ends_nothing(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, calls = recorder.archive.insert, iter(range(100))

    def sometimes(batch: Mapping[StreamLike, object]) -> InsertedBatch:
        if next(calls) in (1, 2):
            raise DiskFull("No room.")
        return insert(batch)

    monkeypatch.setattr(recorder.archive, "insert", sometimes)
    faults = []
    status = collect(
        recorder, FakeClock(ahead=TODAY), 5, observe=lambda status: faults.append(list(status.faults))
    )
    assert (status.lost, status.points) == (2, 9)
    assert [len(some) for some in faults] == [0, 1, 1, 0, 0]
    assert faults[1][0].startswith("No room.")


def test_times_that_are_not_accepted_are_lost(tmp_path: object) -> None:
    with otrdb.open(f"{tmp_path}/a.otr", accept=(TODAY, TODAY + 2 * SECOND)) as archive:
        status = collect(Recorder(archive, "host/test"), FakeClock(ahead=TODAY), 5)
        assert (status.points, status.lost) == (6, 3)


def test_missed_rounds_and_faults_are_told(recorder: Recorder) -> None:
    clock = FakeClock(ahead=TODAY)
    collector = FakeCollector(
        clock, work=lambda number: 3 * SECOND if number == 2 else 0, faults=["sensor: gone"]
    )
    status = collect(recorder, clock, 4, collector=collector)
    assert (status.missed, status.faults) == (2, ["sensor: gone"])


def test_an_empty_round_is_no_error(archive: ArchiveLike, recorder: Recorder) -> None:
    class Idle:
        def read(self) -> Round:
            return Round([])

    clock = FakeClock(ahead=TODAY)
    status = Loop(Idle(), recorder, clock, lambda: True, SECOND, 5, lambda _: None).run(clock.wait, 3)
    assert (status.rounds, status.points) == (3, 0)


def test_upkeep_comes_once_an_hour_while_the_clock_is_right(recorder: Recorder) -> None:
    clock, calls = FakeClock(ahead=TODAY), list[int]()
    loop = Loop(
        FakeCollector(clock),
        recorder,
        clock,
        lambda: clock.now >= 1_800 * SECOND,
        600 * SECOND,
        100,
        lambda _: None,
        lambda: calls.append(clock.now // SECOND),
    )
    loop.run(clock.wait, 20)
    assert calls == [1_800, 5_400, 9_000]


@pytest.mark.parametrize("error", [DiskFull("full"), Damaged("rotten")])
def test_an_upkeep_that_fails_is_a_fault_and_stops_nothing(recorder: Recorder, error: OtrError) -> None:
    clock, faults = FakeClock(ahead=TODAY), list[Sequence[str]]()

    def fail() -> None:
        raise error

    loop = Loop(
        FakeCollector(clock),
        recorder,
        clock,
        lambda: True,
        SECOND,
        9,
        lambda status: faults.append(status.faults),
        fail,
    )
    assert loop.run(clock.wait, 3).points == 9
    assert [len(each) for each in faults] == [1, 0, 0]
