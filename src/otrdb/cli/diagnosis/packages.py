"""Versions, and whether the compiled parts run on this processor.

A package built for another processor or page size may end the process with a signal and no word of Python, so
each is tried in a process of its own.
"""

from __future__ import annotations

import platform
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final, NamedTuple

import otrdb
from otrdb.cli.diagnosis import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT: Final = 120  # s
_MISSING: Final = 77
"""Exit code of a child that does not find the package."""


class Trial(NamedTuple):
    """A package, whether the archive cannot do without it, and a program that uses its compiled code."""

    name: str
    needed: bool
    program: str


TRIALS: Final = (
    Trial("otrdb", True, "from otrdb import kernels; import numpy; kernels.bisect(numpy.arange(9), 5)"),
    Trial("numpy", True, "import numpy; numpy.linalg.inv(numpy.eye(9)); numpy.arange(9.0).std()"),
    Trial(
        "pcodec",
        True,
        "import numpy, pcodec.standalone as s; from pcodec import ChunkConfig;"
        "s.simple_decompress(s.simple_compress(numpy.arange(9999), ChunkConfig()))",
    ),
    Trial("crc32c", True, "import crc32c; assert crc32c.crc32c(b'123456789') == 0xE3069283"),
    Trial("sqlite3", True, "import sqlite3; sqlite3.connect(':memory:').execute('SELECT sqlite_version()')"),
    Trial("nanoarrow", False, "import nanoarrow; nanoarrow.Array([1, 2], nanoarrow.int64())"),
    Trial("pyarrow", False, "import pyarrow, pyarrow.parquet, pyarrow.csv; pyarrow.array([1, 2])"),
    Trial("pandas", False, "import pandas; pandas.Series([1.0, 2.0]).mean()"),
    Trial("polars", False, "import polars; polars.Series([1.0, 2.0]).mean()"),
    Trial("psutil", False, "import psutil; psutil.cpu_times()"),
)


def judge_packages() -> Iterator[Sign]:
    """Versions of what everything stands on, then each trial."""
    yield Sign("otrdb", "ok", otrdb.__version__)
    yield Sign("python", "ok", f"{platform.python_version()} ({platform.python_implementation()})")
    yield Sign("sqlite", "ok", sqlite3.sqlite_version)
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(judge_trial, TRIALS)


def judge_trial(trial: Trial) -> Sign:
    """Runs a trial in a child process; a signal that ends it is named."""
    command = [sys.executable, "-c", _guarded(trial)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return _bad(trial, f"did not end within {_TIMEOUT} s")
    if done.returncode == 0:
        return _good(trial, _version(trial.name))
    if done.returncode == _MISSING:
        return (_bad if trial.needed else _good)(trial, "not installed")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return _bad(trial, f"{_version(trial.name)} dies with {name}: it was not built for this machine")
    return _bad(trial, (done.stderr.strip().splitlines() or ["no word why"])[-1])


def _good(trial: Trial, found: str) -> Sign:
    return Sign(f"import {trial.name}", "ok", found)


def _bad(trial: Trial, found: str) -> Sign:
    advice = f"Install another version, or build it here: pip install --no-binary {trial.name} {trial.name}"
    return Sign(f"import {trial.name}", "failure" if trial.needed else "warning", found, advice)


def _guarded(trial: Trial) -> str:
    missing = f"sys.exit({_MISSING}) if importlib.util.find_spec({trial.name!r}) is None else None"
    return f"import sys, importlib.util; {missing}\n{trial.program}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of the standard library" if name in sys.stdlib_module_names else "of no known version"
