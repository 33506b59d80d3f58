"""Which bytes of which segment are needed: the blocks of all states that can be asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otrdb.errors import Damaged
from otrdb.storage.blocks import HEADER_BYTES
from otrdb.tree import references

from .damage import complete

if TYPE_CHECKING:
    from otrdb.tree import Address

    from .core import Core
    from .state import StreamState
    from .versions import Committed


def held_states(core: Core, state: StreamState) -> list[Committed]:
    """The committed states of a stream that can be asked for, the latest first: those kept, and those that
    only marks and moments hold.
    """
    with core.lock:
        if state.removed:
            return []
        versions = list(core.kept_versions(state))
        marked = [mark.prefix.committed for mark in state.marks.values()]
        held = {each.version: each for each in [*marked, *core.moments.pinned(state)]}
        held.update((each.version, each) for each in [*versions, state.committed])
    return [held[version] for version in sorted(held, reverse=True)]


class Census:
    """The blocks of all states, counted. Reads every node once.

    Attributes:
        live: bytes of each segment, by number, that some state needs.
        damage: what could not be read.
        unknown: what lies below damage, and what belongs to streams whose creation is lost, is in segments
            up to this number.
    """

    def __init__(self, core: Core) -> None:
        self.live = Counter[int]()
        self.damage: list[Damaged] = []
        self.unknown = max((root.segment for root in core.catalog.unowned()), default=0)
        self._segments = core.segments
        with core.lock:
            states = list(core.streams)
        for state in states:
            core.check_open()
            self._count([each.root for each in held_states(core, state) if each.root is not None], state)

    def _count(self, roots: list[Address], state: StreamState) -> None:
        met = set[tuple[int, int]]()
        waiting = [(root, False) for root in roots]
        while waiting:
            address, is_leaf = waiting.pop()
            if address[:2] not in met:
                met.add(address[:2])
                self.live[address[0]] += HEADER_BYTES + address[2]
                if not is_leaf:
                    waiting += self._below(address, state)

    def _below(self, address: Address, state: StreamState) -> list[tuple[Address, bool]]:
        try:
            block = self._segments.read_header(address)
            found = references(block.type, block.head)
        except Damaged as error:
            complete(error, state)
            self.damage.append(error)
            self.unknown = max(self.unknown, address[0])
            return []
        return [(reference.address, reference.is_leaf) for reference in found]
