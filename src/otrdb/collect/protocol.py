"""What a collector is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otrdb.model import Kind


class Source(NamedTuple):
    """Something that is measured again and again, and so a stream.

    `collection` is relative to the collector's own; `collection` and `name` together tell it from the others.
    """

    collection: str
    name: str
    kind: Kind
    unit: str = ""


class Reading(NamedTuple):
    """One measured value, of its source's kind."""

    source: Source
    value: float | int | bool


class Round(NamedTuple):
    """What was measured at one moment, and what could not be and why."""

    readings: Sequence[Reading]
    faults: Sequence[str] = ()


class Collector(Protocol):
    """Measures when asked. Sources may come and go from round to round."""

    def read(self) -> Round:
        """Measures everything once, quickly enough to be called every round.

        A sensor that fails is a fault of the round, not an error: the others are still measured.
        """
        ...
