"""A disk in memory that loses what was not synced, runs full, fails, rots and is slow, on demand.

Every file has a *live* image, which reads and writes see, and a *durable* one, which holds what was synced.
The same goes for the directory: that a file was created, renamed or deleted is durable once the directory was
synced. What lies between the two is a list of `Unsynced` changes: writes cut at the borders of sectors, new
sizes, new names. A power cut keeps any of them, which the caller chooses (`otrdb.testing.survival`).

Example:
    >>> from otrdb.testing import FaultyMedium, everything
    >>> medium = FaultyMedium()
    >>> file = medium.open("a", create=True)
    >>> medium.sync_directory()
    >>> _ = file.append(b"synced")
    >>> file.sync()
    >>> _ = file.append(b", written")
    >>> medium.crash().open("a").read(0, 100)
    b'synced'
    >>> medium.crash(everything).open("a").read(0, 100)
    b'synced, written'
    >>> medium.fail("sync")
    >>> file.sync()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    otrdb.errors.WriteFailed: Could not sync a: ...
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from otrdb.errors import ReadOnly, WriteFailed
from otrdb.storage.medium import Data, File, refusal

Step: TypeAlias = Literal[
    "read",
    "append",
    "write",
    "sync",
    "allocate",
    "truncate",
    "create",
    "rename",
    "delete",
    "sync_directory",
]
"""What a medium can be asked for."""

SECTOR = 512
"""Bytes that a disk writes at a time, unless a medium says otherwise."""


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """A change of a file that was not synced: bytes at an offset or, without data, a new size."""

    order: int
    content: Content
    offset: int
    data: bytes | None = None

    def apply(self, image: bytearray) -> None:
        """Make the change in ``image``."""
        image.extend(bytes(max(self.offset - len(image), 0)))
        if self.data is None:
            del image[self.offset :]
        else:
            image[self.offset : self.offset + len(self.data)] = self.data

    def part(self, low: int, high: int) -> Change:
        """Bytes ``[low, high)`` of a write."""
        assert self.data is not None
        return replace(self, offset=self.offset + low, data=self.data[low:high])

    def sectors(self, size: int) -> Iterator[Change]:
        """The change, a write cut where sectors of ``size`` bytes of the file begin."""
        if self.data is None:
            yield self
            return
        low = 0
        while low < len(self.data):
            high = min(low + size - (self.offset + low) % size, len(self.data))
            yield self.part(low, high)
            low = high


@dataclass(frozen=True, eq=False, slots=True)
class Naming:
    """A change of the directory that was not synced: from no name a creation, to no name a deletion."""

    order: int
    content: Content
    old: str | None
    new: str | None

    def apply(self, names: dict[str, Content]) -> None:
        """Make the change in a directory, in one step (A4); nothing if that file is not there any more."""
        known = [name for name, content in names.items() if content is self.content]
        if self.old is None or self.new is not None or self.old in known:
            for name in known:
                del names[name]
        if self.new is not None:
            names[self.new] = self.content


Unsynced: TypeAlias = Change | Naming

Survives: TypeAlias = Callable[[Sequence[Unsynced]], Iterable[Unsynced]]
"""What of the unsynced changes, oldest first, is on the disk after a power cut: any of them, any part of a
write, oldest first."""


def nothing(_: Sequence[Unsynced]) -> Iterable[Unsynced]:
    """No unsynced change survives: the strictest disk."""
    return ()


def everything(changes: Sequence[Unsynced]) -> Iterable[Unsynced]:
    """All unsynced changes survive, as when only the process dies."""
    return changes


@dataclass(eq=False, slots=True)
class Content:
    """What is in one file: now, on the disk, and the changes between the two."""

    live: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)
    unreadable: range = range(0)

    def can_read(self, offset: int, length: int) -> bool:
        """Whether the disk gives all of these bytes."""
        return max(offset, self.unreadable.start) >= min(offset + length, self.unreadable.stop)

    def change(self, change: Change) -> None:
        """Make a change that is not synced."""
        change.apply(self.live)
        self.unsynced.append(change)

    def sync(self) -> None:
        """Make all changes durable."""
        for change in self.unsynced:
            change.apply(self.durable)
        self.unsynced.clear()

    def after(self, changes: Iterable[Change]) -> Content:
        """The file after a power cut that ``changes`` survived."""
        image = bytearray(self.durable)
        for change in changes:
            change.apply(image)
        return Content(image, bytearray(image))


@dataclass(slots=True)
class Fault:
    """What goes wrong: a step, after how many good ones, its errno, and whether it then always fails.

    Of a write or an append that fails, ``partial`` bytes are written all the same.
    """

    step: Step
    after: int
    code: int
    stays: bool
    partial: int

    def strikes(self) -> bool:
        """Whether it is the turn of this fault now. To be asked at every step of its kind."""
        self.after -= 1
        return self.after == -1 or (self.stays and self.after < 0)

    def error(self, name: str) -> OSError:
        """What the step raises."""
        error = OSError(self.code, os.strerror(self.code))
        if self.step == "read":
            return error
        if self.step in ("sync", "sync_directory"):
            return WriteFailed(f"Could not sync {name}: {error.strerror}.")
        return refusal(error, f"{self.step} {name}")


class FaultyFile:
    """A file of a `FaultyMedium`: `otrdb.storage.medium.File`."""

    def __init__(self, medium: FaultyMedium, name: str, content: Content) -> None:
        self._medium = medium
        self._name = name
        self._content = content

    def size(self) -> int:
        """Bytes in the file."""
        return len(self._content.live)

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        if min(offset, length) < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        with self._medium.step("read", self._name):
            if not self._content.can_read(offset, length):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return bytes(self._content.live[offset : offset + length])

    def append(self, data: Data) -> int:
        """Write ``data`` at the end and return where it begins."""
        self._medium.pause("append")
        with self._medium.lock:
            end = self.size()
            self._put("append", end, bytes(data))
            return end

    def write(self, offset: int, data: Data) -> None:
        """Write ``data`` at ``offset``."""
        self._medium.pause("write")
        with self._medium.lock:
            self._put("write", offset, bytes(data))

    def sync(self) -> None:
        """Make the file durable."""
        with self._medium.step("sync", self._name):
            self._content.sync()

    def allocate(self, size: int) -> None:
        """Grow to ``size`` bytes of zeros."""
        growth = max(size - self.size(), 0)
        with self._medium.step("allocate", self._name, growth):
            if growth:
                self._change(size)

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes."""
        with self._medium.step("truncate", self._name):
            if size != self.size():
                self._change(size)

    def close(self) -> None:
        """Nothing to let go of."""

    def _put(self, step: Step, offset: int, data: bytes) -> None:
        fault = self._medium.begin(step, self._name, max(offset + len(data) - self.size(), 0))
        written = data if fault is None else data[: fault.partial]
        if written:
            # The file system may note the size, and lose the bytes.
            if offset + len(written) > self.size():
                self._change(offset + len(written))
            self._change(offset, written)
        if fault is not None:
            raise fault.error(self._name)

    def _change(self, offset: int, data: bytes | None = None) -> None:
        self._content.change(Change(self._medium.next_order(), self._content, offset, data))


