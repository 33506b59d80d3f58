"""The file system an archive lies on, and how it is mounted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from otrdb.cli.diagnosis import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY: Final = frozenset({"tmpfs", "ramfs", "rootfs"})
_NETWORK: Final = frozenset(
    {"nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "lustre", "glusterfs", "virtiofs"}
)
_WITHOUT_JOURNAL: Final = frozenset({"vfat", "msdos", "exfat", "ext2"})
_UNSAFE: Final = {
    "data=writeback": "after a power cut files may hold old bytes of other files",
    "barrier=0": "a sync does not reach the disk behind its cache",
    "nobarrier": "a sync does not reach the disk behind its cache",
    "fsync_mode=nobarrier": "a sync does not reach the disk behind its cache",
    "nointegrity": "the file system itself may not survive a power cut",
}
"""Options with which a sync promises less than it should, and what that means."""


class Mount(NamedTuple):
    """A line of `/proc/self/mountinfo`: where, what, from where, and all options."""

    point: str
    kind: str
    source: str
    options: frozenset[str]


def mounts(text: str) -> Iterator[Mount]:
    """The mounts in the text of a `mountinfo` file, as proc(5) describes it."""
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if dash and len(fields) > 5 and len(rest) > 2:
            options = frozenset([*fields[5].split(","), *rest[2].split(",")])
            yield Mount(_plain(fields[4]), rest[0], _plain(rest[1]), options)


def mount_of(path: Path, text: str) -> Mount | None:
    """The mount that holds an absolute ``path``: the deepest, and of several at one place the last."""
    found = None
    for mount in mounts(text):
        above = path == Path(mount.point) or Path(mount.point) in path.parents
        if above and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def read_mount(path: Path, root: Path = Path("/")) -> Mount | None:
    """The mount that holds ``path`` on this machine; None if the kernel does not tell."""
    try:
        text = (root / "proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return None
    mount = mount_of(path, text)
    return mount and mount._replace(options=mount.options | _hidden_options(mount, root))


def _hidden_options(mount: Mount, root: Path) -> frozenset[str]:
    """Unsafe options that ext4 has from its own superblock, and so does not list with the mount."""
    place = root / "proc/fs" / mount.kind / Path(mount.source).name / "options"
    try:
        return frozenset(place.read_text().split()) & frozenset(_UNSAFE)
    except OSError:
        return frozenset()


def judge_mount(mount: Mount | None) -> Iterator[Sign]:
    """What the file system and its options promise."""
    if mount is None:
        yield Sign("file system", "warning", "unknown", "Nothing can be said about what a sync promises.")
        return
    yield _judge_kind(mount)
    unsafe = sorted(mount.options & set(_UNSAFE))
    for option in unsafe:
        yield Sign("mount options", "warning", f"{option}: {_UNSAFE[option]}", f"Mount it without {option}.")
    if "ro" in mount.options:
        advice = "It can be read, not written; mount it with rw to write."
        yield Sign("mount options", "warning", "read-only", advice)
    if not unsafe and "ro" not in mount.options:
        yield Sign("mount options", "ok", ",".join(sorted(mount.options)))


def _judge_kind(mount: Mount) -> Sign:
    found = f"{mount.kind} from {mount.source} at {mount.point}"
    if mount.kind in _MEMORY:
        return Sign("file system", "warning", f"{found}: in memory, gone at the next start", _MOVE)
    if mount.kind == "overlay":
        text = f"{found}: a layer, which may be in memory or go with its container"
        return Sign("file system", "warning", text, _MOVE)
    if mount.kind in _NETWORK or mount.kind == "fuse.sshfs":
        text = f"{found}: over a network, where locks and syncs may not hold"
        return Sign("file system", "warning", text, _MOVE)
    if mount.kind in _WITHOUT_JOURNAL:
        text = f"{found}: without a journal, so a power cut may damage it"
        return Sign("file system", "warning", text, "Use ext4, xfs, btrfs or f2fs.")
    if mount.kind.startswith("fuse"):
        text = f"{found}: served by a program, which may not sync"
        return Sign("file system", "warning", text, "Use ext4, xfs, btrfs or f2fs.")
    return Sign("file system", "ok", found)


_MOVE: Final = "Keep the archive on a disk of this machine."


def _plain(text: str) -> str:
    r"""Text of mountinfo, in which blanks are written as \040 and the like."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
