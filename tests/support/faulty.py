"""A medium in memory that can lose what was not synced, run full, fail and rot.

Every file has a *live* image, which reads and writes see, and a *durable* one, which holds what was synced.
The same goes for the directory: that a file was created, renamed or deleted survives a crash only if the
directory was synced.

    medium = FaultyMedium()
    medium.fail("sync", after=2)            # the third sync from now on fails with EIO
    medium.capacity = medium.used           # the disk is full
    medium.flip("segment-00000001.otr", offset=100, bit=3)
    medium = medium.crash()                 # a power cut: what was not synced is gone
    medium = medium.crash(everything)       # the process dies: what was written stays
"""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from otrdb.errors import ReadOnly, WriteFailed
from otrdb.storage.medium import Data, File, refusal

Operation: TypeAlias = Literal["read", "append", "write", "sync", "allocate", "truncate", "sync_directory"]


@dataclass(frozen=True)
class Change:
    """A write that has not been synced: bytes at an offset, or (without data) a new size."""

    offset: int
    data: bytes | None = None

    def apply(self, image: bytearray) -> None:
        image.extend(bytes(max(self.offset - len(image), 0)))
        if self.data is None:
            del image[self.offset :]
        else:
            image[self.offset : self.offset + len(self.data)] = self.data


Survives: TypeAlias = Callable[[Change], Iterable[Change]]
"""What of an unsynced change is on the disk after a crash; asked for each, oldest first."""


def nothing(_: Change) -> Iterable[Change]:
    """No unsynced change survives: the strictest disk."""
    return ()


def everything(change: Change) -> Iterable[Change]:
    """All unsynced changes survive, as when only the process dies."""
    return (change,)


@dataclass
class Content:
    """What is in one file: now, on the disk, and the changes between the two."""

    live: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)
    unreadable: range = range(0)

    def can_read(self, offset: int, length: int) -> bool:
        return max(offset, self.unreadable.start) >= min(offset + length, self.unreadable.stop)

    def change(self, change: Change) -> None:
        change.apply(self.live)
        self.unsynced.append(change)

    def sync(self) -> None:
        for change in self.unsynced:
            change.apply(self.durable)
        self.unsynced.clear()

    def after_crash(self, survives: Survives) -> Content:
        image = bytearray(self.durable)
        for change in self.unsynced:
            for surviving in survives(change):
                surviving.apply(image)
        return Content(bytearray(image), image)


@dataclass
class Fault:
    """What goes wrong: an operation, after how many good ones, its errno, and whether it then always fails.

    Of a write or an append that fails, ``partial`` bytes are written all the same.
    """

    operation: Operation
    after: int
    code: int
    stays: bool
    partial: int

    def strikes(self) -> bool:
        self.after -= 1
        return self.after == -1 or (self.stays and self.after < 0)

    def error(self, name: str) -> OSError:
        error = OSError(self.code, os.strerror(self.code))
        if self.operation == "read":
            return error
        if self.operation in ("sync", "sync_directory"):
            return WriteFailed(f"Could not sync {name}: {error.strerror}.")
        return refusal(error, f"{self.operation} {name}")


class FaultyFile:
    """A file of a `FaultyMedium`."""

    def __init__(self, medium: FaultyMedium, name: str, content: Content) -> None:
        self._medium = medium
        self._name = name
        self._content = content

    def size(self) -> int:
        return len(self._content.live)

    def read(self, offset: int, length: int) -> bytes:
        if min(offset, length) < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        with self._medium.lock:
            self._medium.step("read", self._name)
            if not self._content.can_read(offset, length):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return bytes(self._content.live[offset : offset + length])

    def append(self, data: Data) -> int:
        with self._medium.lock:
            end = self.size()
            self._put("append", end, bytes(data))
            return end

    def write(self, offset: int, data: Data) -> None:
        with self._medium.lock:
            self._put("write", offset, bytes(data))

    def sync(self) -> None:
        with self._medium.lock:
            self._medium.step("sync", self._name)
            self._content.sync()

    def allocate(self, size: int) -> None:
        with self._medium.lock:
            growth = max(size - self.size(), 0)
            self._medium.step("allocate", self._name, growth)
            if growth:
                self._content.change(Change(size))

    def truncate(self, size: int) -> None:
        with self._medium.lock:
            self._medium.step("truncate", self._name)
            self._content.change(Change(size))

    def close(self) -> None:
        """Nothing to let go of."""

    def _put(self, operation: Operation, offset: int, data: bytes) -> None:
        fault = self._medium.begin(operation, max(offset + len(data) - self.size(), 0))
        if fault is None:
            self._content.change(Change(offset, data))
            return
        if fault.partial:
            self._content.change(Change(offset, data[: fault.partial]))
        raise fault.error(self._name)


