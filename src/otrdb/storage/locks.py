"""Who writes and who reads an archive: one exclusive lock, and a lease for each reader.

All of it is `flock`, which ends with the process that holds it; the text in the files is for people.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import time
from pathlib import Path
from typing import Final

from otrdb.errors import ArchiveLocked
from otrdb.storage.medium import refusal
from otrdb.times import format_ns

_LOCK_NAME: Final = "writer.lock"
_LEASES: Final = "readers"


class WriterLock:
    """The exclusive right to write a directory, from construction to `release` or the end of the process.

    Raises:
        ArchiveLocked: somebody else has it; the message says who.
        ReadOnly: the directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / _LOCK_NAME
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise refusal(error, f"lock {directory}") from error
        if not _try_lock(self._descriptor, fcntl.LOCK_EX):
            holder = os.pread(self._descriptor, 4096, 0).decode(errors="replace").partition("\n")[0].strip()
            os.close(self._descriptor)
            if holder.startswith(_this_process()):
                raise ArchiveLocked(
                    f"{directory} is open for writing in this very process.",
                    advice="Use the archive that is open, or close it first.",
                )
            raise ArchiveLocked(f"{directory} is being written by {holder or 'another process'}.")
        _write_holder(self._descriptor)

    def release(self) -> None:
        """Let others write. May be repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def holder(directory: Path) -> str | None:
    """Who has the lock, in the words of the lock file; None if nobody has.

    The kernel's list of locks tells: trying would, for a moment, keep a writer out that is just opening.
    """
    path = directory / _LOCK_NAME
    try:
        inode, text = path.stat().st_ino, path.read_text(errors="replace").strip()
        locks = Path("/proc/locks").read_text()
    except OSError:
        return None
    held = any(
        fields[1:2] == ["FLOCK"] and fields[3:4] == ["WRITE"] and fields[5].endswith(f":{inode}")
        for fields in map(str.split, locks.splitlines())
        if len(fields) > 5
    )
    return (text or "another process") if held else None


class ReaderLease:
    """Tells a writer that a reader may still use the files as they were at a certain time.

    Where nothing can be written there is no lease (`held` is False), and nobody who could delete files
    either; except a writer elsewhere, for whom the reader's time is up ten minutes after it opened.
    """

    def __init__(self, directory: Path) -> None:
        self._path = (
            directory / _LEASES / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.lease"
        )
        self._descriptor = _take_lease(self._path)

    @property
    def held(self) -> bool:
        """Whether there is a lease."""
        return self._descriptor >= 0

    def renew(self, time_ns: int) -> None:
        """Say that only files in use since ``time_ns`` (ns since 1970) are needed."""
        if self.held:
            os.utime(self._descriptor, ns=(time_ns, time_ns))

    def release(self) -> None:
        """Say that no files are needed any more. May be repeated."""
        if self.held:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def oldest_lease(directory: Path) -> int | None:
    """When the reader who is farthest behind took or renewed its lease, ns since 1970; None if nobody reads.

    Removes the leases of readers that are gone.
    """
    times = [_lease_time(path) for path in (directory / _LEASES).glob("*.lease")]
    return min((time for time in times if time is not None), default=None)


def _lease_time(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(descriptor, fcntl.LOCK_EX):
            path.unlink(missing_ok=True)
            return None
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def _take_lease(path: Path) -> int:
    """The descriptor of a locked lease file; -1 where none can be made."""
    try:
        path.parent.mkdir(exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            # A writer that met the file before it was locked has removed it: then make it again.
            if os.fstat(descriptor).st_nlink:
                _write_holder(descriptor)
                return descriptor
            os.close(descriptor)
    except OSError:
        return -1


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _this_process() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} "


def _write_holder(descriptor: int) -> None:
    text = f"{_this_process()}since {format_ns(time.time_ns())}\n".encode()
    os.pwrite(descriptor, text, 0)
    # Not before: ext4 writes a file that was cut to nothing to the disk when it is closed, which takes ms.
    os.ftruncate(descriptor, len(text))
