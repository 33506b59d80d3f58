"""The host's collector measures what there is, and says so when it cannot."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from otrdb.collect.host import HostCollector
from otrdb.collect.host.disks import read_disks, read_filesystems
from otrdb.collect.host.network import read_network
from otrdb.collect.host.processor import Processor
from otrdb.collect.host.temperature import read_temperatures
from otrdb.collect.host.throttling import Throttling
from otrdb.collect.protocol import Reading
from otrdb.model import Kind

PYTHON_TYPE = {Kind.FLOAT: float, Kind.INT: int, Kind.BOOL: bool}


def values(readings: list[Reading]) -> dict[str, float | int | bool]:
    return {f"{source.collection}/{source.name}": value for source, value in readings}


def test_a_round_has_every_source_once_and_values_of_its_kind() -> None:
    collector = HostCollector()
    collector.read()
    readings, faults = collector.read()
    assert list(faults) == []
    assert max(Counter(source for source, _ in readings).values()) == 1
    assert max(Counter((source.collection, source.name) for source, _ in readings).values()) == 1
    for source, value in readings:
        assert type(value) is PYTHON_TYPE[source.kind], source
    present = {source.collection.split("/")[0] for source, _ in readings}
    assert present >= {"cpu", "load", "memory", "net"}
    assert {source.kind for source, _ in readings} == set(Kind)


def test_cores_are_measured_from_the_second_round_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "cpu_percent", lambda percpu: [10.0, 30.0])
    processor = Processor()
    assert list(processor.read()) == []
    assert values(list(processor.read())) == {"cpu/total": 20.0, "cpu/core0": 10.0, "cpu/core1": 30.0}


def test_a_sensor_that_fails_is_a_fault_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("bus error")

    monkeypatch.setattr(psutil, "virtual_memory", fail)
    readings, faults = HostCollector().read()
    assert list(faults) == ["memory: bus error"]
    assert any(source.collection == "load" for source, _ in readings)


def test_only_whole_disks_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = SimpleNamespace(read_bytes=1, write_bytes=2, read_count=3, write_count=4)
    disks = dict.fromkeys(["sda", "sda1", "loop0", "zram0", "mmcblk0"], counters)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk: disks)
    for name in ("sda", "loop0", "zram0", "mmcblk0"):
        (tmp_path / name).mkdir()
    found = values(list(read_disks(tmp_path)))
    assert {name.split("/")[1] for name in found} == {"sda", "mmcblk0"}
    assert found["disk/sda/written"] == 2
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk: None)
    assert list(read_disks(tmp_path)) == []


def test_each_file_system_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        ("/dev/a", "/", "ext4"),
        ("/dev/b", "/boot/firmware", "vfat"),
        ("/dev/a", "/again", "ext4"),
        ("/dev/c", "/snap", "squashfs"),
    ]
    listed = [SimpleNamespace(device=device, mountpoint=mount, fstype=form) for device, mount, form in parts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: listed)  # noqa: A006
    monkeypatch.setattr(psutil, "disk_usage", lambda path: SimpleNamespace(used=len(path), free=0))
    assert [name for name in values(list(read_filesystems())) if name.endswith("used")] == [
        "filesystem/root/used", "filesystem/boot/firmware/used"
    ]  # fmt: skip


def test_interfaces_of_containers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["lo", "wlan0", "veth12ab", "eth0", "tun0"]
    zero = psutil.net_io_counters()._replace(bytes_sent=5)
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: dict.fromkeys(names, zero))
    states = {name: SimpleNamespace(isup=name != "wlan0") for name in names if name != "tun0"}
    monkeypatch.setattr(psutil, "net_if_stats", lambda: states)
    found = values(list(read_network()))
    assert list(dict.fromkeys(name.split("/")[1] for name in found)) == ["eth0", "tun0", "wlan0", "lo"]
    assert (found["net/eth0/up"], found["net/wlan0/up"]) == (True, False)
    assert "net/tun0/up" not in found
    assert found["net/eth0/sent"] == 5


def test_temperatures_have_a_name_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(label: str, current: float | None) -> SimpleNamespace:
        return SimpleNamespace(label=label, current=current)

    sensors = {
        "cpu_thermal": [probe("", 48.5)],
        "nvme": [probe("Composite", 40), probe("Composite", 41), probe("x", None)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    assert values(list(read_temperatures())) == {
        "temperature/cpu_thermal": 48.5,
        "temperature/nvme Composite": 40.0,
        "temperature/nvme Composite 2": 41.0,
    }
    monkeypatch.delattr(psutil, "sensors_temperatures")
    assert list(read_temperatures()) == []


def test_the_firmware_s_flags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled"
    path.parent.mkdir(parents=True)
    path.write_text("50005\n")
    assert values(list(Throttling(tmp_path).read())) == {
        "throttling/under-voltage": True,
        "throttling/frequency capped": False,
        "throttling/throttled": True,
        "throttling/soft temperature limit": False,
    }


def test_vcgencmd_is_asked_where_the_firmware_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    answers = iter([("throttled=0x8\n", ""), ("", "no device")])

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command == ["/usr/bin/vcgencmd", "get_throttled"]
        return subprocess.CompletedProcess(command, 0, *next(answers))

    monkeypatch.setattr(subprocess, "run", run)
    device = Throttling(tmp_path)
    assert values(list(device.read()))["throttling/soft temperature limit"] is True
    with pytest.raises(OSError, match="no device"):
        list(device.read())


def test_events_of_a_pc_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    for core, count in enumerate((3, 0)):
        path = tmp_path / f"sys/devices/system/cpu/cpu{core}/thermal_throttle/core_throttle_count"
        path.parent.mkdir(parents=True)
        path.write_text(f"{count}\n")
    assert values(list(Throttling(tmp_path).read())) == {
        "throttling/core0 events": 3,
        "throttling/core1 events": 0,
    }
    assert list(Throttling(tmp_path / "elsewhere").read()) == []
