import itertools
import os
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.collect.schedule import Stop, due_rounds, stopping_on_signals
from tests.collect.fakes import SECOND, FakeClock


@given(st.lists(st.integers(0, 5 * SECOND), max_size=40), st.integers(1, 2 * SECOND))
def test_rounds_do_not_drift(work: list[int], every: int) -> None:
    """Every round begins at a multiple of the interval, or as late as the one before it made it."""
    clock = FakeClock(now=7)
    rounds = due_rounds(every, clock.steady, clock.wait)
    skipped = -1
    for busy, missed in zip(work, rounds, strict=False):
        skipped += 1 + missed
        late = clock.now - 7 - skipped * every
        assert 0 <= late < every
        clock.now += busy


def test_a_punctual_collector_misses_nothing() -> None:
    clock = FakeClock()
    for number, missed in enumerate(itertools.islice(due_rounds(SECOND, clock.steady, clock.wait), 1000)):
        assert (clock.now, missed) == (number * SECOND, 0)
        clock.now += SECOND * 9 // 10


def test_late_rounds_are_left_out_and_counted() -> None:
    clock = FakeClock()
    rounds = due_rounds(SECOND, clock.steady, clock.wait)
    assert next(rounds) == 0
    clock.now += 3_500_000_000
    assert next(rounds) == 2
    assert clock.now == 3_500_000_000
    assert next(rounds) == 0
    assert clock.now == 4 * SECOND


def test_nothing_is_due_after_the_stop() -> None:
    assert list(due_rounds(SECOND, lambda: 0, lambda _: True)) == []


def test_stop_wakes_a_waiter_and_stays() -> None:
    stop = Stop()
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    assert stop.wait(30)
    assert time.monotonic() - began < 10
    assert stop.wait(30)
    assert not Stop().wait(-1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stopping_on_signals() as stop:
        assert not stop.wait(0)
        os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_interrupts() -> None:
    with stopping_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)
        with pytest.raises(KeyboardInterrupt):
            _interrupt_and_sleep()


def _interrupt_and_sleep() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
