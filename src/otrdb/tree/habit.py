"""What pcodec found for the values of one leaf, tried for the next ones of the same stream.

Looking for the mode and the delta order of values takes pcodec a quarter of its time, and a stream seldom
changes its nature. A habit names what was found, read from the metadata of the leaf that was searched for
(https://github.com/pcodec/pcodec/blob/main/docs/format.md, "Chunk Metadata"). It is given up when a leaf
comes out larger than it should, and after some leaves, to see whether something better is found: what a
better search would have found meanwhile is the price.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from pcodec import DeltaSpec, ModeSpec

_LEAVES: Final = 8
"""Leaves a habit serves before the next search."""
_LARGER: Final = 1.03
"""More bytes for a point than that times what the search gave: the habit does not fit any more."""
TELLING: Final = 1_024
"""Points: what is found for fewer says little of the next leaves."""

_MODE_BITS: Final = 4
_BASE_BITS: Final = {0: 0, 1: 64, 2: 64, 3: 8}
"""By mode: bits of its parameter. Others are not named."""
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1


class Specs(NamedTuple):
    """What a chunk is to be coded with."""

    mode: ModeSpec
    delta: DeltaSpec


AUTO: Final = Specs(ModeSpec.auto(), DeltaSpec.auto())
"""pcodec searches for both."""


class Habit:
    """The specs of the leaves of one tree. Threads may share it: each leaf is coded right with any specs."""

    def __init__(self) -> None:
        self._specs = AUTO
        self._size = 0.0
        self._left = 0
        """Leaves it still serves, or below zero: those that are searched without it."""

    def specs(self) -> Specs:
        """What to code the next leaf with."""
        if self._left <= 0:
            self._left += self._left < 0
            return AUTO
        self._left -= 1
        return self._specs

    def fits(self, size: float) -> bool:
        """Whether a leaf coded by it, of ``size`` bytes a point, may stay so. If not, it rests for a while: a
        stream that grows harder to code would be coded twice each time.
        """
        if size <= _LARGER * self._size:
            return True
        self._left = -_LEAVES
        return False

    def learn(self, meta: bytes, size: float) -> None:
        """What a search found: the chunk's metadata, and bytes a point."""
        self._specs, self._size = found(meta), size
        if self._left == 0:
            self._left = _LEAVES


def found(meta: bytes) -> Specs:
    """The specs that a chunk's metadata (of 64-bit numbers) tells of; `AUTO` for what cannot be named.

    A leaf stored raw has no metadata: nothing was found.
    """
    if not meta:
        return AUTO
    bits = int.from_bytes(meta[:16], "little")
    mode = bits & 15
    width = _BASE_BITS.get(mode)
    if width is None:
        return AUTO
    bits >>= _MODE_BITS
    delta = _delta(bits >> width)
    return AUTO if delta is None else Specs(_mode(mode, bits & ((1 << width) - 1)), delta)


def _mode(mode: int, parameter: int) -> ModeSpec:
    if mode == 0:
        return ModeSpec.classic()
    if mode == 1:
        return ModeSpec.try_int_mult(parameter)
    if mode == 2:
        return ModeSpec.try_float_mult(_float(parameter))
    return ModeSpec.try_float_quant(parameter)


def _delta(bits: int) -> DeltaSpec | None:
    variant, order = bits & 15, bits >> 4 & 7
    if variant == 0:
        return DeltaSpec.no_op()
    return DeltaSpec.try_consecutive(order) if variant == 1 else None


def _float(ordered: int) -> float:
    """The float of a word whose order as an unsigned integer is the order of the floats."""
    word = ordered ^ _SIGN if ordered & _SIGN else ordered ^ _ALL
    return float(struct.unpack("<d", struct.pack("<Q", word))[0])
