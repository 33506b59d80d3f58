"""What the library answers with, as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from otrdb.wire import otrdb as wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otrdb import Finding, LeftOut


def left_out(lacking: Iterable[LeftOut]) -> list[wire.LeftOut]:
    """What an answer lacks."""
    return [wire.LeftOut(**in_fields(lack._asdict())) for lack in lacking]


def findings(found: Iterable[Finding]) -> list[wire.Finding]:
    """What a check found."""
    return [wire.Finding(**in_fields(finding._asdict())) for finding in found]


def in_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value, a uuid as its bytes."""
    return {
        name: value.bytes if isinstance(value, UUID) else value
        for name, value in fields.items()
        if value is not None
    }
