"""Damage met while a stream is read: which stream it is, and which of its times are concerned."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from otrdb import tree
from otrdb.errors import Damaged
from otrdb.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state import StreamState


@contextmanager
def concerning(state: StreamState, root: tree.Node | None = None) -> Iterator[None]:
    """Damage met within says that it is this stream's, and which times it concerns below ``root`` (by default
    the newest committed one).
    """
    try:
        yield
    except Damaged as error:
        complete(error, state, root)
        raise


def complete(error: Damaged, state: StreamState, root: tree.Node | None = None) -> None:
    """Add to ``error``, met below ``root``, its stream and times, in its fields and in words; once.

    The times are those of the damaged block, or all there are where the tree does not say.
    """
    if error.stream is not None:
        return
    error.stream = state.metadata.uuid
    error.start, error.end = _times(error, state, root) or tree.EVERYTHING
    times = f"from {format_ns(error.start)} to before {format_ns(error.end)}"
    error.message += f" Points of stream {state.metadata.path} ({error.stream}) {times} are concerned."


def _times(error: Damaged, state: StreamState, root: tree.Node | None) -> tuple[int, int] | None:
    if error.segment is None or error.offset is None:
        return None
    root = root or _committed(state)
    return None if root is None else tree.locate(state.source, root, (error.segment, error.offset))


def _committed(state: StreamState) -> tree.Node | None:
    address = state.committed.root
    try:
        return None if address is None else state.source.node_at(address)
    except Damaged:
        return None
