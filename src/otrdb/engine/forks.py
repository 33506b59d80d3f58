"""A process that forks: the child has the parent's open archives, and must not touch them.

Both would append to the same files, at the same places and under the same numbers, and the writer's lock
would not keep them apart, since a child shares it. So to a child the archives it was born with are closed. It
may open them again; to write, only after the parent has closed them.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from .core import Core

_open: WeakSet[Core] = WeakSet()


def keep_from_children(core: Core) -> None:
    """From now on ``core`` is closed in every child this process forks."""
    _open.add(core)


def _abandon() -> None:
    for core in list(_open):
        core.closed = core.forked = True
        # Whoever held these is not in the child.
        core.lock, core.committing, core.files = RLock(), RLock(), RLock()


os.register_at_fork(after_in_child=_abandon)
