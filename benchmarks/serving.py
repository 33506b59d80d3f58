"""A server in a process of its own, and what it takes: processor time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Serving:
    """A server that answers."""

    address: str
    process: subprocess.Popen[bytes]

    def processor_seconds(self) -> float:
        """Processor time the server has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> dict[str, int]:
        """Bytes resident: now, and at most so far."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return {
            "held": int(fields["VmRSS"].split()[0]) * 1024,
            "peak": int(fields["VmHWM"].split()[0]) * 1024,
        }


def connected(address: str) -> Any:  # noqa: ANN401
    """A connection of BTrDB's official client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that its maker has another one by now
        import btrdb

        return btrdb.connect(address)


@contextmanager
def serving(archive: Path) -> Iterator[Serving]:
    """`otrdb serve` for an archive, until the block ends."""
    command = [sys.executable, "-m", "otrdb.cli", "--archive", str(archive), "serve", "--grpc", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            # The first line says where, once it answers.
            address = process.stdout.readline().decode().rstrip(".\n").rpartition(" ")[2]
            yield Serving(address, process)
        finally:
            process.terminate()
