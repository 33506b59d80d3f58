"""Check: is the archive what it says it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb import tree
from otrdb.errors import Damaged, InternalError
from otrdb.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Engine
    from .state import Committed, StreamState


def check(engine: Engine, *, deep: bool) -> Iterator[Finding]:
    """Yield what is wrong: damage met when the archive was opened, then every stream's latest version, then
    older ones.
    """
    yield from engine.core.findings
    for state in engine.core.streams:
        yield from _stream(engine, state, deep)


def _stream(engine: Engine, state: StreamState, deep: bool) -> Iterator[Finding]:
    with engine.core.lock:
        versions = list(engine.core.versions(state))
    for committed in reversed(versions):
        yield from _version(engine, state, committed, deep and committed is versions[-1])


def _version(engine: Engine, state: StreamState, committed: Committed, deep: bool) -> Iterator[Finding]:
    stream = state.metadata.uuid
    try:
        root = engine.core.roots.committed(state, committed.root)
    except Damaged as error:
        yield Finding(error.code, f"Version {committed.version}: {error.message}", stream)
        return
    for start, end, text, damage in tree.verify(state.source, root, committed.version, deep=deep):
        code = Damaged.code if damage else InternalError.code
        yield Finding(code, f"Version {committed.version}: {text}", stream, start, end)
