"""A process that writes is killed at random moments, again and again: what it was promised is there.

After every kill the archive is opened, by a writer or by a reader, and held against what the process said:
every acknowledged batch is there completely, a batch that was not acknowledged is there in whole or not at
all, over all its streams; no version goes back or changes; `check` finds nothing.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import otrdb
from otrdb.testing.operations import Operation, create_all, operations
from otrdb.testing.witness import Witness
from tests.support.crash_writer import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ARCHIVES = 8
KILLS = 26
"""For each archive: 208 in all."""


class Writers:
    """Starts writers and kills them."""

    def __init__(self) -> None:
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_writer"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._buffer = b""

    def close(self) -> None:
        with self._forks:
            assert self._forks.stdin is not None
            self._forks.stdin.close()

    def killed_after(self, order: Order, seconds: float) -> list[Any]:
        """What a writer said in its life of so many seconds."""
        assert self._forks.stdin is not None
        self._forks.stdin.write(json.dumps(order).encode() + b"\n")
        self._forks.stdin.flush()
        said = [self._line()]
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)
        os.kill(said[0][1], signal.SIGKILL)
        while said[-1] != ["gone"]:
            said.append(self._line())
        return said[1:-1]

    def _line(self) -> Any:
        while b"\n" not in self._buffer:
            self._read(60)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def _read(self, timeout: float) -> None:
        assert self._forks.stdout is not None
        if select.select([self._forks.stdout], [], [], timeout)[0]:
            data = os.read(self._forks.stdout.fileno(), 1 << 16)
            assert data, "the process that starts writers ended"
            self._buffer += data


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    made = Writers()
    yield made
    made.close()


def heard(seed: int, said: list[Any], witness: Witness) -> Operation | None:
    """Acknowledge what was said to be done; returns the operation that was not."""
    doubtful = None
    messages = iter(said)
    for operation in islice(operations(seed), len(said) // 2 + 1):
        begun = next(messages, None)
        if begun is None:
            return None
        assert begun[0] != "failed", begun[1]
        done = next(messages, None)
        doubtful = operation
        if done is None:
            return doubtful
        assert done[0] != "failed", done[1]
        witness.acknowledged(operation, done[2])
    return None


def lifetime(random_: random.Random) -> float:
    """Mostly up to some hundred operations; often no more than opening the archive takes."""
    return random_.uniform(0.0, 0.03) if random_.random() < 0.3 else random_.uniform(0.03, 0.25)


@pytest.mark.parametrize("archive_number", range(ARCHIVES))
def test_what_was_acknowledged_survives_the_writer(
    writers: Writers, disk_path: Path, archive_number: int
) -> None:
    path = str(disk_path / "killed.otr")
    with otrdb.open(path) as archive:
        create_all(archive)
    witness = Witness()
    random_ = random.Random(archive_number)
    for kill in range(KILLS):
        seed = 1_000 * archive_number + kill
        order = Order(path, seed, random_.choice(["sync", "sync", "off"]))
        said = writers.killed_after(order, lifetime(random_))
        doubtful = heard(seed, said, witness)
        # A reader beside the dead writer leaves everything as it is: the next writer dies twice running.
        mode = "r" if random_.random() < 0.3 else "w"
        with otrdb.open(path, mode=mode) as archive:  # type: ignore[arg-type]
            witness.verify(archive, doubtful)
            assert list(archive.check(deep=kill % 5 == 0 or kill == KILLS - 1)) == []
