"""Snapshots without a name are held by the server for its clients: as long as it hears of them."""

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import otrdb
from otrdb.errors import NoSuchSnapshot, NoSuchStream, Overloaded, VersionNotAvailable
from otrdb.remote.archive import Archive as Remote
from otrdb.server.own import held
from otrdb.server.own.held import Held
from otrdb.wire import otrdb as wire
from tests.remote.conftest import Served


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Iterator[Held]:
    holding = Held(60.0, clock)
    yield holding
    holding.close()


def test_a_lease_ends_unless_it_is_renewed(leases: Held, clock: Clock, local: otrdb.Archive) -> None:
    one, other = local.snapshot(), local.snapshot()
    first, second = leases.hold(b"a", one), leases.hold(b"a", other)
    clock.now = 50
    leases.renew([first])
    clock.now = 100
    assert leases.snapshot(first) is one
    with pytest.raises(VersionNotAvailable, match="not hold this snapshot any more"):
        leases.snapshot(second)
    with pytest.raises(otrdb.errors.ClosedArchive):
        other.view(local.create("plant"))
    clock.now = 159
    assert leases.snapshot(first) is one, "a question renews it, too"
    clock.now = 219
    assert len(leases) == 1
    leases.renew([first])
    assert len(leases) == 0


def test_a_client_holds_so_many_and_no_more(leases: Held, local: otrdb.Archive) -> None:
    numbers = [leases.hold(b"a", local.snapshot()) for _ in range(held.MOST_OF_A_CLIENT)]
    assert len(set(numbers)) == held.MOST_OF_A_CLIENT
    with pytest.raises(Overloaded, match=str(held.MOST_OF_A_CLIENT)):
        leases.hold(b"a", local.snapshot())
    leases.hold(b"b", local.snapshot())
    leases.release(numbers[:1])
    leases.hold(b"a", local.snapshot())


def test_all_clients_hold_so_many_and_no_more(
    leases: Held, local: otrdb.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST", 5)
    for number in range(5):
        leases.hold(bytes([number]), local.snapshot())
    with pytest.raises(Overloaded):
        leases.hold(b"another", local.snapshot())


def test_leases_end_without_anybody_asking(local: otrdb.Archive) -> None:
    leases, closed = Held(0.05), threading.Event()

    class Told:
        def close(self) -> None:
            closed.set()

    snapshot: Any = Told()
    leases.hold(b"a", snapshot)
    assert closed.wait(30)
    leases.close()


@pytest.fixture
def counted(served: Served) -> Callable[[], int]:
    """How many snapshots the server holds."""
    return lambda: len(served.server.door.held)


def test_the_server_lets_go_when_the_client_does(remote: Remote, counted: Callable[[], int]) -> None:
    heat = remote.create("plant")
    heat.insert(1, 20.5)
    with remote.snapshot() as snapshot, remote.snapshot():
        assert counted() == 2
        heat.insert(2, 20.7)
        assert snapshot.streams() == [heat]
        assert (snapshot.view(heat).count(), heat.count()) == (1, 2)
        assert len(snapshot.values([heat])) == 1
    assert counted() == 0
    snapshot.close()


def test_a_connection_that_closes_lets_go(connect: Callable[..., Remote], counted: Callable[[], int]) -> None:
    one, other = connect(), connect()
    snapshots = one.snapshot(), one.snapshot(), other.snapshot()
    assert counted() == 3
    one.close()
    assert counted() == 1
    for snapshot in snapshots:
        snapshot.close()


def test_snapshots_are_renewed_as_long_as_somebody_has_them(
    served: Served, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were forgotten without being closed are not."""
    monkeypatch.setattr("otrdb.remote.snapshot._RENEWALS", 1_000)
    renewed, asked = threading.Semaphore(0), []
    whole = remote.link.ask

    def ask(name: str, params: Any, timeout: float | None = None) -> Any:
        answer = whole(name, params, timeout)
        if name == "Renew":
            asked.append(list(params.held))
            renewed.release()
        return answer

    monkeypatch.setattr(remote.link, "ask", ask)
    kept, forgotten = remote.snapshot(), remote.snapshot()
    numbers = kept.state.held, forgotten.state.held
    assert renewed.acquire(timeout=30)
    del forgotten
    gc.collect()
    for _ in range(8):
        assert renewed.acquire(timeout=30)
    assert set(asked[0]) <= set(numbers)
    assert asked[-1] == [numbers[0]]
    assert kept.streams() == []


def test_a_snapshot_that_was_lost_says_so(served: Served, remote: Remote) -> None:
    heat = remote.create("plant")
    snapshot = remote.snapshot()
    view = snapshot.view(heat)
    served.start_again()
    for question in (view.count, view.values, snapshot.streams, lambda: snapshot.values([heat])):
        with pytest.raises(VersionNotAvailable, match="one with a name is kept"):
            question()
    snapshot.close()


def test_a_named_snapshot_outlives_the_server(served: Served, remote: Remote) -> None:
    heat = remote.create("plant")
    heat.insert(1, 20.5)
    kept = remote.snapshot("before")
    heat.insert(2, 20.7)
    served.start_again()
    assert (kept.name, kept.view(heat).count(), kept.streams()) == ("before", 1, [heat])
    later = remote.create("later")
    with pytest.raises(NoSuchStream):
        kept.view(later)
    remote.drop_snapshot("before")
    with pytest.raises(NoSuchSnapshot):
        kept.streams()


def test_a_snapshot_is_of_the_archive_it_is_asked_about(remote: Remote) -> None:
    with pytest.raises(VersionNotAvailable):
        list(remote.link.each("Find", wire.FindParams(state=wire.State(held=12345))))
