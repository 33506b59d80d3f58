"""The API keys of an archive, in one file of its directory.

A key is 256 random bits: nobody finds it by trying. So one SHA-256 keeps it as well as the slow hashes that
passwords need, and can be made for every call.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otrdb.errors import Damaged, InvalidArgument, NotAnArchive, UnsupportedFormat
from otrdb.server.rpc import Scope
from otrdb.times import format_ns, to_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FILE_NAME: Final = "keys.json"
_NEW_NAME: Final = "keys.json.new"
_FORMAT: Final = 1
_PREFIX: Final = "otrdb_"
_RANDOM_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}")
_ONLY_OWNER: Final = 0o600


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key: anything but the key itself."""

    name: str
    scope: Scope
    digest: bytes
    """SHA-256 of the key."""
    created: int
    """ns since 1970 UTC."""

    def opens(self, digest: bytes) -> bool:
        """Whether this is the key with that digest. Takes as long whatever the answer is."""
        return hmac.compare_digest(self.digest, digest)


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


class KeyFile:
    """The keys of the archive in `directory`. Changes are durable, and atomic beside other processes.

    Example:
        >>> import pathlib, tempfile
        >>> keys = KeyFile(pathlib.Path(tempfile.mkdtemp()))
        >>> secret = keys.create("plotter", Scope.READ)
        >>> [(key.name, key.scope.name) for key in keys.read() or ()]
        [('plotter', 'READ')]
        >>> keys.revoke("plotter")
        0
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME

    def read(self) -> tuple[Key, ...] | None:
        """All keys, by name; None if none was ever made.

        Raises `Damaged` if the file is not one of keys, `UnsupportedFormat` if a newer release wrote it.
        """
        try:
            return _parsed(self.path, self.path.read_bytes())
        except FileNotFoundError:
            return None

    def create(self, name: str, scope: Scope) -> str:
        """Make a key and return it: this once, since only its digest is stored."""
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"{name!r} is no name for a key.",
                advice="Give 1 to 63 letters, digits or any of '_.@-', a letter or digit first.",
            )
        secret = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        with self._alone():
            keys = self.read() or ()
            if any(key.name == name for key in keys):
                raise InvalidArgument(
                    f"There is a key {name!r} already.",
                    advice="Choose another name, or revoke that one first.",
                )
            self._write([*keys, Key(name, scope, digest_of(secret), time.time_ns())])
        return secret

    def revoke(self, name: str) -> int:
        """Remove a key; says how many are left."""
        with self._alone():
            keys = self.read() or ()
            left = [key for key in keys if key.name != name]
            if len(left) == len(keys):
                raise InvalidArgument(f"There is no key {name!r}.", advice="List them with: otrdb keys list")
            self._write(left)
        return len(left)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps others from changing the keys: by a lock on the directory, since the file is replaced."""
        try:
            descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotAnArchive(f"There is no archive {self.path.parent}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _write(self, keys: Sequence[Key]) -> None:
        new = self.path.with_name(_NEW_NAME)
        new.unlink(missing_ok=True)  # of a process that was killed; it may belong to somebody else
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _ONLY_OWNER)
        with open(descriptor, "wb") as file:
            file.write(_written(keys))
            file.flush()
            self._give_to_the_archives_owner(descriptor)
            os.fsync(descriptor)
        os.replace(new, self.path)

    def _give_to_the_archives_owner(self, descriptor: int) -> None:
        """A server must be able to read the keys that an administrator has made."""
        if os.geteuid() == 0:
            owner = self.path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


class CurrentKeys:
    """The keys as they are at this moment, read again whenever somebody has changed them. For one thread.

    Asking costs one `stat`. The file that was read last stays open: its inode is given to no other file
    meanwhile, so that another file is never taken for it.
    """

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._close: Callable[[], object] = lambda: None
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] | None = None

    def __call__(self) -> tuple[Key, ...] | None:
        """What `KeyFile.read` would return, and raise; raises `OSError` where it cannot be read."""
        try:
            if _stamp(os.stat(self._file.path)) != self._stamp:
                self._load()
        except FileNotFoundError:
            self._forget()
        return self._keys

    def _load(self) -> None:
        self._forget()
        descriptor = os.open(self._file.path, os.O_RDONLY | os.O_CLOEXEC)
        self._close = weakref.finalize(self, os.close, descriptor)
        status = os.fstat(descriptor)
        self._keys = _parsed(self._file.path, os.pread(descriptor, status.st_size, 0))
        self._stamp = _stamp(status)

    def _forget(self) -> None:
        self._close()
        self._stamp = self._keys = None


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _written(keys: Sequence[Key]) -> bytes:
    rows = [
        {
            "name": key.name,
            "scope": key.scope.name.lower(),
            "sha256": key.digest.hex(),
            "created": format_ns(key.created),
        }
        for key in sorted(keys, key=lambda key: key.name)
    ]
    return (json.dumps({"format": _FORMAT, "keys": rows}, indent=1) + "\n").encode()


def _parsed(path: Path, text: bytes) -> tuple[Key, ...]:
    try:
        content = json.loads(text)
        number = content["format"]
        if number == _FORMAT:
            return tuple(_key(row) for row in content["keys"])
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(
            f"{path} holds no API keys: {error}.",
            advice="Put a copy of it back, or remove it and make the keys anew.",
        ) from error
    raise UnsupportedFormat(f"{path} is of format {number}; this release reads {_FORMAT}.")


def _key(row: dict[str, str]) -> Key:
    digest = bytes.fromhex(row["sha256"])
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError(f"a digest of {len(digest)} bytes")
    return Key(row["name"], Scope[row["scope"].upper()], digest, to_ns(row["created"]))
