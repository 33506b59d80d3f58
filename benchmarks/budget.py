"""A small board on a large machine: the whole run with part of one core, 1 GB of memory and slow syncs.

Processor and memory are limited by a control group: a transient scope where systemd runs, else a group of our
own where this process lives at a hierarchy's root and may make one. Groups that another program manages are
left alone; then the process's own resource limit bounds the memory, and the processor is one whole core. What
was done is written into the results.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PERIOD_US: Final = 12_000
QUOTA_US: Final = 2_000
"""A sixth of one core: a Cortex-A72 is taken to be five to eight times slower than a server's core."""

MEMORY: Final = 1 << 30
SYNC_NS: Final = 5_000_000

_INSIDE = "OTRDB_BENCHMARK_INSIDE"
_GROUPS = Path("/sys/fs/cgroup")
_NAME = "otrdb-benchmark"


@dataclass
class Conditions:
    """What holds inside, and what the process must do itself on entering."""

    notes: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    limit_data: bool = True


def inside() -> dict[str, Any] | None:
    """The conditions this process runs under, None if it is not throttled."""
    text = os.environ.get(_INSIDE)
    return None if text is None else json.loads(text)


def enter() -> None:
    """To be called first inside: join the groups, keep to one core, limit memory."""
    conditions = inside()
    if conditions is None:
        return
    for group in conditions["groups"]:
        (Path(group) / "cgroup.procs").write_text(str(os.getpid()))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if conditions["limit_data"]:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def run(arguments: Sequence[str], directory: Path) -> int:
    """Runs ``python -m benchmarks`` again with these arguments, throttled; returns its exit code."""
    with _conditions() as conditions:
        environment = os.environ | {
            _INSIDE: json.dumps(asdict(conditions)),
            "LD_PRELOAD": str(_slow_sync(directory)),
            "OTRDB_BENCHMARK_SYNC_NS": str(SYNC_NS),
        }
        conditions.notes.append(
            f"every fsync and fdatasync takes {SYNC_NS / 1e6:g} ms at least (preloaded wrapper)"
        )
        environment[_INSIDE] = json.dumps(asdict(conditions))
        command = [*conditions.command, sys.executable, "-m", "benchmarks", *arguments]
        return subprocess.run(command, env=environment, check=False).returncode


def _slow_sync(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    library = directory / "slow_sync.so"
    source = Path(__file__).with_name("slow_sync.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library.resolve()


@contextmanager
def _conditions() -> Iterator[Conditions]:
    conditions = Conditions([f"one core of {os.cpu_count()}"])
    if os.geteuid() == 0 and Path("/run/systemd/system").exists():
        _use_systemd(conditions)
    elif os.geteuid() == 0:
        _use_groups(conditions)
    else:
        conditions.notes.append("not root: the core is not slowed")
    if conditions.limit_data:
        conditions.notes.append("memory limited to 1 GB by RLIMIT_DATA, which leaves the page cache out")
    try:
        yield conditions
    finally:
        for group in conditions.groups:
            Path(group).rmdir()


def _use_systemd(conditions: Conditions) -> None:
    properties = (
        f"CPUQuota={100 * QUOTA_US / PERIOD_US:.1f}%",
        f"CPUQuotaPeriodSec={PERIOD_US}us",
        f"MemoryMax={MEMORY}",
        "MemorySwapMax=0",
    )
    settings = [word for property_ in properties for word in ("-p", property_)]
    conditions.command = ["systemd-run", "--scope", "--quiet", *settings]
    conditions.limit_data = False
    conditions.notes.append(f"systemd scope with {', '.join(properties)}")


def _use_groups(conditions: Conditions) -> None:
    """Control groups at the root of the hierarchies this process is at the root of."""
    homes = _own_groups()
    if homes.get("") == "/" and {"cpu", "memory"} <= _unified_controllers():
        settings = {"cpu.max": f"{QUOTA_US} {PERIOD_US}", "memory.max": str(MEMORY)}
        (_GROUPS / "cgroup.subtree_control").write_text("+cpu +memory")
        _make_group(conditions, _GROUPS, settings)
        conditions.limit_data = False
        return
    if homes.get("cpu") == "/":
        settings = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(QUOTA_US)}
        _make_group(conditions, _GROUPS / "cpu", settings)
    else:
        conditions.notes.append("no control group for the processor may be made: the core is not slowed")
    if homes.get("memory") == "/":
        _make_group(conditions, _GROUPS / "memory", {"memory.limit_in_bytes": str(MEMORY)})
        conditions.limit_data = False


def _make_group(conditions: Conditions, parent: Path, settings: dict[str, str]) -> None:
    group = parent / _NAME
    group.mkdir(exist_ok=True)
    for name, value in settings.items():
        (group / name).write_text(value)
        conditions.notes.append(f"control group: {name} = {value}")
    conditions.groups.append(str(group))


def _own_groups() -> dict[str, str]:
    """The path of this process in each hierarchy, by controller; "" is the unified one."""
    homes: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        homes |= dict.fromkeys(controllers.split(","), path)
    return homes


def _unified_controllers() -> set[str]:
    controllers = _GROUPS / "cgroup.controllers"
    return set(controllers.read_text().split()) if controllers.exists() else set()
