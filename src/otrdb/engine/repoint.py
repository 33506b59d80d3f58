"""Giving the trees of a stream their new places, once their blocks have been moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otrdb.tree import Address

    from .core import Core
    from .state import StreamState
    from .versions import Committed


def repoint(core: Core, state: StreamState, roots: Mapping[int, Address]) -> None:
    """The trees of these versions of a stream now begin at ``roots``: for its latest state, its versions, its
    marks and the moments that hold it. Called under the lock.

    Who shares a committed state goes on sharing it: it is by identity that states are compared.
    """
    moved = _Moved(roots)
    state.committed = moved(state.committed)
    if state.versions is not None:
        for version, root in roots.items():
            kept = state.versions.find(version)
            if kept is not None:
                state.versions.put(kept._replace(root=root))
    for version, mark in state.marks.items():
        committed = moved(mark.prefix.committed)
        state.marks[version] = mark._replace(prefix=mark.prefix._replace(committed=committed))
    core.moments.repoint(state, moved)
    core.roots.drop(state)


class _Moved:
    """From the committed states of a stream to those with their trees' new places, one for one."""

    def __init__(self, roots: Mapping[int, Address]) -> None:
        self._roots = roots
        self._known: dict[int, tuple[Committed, Committed]] = {}

    def __call__(self, committed: Committed) -> Committed:
        root = self._roots.get(committed.version)
        if root is None:
            return committed
        known = self._known.setdefault(id(committed), (committed, committed._replace(root=root)))
        return known[1]
