"""The streams of a baseline archive and what they are called, kept in one log of JSON records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from otrdb.baseline.log import RecordLog
from otrdb.errors import InternalError, InvalidArgument, NoSuchSnapshot
from otrdb.metadata import Metadata
from otrdb.model import Kind
from otrdb.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path


class Catalog:
    """A durable registry of streams, and of named snapshots. Every change is synced before it returns."""

    def __init__(self, path: Path) -> None:
        self.registry = Registry()
        self.numbers: dict[UUID, int] = {}
        """A small number for each stream, never used again."""
        self.snapshots: dict[str, dict[UUID, int]] = {}
        """The version of each stream in each named snapshot."""
        self._next_number = 0
        self._log = RecordLog(path)
        self._log.recover(lambda payload: self._apply(json.loads(payload)))

    def create(self, metadata: Metadata) -> None:
        """Adds a stream, which the registry allowed."""
        self._record({"create": _to_json(metadata), "number": self._next_number})

    def change(self, metadata: Metadata) -> None:
        """Gives a stream new metadata, which the registry allowed."""
        self._record({"change": _to_json(metadata)})

    def obliterate(self, uuid: UUID) -> None:
        """Forgets a stream for ever."""
        self._record({"obliterate": str(uuid)})

    def keep_snapshot(self, name: str, versions: dict[UUID, int]) -> None:
        """Keeps a version of each stream under a name."""
        if not name or name in self.snapshots:
            raise InvalidArgument(
                f"{name!r} cannot name a new snapshot.", advice="Give a name that is not empty and not taken."
            )
        self._record(
            {"snapshot": name, "versions": {str(uuid): version for uuid, version in versions.items()}}
        )

    def drop_snapshot(self, name: str) -> None:
        """Forgets a named snapshot."""
        self.snapshot(name)
        self._record({"drop": name})

    def snapshot(self, name: str) -> dict[UUID, int]:
        """The version of each stream in the snapshot of that name."""
        if name not in self.snapshots:
            known = ", ".join(map(repr, sorted(self.snapshots))) or "none"
            raise NoSuchSnapshot(f"There is no snapshot {name!r}.", advice=f"There is {known}.")
        return self.snapshots[name]

    def size(self) -> int:
        """Bytes on disk."""
        return self._log.size

    def close(self) -> None:
        """Lets go of the file."""
        self._log.release()

    def _record(self, entry: dict[str, Any]) -> None:
        self._log.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode())
        self._log.sync()
        self._apply(entry)

    def _apply(self, entry: dict[str, Any]) -> None:
        match entry:
            case {"create": fields, "number": number}:
                metadata = _from_json(fields)
                self.registry.add(metadata)
                self.numbers[metadata.uuid] = number
                self._next_number = number + 1
            case {"change": fields}:
                self.registry.change(_from_json(fields))
            case {"obliterate": text}:
                self.registry.obliterate(UUID(text))
                del self.numbers[UUID(text)]
            case {"snapshot": name, "versions": versions}:
                self.snapshots[name] = {UUID(text): version for text, version in versions.items()}
            case {"drop": name}:
                del self.snapshots[name]
            case _:
                raise InternalError(f"The catalog holds an entry of {sorted(entry)}.")


def _to_json(metadata: Metadata) -> dict[str, Any]:
    return {
        "uuid": str(metadata.uuid),
        "kind": metadata.kind.value,
        "collection": metadata.collection,
        "tags": metadata.tags,
        "annotations": metadata.annotations,
        "property_version": metadata.property_version,
    }


def _from_json(fields: dict[str, Any]) -> Metadata:
    return Metadata(**{**fields, "uuid": UUID(fields["uuid"]), "kind": Kind(fields["kind"])})
