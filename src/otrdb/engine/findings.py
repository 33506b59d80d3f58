"""Damage, in the words of a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import Damaged
from otrdb.results import Finding

if TYPE_CHECKING:
    from otrdb.storage.journal_scan import LostRecords

    from .core import Core
    from .state import StreamState


def damage_found(damage: Damaged) -> Finding:
    """Damage in a segment."""
    return Finding(damage.code, damage.message, damage.stream, damage.start, damage.end)


def found_in(state: StreamState, finding: Finding) -> Finding:
    """A finding that concerns this stream."""
    metadata = state.metadata
    return finding._replace(stream=metadata.uuid, collection=metadata.collection, name=metadata.name)


def stream_lost(number: int) -> Finding:
    """A stream of which the record that created it cannot be read any more."""
    text = f"The record that created stream number {number} is lost: what the stream holds cannot be reached."
    return Finding(Damaged.code, text)


def records_lost(core: Core, lost: LostRecords) -> Finding:
    """Acknowledged records that the journal no longer holds."""
    states = [core.streams.number(number) for number in lost.numbers]
    names = ", ".join(
        f"{state.metadata.path} ({state.metadata.uuid})" for state in states if state is not None
    )
    text = (
        f"Journal file {lost.file} is damaged at {lost.offset}: acknowledged points "
        f"between LSN {lost.after} and {lost.before} are lost" + (f", of streams {names}." if names else ".")
    )
    finding = Finding(Damaged.code, text, None, lost.start, lost.end)
    return found_in(states[0], finding) if len(states) == 1 and states[0] is not None else finding