class FaultyMedium:
    """Files in memory, with faults on demand. Safe from any thread.

    Attributes:
        capacity: bytes that all files may take together; None: no limit.
        writable: as of any medium.
        counts: how often each operation was asked for.
    """

    def __init__(self, files: dict[str, Content] | None = None) -> None:
        self._live = dict(files or {})
        self._durable = dict(self._live)
        self._faults: list[Fault] = []
        self.lock = threading.RLock()
        self.capacity: int | None = None
        self.writable = True
        self.counts: Counter[Operation] = Counter()

    @property
    def used(self) -> int:
        """Bytes of all files."""
        return sum(len(content.live) for content in self._live.values())

    def fail(
        self,
        operation: Operation,
        *,
        after: int = 0,
        code: int = errno.EIO,
        stays: bool = False,
        partial: int = 0,
    ) -> None:
        """Let ``operation`` fail once ``after`` more calls went well."""
        self._faults.append(Fault(operation, after, code, stays, partial))

    def flip(self, name: str, offset: int, bit: int = 0) -> None:
        """Let a bit of a file rot, in both images. Negative offsets count from the end."""
        content = self._live[name]
        for image in (content.live, content.durable):
            image[offset] ^= 1 << bit

    def spoil(self, name: str, start: int, end: int) -> None:
        """Let bytes ``[start, end)`` of a file be unreadable, in the place of an earlier such range."""
        self._live[name].unreadable = range(start, end)

    def crash(self, survives: Survives = nothing) -> FaultyMedium:
        """What is found after a power cut, as a new medium without faults. Use this one no more."""
        names = self._live if survives is everything else self._durable
        return FaultyMedium({name: content.after_crash(survives) for name, content in names.items()})

    def begin(self, operation: Operation, growth: int = 0) -> Fault | None:
        """Count an operation; the fault it meets, if any."""
        self.counts[operation] += 1
        struck = [fault for fault in self._faults if fault.operation == operation and fault.strikes()]
        if growth and self.free_bytes() < growth:
            struck.append(Fault(operation, 0, errno.ENOSPC, stays=False, partial=0))
        return struck[0] if struck else None

    def step(self, operation: Operation, name: str, growth: int = 0) -> None:
        """Count an operation, or raise what it meets."""
        fault = self.begin(operation, growth)
        if fault:
            raise fault.error(name)

    def open(self, name: str, *, create: bool = False) -> File:
        with self.lock:
            if create:
                self._must_be_writable()
                self._live.setdefault(name, Content())
            if name not in self._live:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            return FaultyFile(self, name, self._live[name])

    def exists(self, name: str) -> bool:
        return name in self._live

    def list(self) -> list[str]:
        with self.lock:
            return sorted(self._live)

    def rename(self, old: str, new: str) -> None:
        with self.lock:
            self._must_be_writable()
            self._live[new] = self._live.pop(old)

    def delete(self, name: str) -> None:
        with self.lock:
            self._must_be_writable()
            del self._live[name]

    def sync_directory(self) -> None:
        with self.lock:
            self.step("sync_directory", "the directory")
            self._durable = dict(self._live)

    def free_bytes(self) -> int:
        return (1 << 40 if self.capacity is None else self.capacity) - self.used

    def _must_be_writable(self) -> None:
        if not self.writable:
            raise ReadOnly("The medium is open for reading only.")
