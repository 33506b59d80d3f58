"""The connection breaks, the server starts again, an answer takes too long: what is raised is the truth."""

import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

import otrdb
from otrdb.errors import ClosedArchive, TookTooLong, Unreachable
from otrdb.remote.archive import Archive as Remote
from tests.remote.conftest import Served


def test_handles_outlive_a_server(served: Served, remote: Remote) -> None:
    heat = remote.create("plant", tags={"name": "heat"})
    heat.insert([1, 2], [20.5, 20.7])
    view = heat.at(heat.flush())
    served.start_again()
    assert (heat.count(), view.count(), heat.name) == (2, 2, "heat")
    assert heat.insert(3, 20.9).pending == 1


def test_a_server_that_is_gone_is_unreachable_until_it_is_back(served: Served, remote: Remote) -> None:
    heat = remote.create("plant")
    served.stop()
    with pytest.raises(Unreachable, match=served.url) as lost:
        heat.values()
    assert not lost.value.fate_unknown
    with pytest.raises(Unreachable) as refused:
        heat.insert(1, 20.5)
    assert not refused.value.fate_unknown, "there was no connection to send it by"
    served.start_again()
    for _ in range(100):
        try:
            assert heat.count() == 0
            break
        except Unreachable:
            threading.Event().wait(0.05)  # gRPC pauses between its attempts, a second at the most
    else:
        raise AssertionError("the server is there again")


class Stalled:
    """Makes a method of the archive wait until it may go on, ``after`` so many calls that need not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: int = 0) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()
        whole, calls = getattr(owner, name), count()

        def waiting(*args: Any, **kwargs: Any) -> Any:
            if next(calls) >= after:
                self.entered.set()
                assert self.go_on.wait(30)
            return whole(*args, **kwargs)

        monkeypatch.setattr(owner, name, waiting)


def failing(call: Callable[[], Any]) -> tuple[threading.Thread, list[Exception]]:
    """Starts a call that is expected to fail; what it raised is in the list when the thread has ended."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


@pytest.mark.parametrize(
    ("owner", "name", "call", "fate_unknown"),
    [
        (otrdb.Stream, "insert", lambda heat: heat.insert(1, 20.5), True),
        (otrdb.Stream, "delete", lambda heat: heat.delete(0, 5), True),
        (otrdb.View, "count", lambda heat: heat.count(), False),
        (otrdb.View, "values", lambda heat: heat.values(), False),
    ],
)
def test_a_deadline(
    connect: Callable[..., Remote],
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    call: Callable[[Any], Any],
    fate_unknown: bool,
) -> None:
    heat = connect().create("plant")
    hasty = connect(timeout=0.3).stream(heat.uuid)
    stalled = Stalled(monkeypatch, owner, name)
    with pytest.raises(TookTooLong) as caught:
        call(hasty)
    stalled.go_on.set()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.fate_unknown is fate_unknown
    assert ("not known" in str(caught.value)) is fate_unknown


def test_the_fate_of_an_insert_may_be_unknown(
    served: Served, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server goes away while it stores: the client does not know, and says so; the points are there."""
    monkeypatch.setattr("otrdb.server.running.GRACE", 0.0)
    heat = remote.create("plant")
    stalled = Stalled(monkeypatch, otrdb.Stream, "insert")
    thread, raised = failing(lambda: heat.insert(1, 20.5))
    assert stalled.entered.wait(30)
    stopping = threading.Thread(target=served.stop)
    stopping.start()
    thread.join()
    stalled.go_on.set()
    stopping.join()
    (error,) = raised
    assert isinstance(error, Unreachable)
    assert error.fate_unknown
    assert "Whether it was done is not known." in str(error)
    assert served.archive.stream(heat.uuid).count() == 1


def test_half_an_answer_is_none(served: Served, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server goes away after some pieces were sent."""
    monkeypatch.setattr("otrdb.server.running.GRACE", 0.0)
    heat = remote.create("plant")
    heat.insert(np.arange(500_000), np.zeros(500_000))
    arrived: list[int] = []
    stopping = threading.Thread(target=served.stop)
    whole = remote.link.each

    def each(name: str, params: Any) -> Any:
        for answer in whole(name, params):
            arrived.append(len(answer.times) // 8)
            if len(arrived) == 2:
                stopping.start()
            yield answer

    stalled = Stalled(monkeypatch, otrdb.View, "values", after=3)
    monkeypatch.setattr(remote.link, "each", each)
    thread, raised = failing(heat.values)
    thread.join()
    stalled.go_on.set()
    stopping.join()
    assert 0 < sum(arrived) < 500_000
    assert isinstance(raised[0], Unreachable)
    assert not raised[0].fate_unknown


def test_closing_ends_calls_that_are_under_way(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    heat = remote.create("plant")
    stalled = Stalled(monkeypatch, otrdb.View, "count")
    thread, raised = failing(heat.count)
    assert stalled.entered.wait(30)
    remote.close()
    thread.join()
    stalled.go_on.set()
    assert isinstance(raised[0], ClosedArchive)


def test_the_archive_behind_the_server_may_be_closed(local: otrdb.Archive, remote: Remote) -> None:
    heat = remote.create("plant")
    local.close()
    with pytest.raises(ClosedArchive):
        heat.insert(1, 20.5)
