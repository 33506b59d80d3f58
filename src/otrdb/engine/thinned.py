"""Points that come for times that were thinned: they are refused before anything is stored."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from otrdb.errors import Damaged, DiskFull
from otrdb.tree import refuse_points, thinned_until

from .damage import concerning

if TYPE_CHECKING:
    from otrdb.model import Int64Array
    from otrdb.storage.records import Entry

    from .commit import Committer
    from .core import Core
    from .pending import Numbers
    from .state import StreamState


def check_not_thinned(core: Core, state: StreamState, times: Int64Array) -> None:
    """Raise `Thinned` if the stream is thinned at any of ``times``.

    Called by whoever holds ``committing`` and goes on to store the points, so that it stays true. Costs a
    comparison, and a look into the tree for points older than what was ever thinned.
    """
    late = times[times < core.rules.thinned_before(state.metadata.uuid)]
    if len(late):
        root = core.roots.committed(state, state.committed.root)
        with concerning(state, root):
            refuse_points(state.source, root, np.sort(late))


def check_none_thinned(core: Core, numbers: Numbers, times: Int64Array) -> None:
    """The same for many streams: time i belongs to the stream of number ``numbers[i]``."""
    late = times < core.rules.newest_thinned
    numbers, times = numbers[late], times[late]
    for number in np.unique(numbers).tolist():
        check_not_thinned(core, core.streams.existing(number), times[numbers == number])


def say_again(core: Core, committer: Committer) -> None:
    """Make durable which streams are thinned, and where, by what is found in their trees: where a group is
    lost, that may have been said in it, while a later one has the tree.

    Costs the nodes of all streams.
    """
    lost: list[Entry] = []
    for state in core.streams:
        with suppress(Damaged):
            until = thinned_until(state.source, core.roots.committed(state, state.committed.root))
            if until > core.rules.thinned_before(state.metadata.uuid):
                lost.append(core.rules.bar(state.metadata.uuid, until))
    if lost:
        with suppress(DiskFull):  # in this session it holds without
            committer.entries(lost)
