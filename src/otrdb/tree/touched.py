"""How many leaves a batch would touch: what decides whether it is worth a commit, and whether an overlay
fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels

from .geometry import LEAF_CAPACITY
from .nodes import ChildKind, Node

if TYPE_CHECKING:
    from .source import Source

Words = NDArray[np.int64]


def touched_leaves(source: Source, root: Node, times: Words, limit: int) -> int:
    """About how many leaves ``times`` (ascending) fall into; stops counting beyond ``limit``."""
    return _touched(source, root, times, limit)


def _touched(source: Source, node: Node, times: Words, limit: int) -> int:
    touched, covered = 0, 0
    for child in node.children:
        if not child.kind or touched > limit:
            continue
        low = kernels.bisect(times, node.child_start(child))
        high = kernels.bisect(times, node.child_end(child))
        if low == high:
            continue
        covered += high - low
        if child.kind == ChildKind.NODE:
            touched += _touched(source, source.node(child), times[low:high], limit - touched)
        else:
            touched += 1 + 2 * (high - low) // LEAF_CAPACITY
    fresh = len(times) - covered
    return touched + -(-2 * fresh // LEAF_CAPACITY)
