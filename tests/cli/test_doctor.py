"""`otrdb doctor` sees what endangers an archive: recorded machines, broken packages, and this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otrdb.cli.diagnosis.clock import judge_clock
from otrdb.cli.diagnosis.disk import judge_room, judge_sync
from otrdb.cli.diagnosis.machine import (
    judge_files,
    judge_pages,
    judge_temperatures,
    judge_throttling,
    judge_words,
)
from otrdb.cli.diagnosis.mounts import judge_mount, mount_of, read_mount
from otrdb.cli.diagnosis.packages import TRIALS, Trial, judge_trial
from otrdb.collect.protocol import Reading, Source
from otrdb.model import Kind
from tests.cli.harness import Shell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otrdb.cli.diagnosis import Sign

HOUR = 3_600 * 10**9
NOW = 1_800_000_000 * 10**9

MOUNTS = r"""
22 26 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
26 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
31 26 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:11 - tmpfs tmpfs rw,size=390k,mode=755,inode64
40 26 259:1 / /mnt/nvme rw,relatime shared:20 master:3 - ext4 /dev/nvme0n1p1 rw,data=writeback
41 26 8:1 / /mnt/old rw,relatime - ext3 /dev/sda1 rw,barrier=0
42 26 8:2 / /mnt/usb\040stick rw,relatime - vfat /dev/sdb1 rw,fmask=0022
43 26 0:50 / /mnt/nas rw,relatime - nfs4 nas:/export/data rw,vers=4.2,hard,proto=tcp
44 26 0:51 / /mnt/share rw,relatime - cifs //nas/share rw,vers=3.0
45 26 8:17 / /mnt/rom ro,relatime - xfs /dev/sdb1 ro,attr2
46 26 0:60 / /var/lib/box rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b
47 40 0:61 / /mnt/nvme/cache rw - tmpfs none rw
48 40 8:33 / /mnt/nvme/cache rw - btrfs /dev/sdc1 rw,subvolid=5
49 26 0:70 / /mnt/ssh rw - fuse.sshfs me@there:/ rw,user_id=0
a line that makes no sense
"""


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/home/pi/archive.otr", "ext4", []),
        ("/run/archive.otr", "tmpfs", ["in memory"]),
        ("/mnt/nvme/archive.otr", "ext4", ["data=writeback"]),
        ("/mnt/nvmexx/archive.otr", "ext4", []),
        ("/mnt/nvme/cache/archive.otr", "btrfs", []),
        ("/mnt/old", "ext3", ["barrier=0"]),
        ("/mnt/usb stick/a", "vfat", ["without a journal"]),
        ("/mnt/nas/a", "nfs4", ["over a network"]),
        ("/mnt/share/a", "cifs", ["over a network"]),
        ("/mnt/rom/a", "xfs", ["read-only"]),
        ("/var/lib/box/a", "overlay", ["container"]),
        ("/mnt/ssh/a", "fuse.sshfs", ["over a network"]),
    ],
)
def test_recorded_mounts(path: str, kind: str, expected: list[str]) -> None:
    mount = mount_of(Path(path), MOUNTS)
    assert mount is not None
    assert mount.kind == kind
    warnings = [sign.found for sign in judge_mount(mount) if sign.status != "ok"]
    assert len(warnings) == len(expected)
    assert all(word in warning for word, warning in zip(expected, warnings, strict=True))
    assert all(sign.advice for sign in judge_mount(mount) if sign.status != "ok")


def test_what_ext4_keeps_in_its_superblock_is_seen(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(MOUNTS)
    home = Path("/home/pi/archive.otr")
    assert statuses(judge_mount(read_mount(home, tmp_path))) == ["ok", "ok"]
    options = tmp_path / "proc/fs/ext4/mmcblk0p2/options"
    options.parent.mkdir(parents=True)
    options.write_text("rw\nbarrier\ndata=ordered\nmin_batch_time=0\n")
    assert statuses(judge_mount(read_mount(home, tmp_path))) == ["ok", "ok"]
    options.write_text("rw\nnobarrier\ndata=writeback\n")
    assert statuses(judge_mount(read_mount(home, tmp_path))) == ["ok", "warning", "warning"]


def test_a_machine_that_does_not_tell_is_no_comfort(tmp_path: Path) -> None:
    assert statuses(judge_mount(read_mount(Path("/"), tmp_path))) == ["warning"]


def statuses(signs: Iterable[Sign]) -> list[str]:
    return [sign.status for sign in signs]


def test_room_is_held_against_the_floor(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    free = status.f_bavail * status.f_frsize
    assert statuses(judge_room(tmp_path, 2 * free)) == ["failure"]
    assert statuses(judge_room(tmp_path, free // 2)) == ["warning"]


def test_a_library_that_makes_syncs_do_nothing_is_seen(tmp_path: Path) -> None:
    (sign,) = judge_sync(tmp_path, {"LD_PRELOAD": "/usr/lib/libeatmydata.so"})
    assert sign.status == "failure"
    assert sign.found.startswith("LD_PRELOAD")


def test_measuring_a_sync_leaves_nothing_behind(tmp_path: Path) -> None:
    (sign,) = judge_sync(tmp_path, {})
    assert sign.found.startswith("takes ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("now", "right", "newest", "expected"),
    [
        (NOW, True, None, ["ok"]),
        (NOW, True, NOW - HOUR, ["ok", "ok"]),
        (NOW, True, NOW + HOUR, ["ok", "warning"]),
        (NOW, False, NOW, ["warning", "ok"]),
        (3 * HOUR, True, NOW, ["failure", "warning"]),  # a board that has just started
    ],
)
def test_clocks(now: int, right: bool, newest: int | None, expected: list[str]) -> None:
    assert statuses(judge_clock(now, right, newest)) == expected


def test_limits_of_machines() -> None:
    assert [judge_pages(size).status for size in (4096, 16384, 65536, 8192)] == ["ok", "ok", "ok", "warning"]
    assert [judge_words(2**bits - 1, "armv7l").status for bits in (63, 31)] == ["ok", "failure"]
    assert [judge_files(limit).status for limit in (-1, 1024, 256)] == ["ok", "ok", "warning"]


def test_heat() -> None:
    probes = [
        Reading(Source("temperature", name, Kind.FLOAT, "C"), value)
        for name, value in (("a", 40.0), ("b", 85.0))
    ]
    assert [sign.found for sign in judge_temperatures(probes)] == ["b: 85 C"]
    assert statuses(judge_temperatures(probes)) == ["warning"]
    assert statuses(judge_temperatures(probes[:1])) == ["ok"]
    assert list(judge_temperatures([])) == list(judge_throttling([])) == []
    flags = [
        Reading(Source("throttling", name, Kind.BOOL), name == "under-voltage")
        for name in ("capped", "under-voltage")
    ]
    assert [(sign.status, sign.found) for sign in judge_throttling(flags)] == [("warning", "under-voltage")]
    assert statuses(judge_throttling(flags[:1])) == ["ok"]


@pytest.mark.parametrize("name", ["SIGILL", "SIGSEGV", "SIGBUS"])
def test_a_package_that_dies_names_the_signal(name: str) -> None:
    dies = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    needed, other = (judge_trial(Trial("numpy", needed, dies)) for needed in (True, False))
    assert (needed.status, other.status) == ("failure", "warning")
    assert f"dies with {name}" in needed.found
    assert "numpy" in needed.advice


def test_a_package_that_fails_says_why_and_one_that_is_not_there_is_told() -> None:
    fails = Trial("numpy", True, "raise ImportError('no such page size')")
    assert judge_trial(fails).found.endswith("page size")
    absent = judge_trial(Trial("nosuchpackage", False, ""))
    assert (absent.status, absent.found) == ("ok", "not installed")
    assert judge_trial(Trial("nosuchpackage", True, "")).status == "failure"


def test_all_trials_succeed_here() -> None:
    needed = {trial.name for trial in TRIALS if trial.needed}
    assert needed == {"otrdb", "numpy", "pcodec", "crc32c", "sqlite3"}
    assert [sign for sign in map(judge_trial, TRIALS) if sign.status != "ok"] == []


@pytest.fixture
def _one_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves the time of importing everything; `test_all_trials_succeed_here` takes it once."""
    crc = [trial for trial in TRIALS if trial.name == "crc32c"]
    monkeypatch.setattr("otrdb.cli.diagnosis.packages.TRIALS", crc)


