"""A server in a process of its own, and what that takes of the machine."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

MEMORY = 32 << 20
"""The archive's setting."""

_LOG = "server.log"
_SETTINGS = ("--grpc", "127.0.0.1:0", "--durability", "off", "--memory", "32MiB")


class Child:
    """A server of the archive at a path, to the end of a block. Watches what it takes."""

    def __init__(self, path: Path) -> None:
        self.log = path.with_name(_LOG)
        command = [sys.executable, "-m", "otrdb.cli", "--archive", str(path), "serve", *_SETTINGS]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.port = self._told_port()
        self.peak = self.idle = self._status("VmRSS")
        self.most_threads = 0
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    @property
    def memory(self) -> int:
        """Bytes in memory now."""
        return self._status("VmRSS")

    def stop(self) -> int:
        """Ask it to stop, and wait until it has; its exit code."""
        self._over.set()
        self._watching.join()
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self.alive:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _told_port(self) -> int:
        """The port, from the line in which the server says where it is."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r":(\d+)\.$", line)
        if found is None:
            raise AssertionError(f"the server did not start: {line} {self.log.read_text(errors='replace')}")
        return int(found[1])

    def _watch(self) -> None:
        while not self._over.wait(0.05) and self.alive:
            self.peak = max(self.peak, self._status("VmRSS"))
            self.most_threads = max(self.most_threads, self._status("Threads"))

    def _status(self, name: str) -> int:
        """A figure of the process, in bytes where it is memory; 0 once it has ended."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                number, *unit = line.split()[1:]
                return int(number) * (1024 if unit else 1)
        return 0
