import time
from pathlib import Path

import pytest

from otrdb.collect import clock
from otrdb.collect.clock import SystemClock, clock_is_right


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a battery clock that has just started: nothing speaks for its time."""
    monkeypatch.setattr(clock, "_kernel_says_synchronised", lambda: False)
    return tmp_path


def put(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_board_that_has_just_started_is_not_believed(board: Path) -> None:
    put(board, "proc/cpuinfo", "processor : 0\nFeatures : fp asimd evtstrm\n")
    assert not clock_is_right(board)


def test_the_kernel_is_believed(board: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_kernel_says_synchronised", lambda: True)
    assert clock_is_right(board)


def test_timesyncd_is_believed(board: Path) -> None:
    put(board, "run/systemd/timesync/synchronized")
    assert clock_is_right(board)


@pytest.mark.parametrize(("seconds", "believed"), [(0, True), (-30, True), (-7200, False), (7200, False)])
def test_a_battery_clock_must_agree(board: Path, seconds: int, believed: bool) -> None:
    put(board, "sys/class/rtc/rtc0/since_epoch", f"{int(time.time()) + seconds}\n")
    assert clock_is_right(board) == believed


def test_a_battery_clock_without_a_battery_is_not_believed(board: Path) -> None:
    put(board, "sys/class/rtc/rtc0/since_epoch", "42\n")
    assert not clock_is_right(board)


def test_a_virtual_machine_has_its_host_s_clock(board: Path) -> None:
    put(board, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n")
    assert clock_is_right(board)
    put(board, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\n")
    assert not clock_is_right(board)
    put(board, "proc/device-tree/hypervisor", "")
    assert clock_is_right(board)


def test_the_kernel_can_be_asked() -> None:
    """It answers whatever it answers here, and changes nothing."""
    before = time.time()
    assert clock._kernel_says_synchronised() in (True, False)
    assert abs(time.time() - before) < 5


def test_the_system_s_clocks_run() -> None:
    ours = SystemClock()
    steady, wall = ours.steady(), ours.wall()
    assert abs(wall - time.time_ns()) < 10**9
    assert ours.steady() >= steady > 0