pytestmark = pytest.mark.usefixtures("_one_trial")


def test_this_machine(plant: Shell) -> None:
    result = plant.run("doctor", "--json")
    signs = {sign["check"]: sign for sign in json.loads(result.stdout)}
    assert {"archive", "writer", "file system", "free space", "sync", "clock", "newest point"} < set(signs)
    assert {"processor", "page size", "open files", "python", "sqlite", "import crc32c"} < set(signs)
    assert signs["archive"]["found"] == "format 1, 3 streams"
    assert signs["newest point"]["found"].startswith("1970-01-01T00:00:10Z")
    worst = {sign["status"] for sign in signs.values()}
    assert result.exit_code == (3 if "failure" in worst else 1 if "warning" in worst else 0)
    table = plant.run("doctor")
    assert table.exit_code == result.exit_code
    assert table.stdout.splitlines()[0].split() == ["check", "status", "found", "advice"]


def test_who_writes_is_told(plant: Shell) -> None:
    def writer() -> str:
        signs = json.loads(plant.run("doctor", "--json").stdout)
        return next(str(sign["found"]) for sign in signs if sign["check"] == "writer")

    assert writer() == "nobody"
    with plant.open():
        assert writer().startswith(f"process {os.getpid()} on ")
    assert writer() == "nobody"


def test_a_damaged_archive_is_a_failure(plant: Shell) -> None:
    (plant.archive / "segment-00000001.otr").unlink()
    result = plant.run("doctor", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)[0]["status"] == "failure"


def test_a_place_without_an_archive_can_be_looked_at(shell: Shell) -> None:
    result = shell.run("doctor", "--json")
    assert json.loads(result.stdout)[0]["found"] == f"there is none in {shell.archive} yet"
    assert not shell.archive.exists()


def test_memory_is_seen_where_there_is_some() -> None:
    memory = Path("/dev/shm")
    mount = read_mount(memory)
    if mount is None or mount.kind != "tmpfs" or mount.point != "/dev/shm":
        pytest.skip("/dev/shm is no tmpfs here")
    signs = json.loads(Shell(memory / "no-archive.otr").run("doctor", "--json").stdout)
    assert next(sign["status"] for sign in signs if sign["check"] == "file system") == "warning"
