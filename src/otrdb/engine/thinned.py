"""Points that come for times that were thinned: they are refused before anything is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otrdb.tree import refuse_points

from .damage import concerning

if TYPE_CHECKING:
    from otrdb.model import Int64Array

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