class FaultyMedium:
    """Files in memory, with faults on demand: `otrdb.storage.medium.Medium`. Safe from any thread.

    Attributes:
        capacity: bytes that all files may take together; None: no limit.
        writable: as of any medium.
        sector: bytes that a disk writes as a whole, or not.
        counts: how often each step was asked for.
        watch: called before each step that may change what is on the disk, with its name and the file's; what
            `crash` gives at that moment is what a power cut there leaves. Steps it takes itself are not
            watched.
    """

    def __init__(self, files: dict[str, Content] | None = None, *, sector: int = SECTOR) -> None:
        self._live = dict(files or {})
        self._durable = dict(self._live)
        self._renamed: list[Naming] = []
        self._faults: list[Fault] = []
        self._delays: dict[Step, float] = {}
        self._order = 0
        self.lock = threading.RLock()
        self.capacity: int | None = None
        self.writable = True
        self.sector = sector
        self.counts: Counter[Step] = Counter()
        self.watch: Callable[[Step, str], None] | None = None

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> FaultyMedium:
        """A medium with these files, durably: what `contents` gives."""
        return cls({name: Content(bytearray(data), bytearray(data)) for name, data in files.items()})

    @property
    def used(self) -> int:
        """Bytes of all files."""
        return sum(len(content.live) for content in self._live.values())

    # --- what goes wrong

    def fail(
        self,
        step: Step,
        *,
        after: int = 0,
        code: int = errno.EIO,
        stays: bool = False,
        partial: int = 0,
    ) -> None:
        """Let ``step`` fail once ``after`` more of its kind went well.

        ``code`` is an errno, `EIO` or `ENOSPC`; ``stays`` lets it fail from then on. ``partial`` makes a
        short write of a failing one.
        """
        self._faults.append(Fault(step, after, code, stays, partial))

    def slow(self, step: Step, seconds: float) -> None:
        """Let every ``step`` take so many ``seconds``; other threads go on meanwhile."""
        self._delays[step] = seconds

    def flip(self, name: str, offset: int, bit: int = 0) -> None:
        """Let a bit of a file rot, in both images. Negative offsets count from the end."""
        content = self._live[name]
        for image in (content.live, content.durable):
            image[offset] ^= 1 << bit

    def spoil(self, name: str, start: int, end: int) -> None:
        """Let bytes ``[start, end)`` of a file be unreadable, in the place of an earlier such range."""
        self._live[name].unreadable = range(start, end)

    def unsynced(self) -> list[Unsynced]:
        """What a power cut now may lose or keep, oldest first: writes by sectors, sizes, names."""
        with self.lock:
            known = {id(content): content for content in (*self._live.values(), *self._durable.values())}
            known |= {id(naming.content): naming.content for naming in self._renamed}
            changes: list[Unsynced] = [
                piece
                for content in known.values()
                for change in content.unsynced
                for piece in change.sectors(self.sector)
            ]
            return sorted([*changes, *self._renamed], key=lambda change: change.order)

    def crash(self, survives: Survives = nothing) -> FaultyMedium:
        """What is found after a power cut now, as a new medium without faults; this one goes on.

        ``survives`` chooses among what was not synced.
        """
        with self.lock:
            names = dict(self._durable)
            changes: dict[int, list[Change]] = {}
            for change in survives(self.unsynced()):
                if isinstance(change, Naming):
                    change.apply(names)
                else:
                    changes.setdefault(id(change.content), []).append(change)
            files = {name: content.after(changes.get(id(content), ())) for name, content in names.items()}
            return FaultyMedium(files, sector=self.sector)

    def contents(self) -> dict[str, bytes]:
        """All files, as they are now."""
        with self.lock:
            return {name: bytes(content.live) for name, content in sorted(self._live.items())}

    # --- steps

    @contextmanager
    def step(self, step: Step, name: str, growth: int = 0) -> Iterator[None]:
        """Take a step in the block, or raise the fault it meets."""
        self.pause(step)
        with self.lock:
            fault = self.begin(step, name, growth)
            if fault:
                raise fault.error(name)
            yield

    def pause(self, step: Step) -> None:
        """Take as long as the step takes on this disk. Not under the lock."""
        if step in self._delays:
            time.sleep(self._delays[step])

    def begin(self, step: Step, name: str, growth: int = 0) -> Fault | None:
        """Count a step; the fault it meets, if any. Under the lock."""
        self._watched(step, name)
        self.counts[step] += 1
        struck = [fault for fault in self._faults if fault.step == step and fault.strikes()]
        if growth and self.free_bytes() < growth:
            struck.append(Fault(step, 0, errno.ENOSPC, stays=False, partial=0))
        return struck[0] if struck else None

    def next_order(self) -> int:
        """A number for the next change."""
        self._order += 1
        return self._order

    def _watched(self, step: Step, name: str) -> None:
        watch = self.watch
        if watch is None or step == "read":
            return
        self.watch = None
        try:
            watch(step, name)
        finally:
            self.watch = watch

    # --- the protocol

    def open(self, name: str, *, create: bool = False) -> File:
        """Open a file; with ``create`` make it if there is none."""
        with self.lock:
            if create:
                self._must_be_writable()
            if name not in self._live:
                if not create:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
                self._name("create", Content(), None, name)
            return FaultyFile(self, name, self._live[name])

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return name in self._live

    def list(self) -> list[str]:
        """The names of all files, sorted."""
        with self.lock:
            return sorted(self._live)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        with self.lock:
            self._must_be_writable()
            self._name("rename", self._live[old], old, new)

    def delete(self, name: str) -> None:
        """Remove a file."""
        with self.lock:
            self._must_be_writable()
            self._name("delete", self._live[name], name, None)

    def sync_directory(self) -> None:
        """Make all names durable."""
        with self.step("sync_directory", "the directory"):
            self._durable = dict(self._live)
            self._renamed.clear()

    def free_bytes(self) -> int:
        """Room for more."""
        return (1 << 40 if self.capacity is None else self.capacity) - self.used

    def _name(self, step: Step, content: Content, old: str | None, new: str | None) -> None:
        with self.step(step, new or old or ""):
            naming = Naming(self.next_order(), content, old, new)
            naming.apply(self._live)
            self._renamed.append(naming)

    def _must_be_writable(self) -> None:
        if not self.writable:
            raise ReadOnly("The medium is open for reading only.")
