"""Check: is the archive what it says it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb import tree
from otrdb.errors import Damaged, InternalError
from otrdb.results import Finding

from .findings import damage_found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Engine
    from .state import StreamState
    from .versions import Committed


def check(engine: Engine, *, deep: bool) -> Iterator[Finding]:
    """Yield what is wrong: damage met when the archive was opened, then every stream's latest version, then
    older ones; a deep check then proves every byte of the segments, which also hold what no version needs.
    """
    known = list(engine.core.findings)
    yield from known
    for state in engine.core.streams:
        yield from _stream(engine, state, deep)
    if deep:
        yield from (finding for finding in _segments(engine) if finding not in known)


def _segments(engine: Engine) -> Iterator[Finding]:
    """What is wrong with the segments as files: headers, group records, groups."""
    core, met = engine.core, list[Damaged]()
    with core.lock:
        newest = core.catalog.position.sequence
    last = 0
    for found in core.segments.scan(report=met.append, deep=True):
        last = found.info.sequence
        yield from map(damage_found, _taken(met))
    yield from map(damage_found, _taken(met))
    if last < newest:
        yield Finding(Damaged.code, f"The segments end with group {last}; there were {newest}.")


def _taken(met: list[Damaged]) -> list[Damaged]:
    """What has been met since the last time."""
    taken = met.copy()
    met.clear()
    return taken


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
