"""What an archive says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otrdb.storage.directory import Directory
from otrdb.storage.headers import FORMAT
from otrdb.storage.locks import holder

if TYPE_CHECKING:
    from .core import Core


def info(core: Core) -> dict[str, Any]:
    """Identity and size, in names."""
    with core.lock:
        return {
            "archive": str(core.segments.archive),
            "format": FORMAT,
            "writable": core.journal is not None,
            "streams": len(core.streams),
            "collections": len(core.streams.names.collections()),
            "snapshots": len(core.streams.snapshots),
            "writer": _writer(core),
        }


def _writer(core: Core) -> str | None:
    """Who writes the archive, as far as its files tell; None for nobody."""
    medium = core.segments.medium
    return holder(medium.path) if isinstance(medium, Directory) else None


def stats(core: Core) -> dict[str, Any]:
    """Counters since the archive was opened, and sizes now, in bytes."""
    space = core.catalog.segments()
    with core.lock:
        return {
            "streams": len(core.streams),
            "pending_points": core.pending.points,
            "pending_memory": core.pending.memory,
            "cache_memory": core.cache.size,
            "overlay_memory": core.roots.memory,
            "blocks_read": core.blocks.read,
            "segments": len(space),
            "segment_bytes": sum(segment.bytes for segment in space.values()),
            "dead_bytes": sum(segment.dead for segment in space.values()),
            "journal_bytes": core.journal.live_bytes if core.journal is not None else 0,
            "free_bytes": core.segments.medium.free_bytes(),
            "floor_bytes": core.floor,
        }
