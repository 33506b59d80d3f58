"""Which streams an archive has: who may be created, and how one is found.

In memory only. The archive that owns a registry first asks it whether a change is allowed, then makes the
change durable, and then tells the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from otrdb.errors import AmbiguousStream, InvalidArgument, NoSuchStream, RecycledUuid, StreamExists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otrdb.metadata import Identity, Metadata, Pattern


class Registry:
    """The metadata of all streams by uuid, by collection, and by collection and tags.

    Example:
        >>> from otrdb.model import Kind
        >>> registry = Registry()
        >>> from otrdb.metadata import Metadata
        >>> registry.add(Metadata.new(UUID(int=7), Kind.FLOAT, "plant", {"name": "heat"}))
        >>> registry.one("plant", {"name": "heat"}).uuid
        UUID('00000000-0000-0000-0000-000000000007')
    """

    def __init__(self) -> None:
        self._streams: dict[UUID, Metadata] = {}
        self._taken: dict[Identity, UUID] = {}
        self._collections: dict[str, dict[UUID, None]] = {}
        self._obliterated: set[UUID] = set()
        self._in_order: tuple[Metadata, ...] | None = None

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Metadata]:
        return iter(list(self._streams.values()))

    def __contains__(self, uuid: UUID) -> bool:
        return uuid in self._streams

    def __getitem__(self, uuid: UUID) -> Metadata:
        """The stream's metadata, or NoSuchStream."""
        try:
            return self._streams[uuid]
        except KeyError:
            raise NoSuchStream(f"There is no stream {uuid}.") from None

    def check_new(self, metadata: Metadata) -> None:
        """Whether a stream may be created: RecycledUuid, StreamExists, AmbiguousStream if not."""
        if metadata.uuid in self._obliterated:
            raise RecycledUuid(f"The stream {metadata.uuid} was obliterated.")
        if metadata.uuid in self._streams:
            raise StreamExists(f"There is a stream {metadata.uuid}.")
        self._check_identity(metadata)

    def check_change(self, metadata: Metadata) -> None:
        """Whether a stream's metadata may become this: NoSuchStream, AmbiguousStream if not."""
        _ = self[metadata.uuid]
        self._check_identity(metadata)

    def add(self, metadata: Metadata) -> None:
        """Takes in a new stream, which `check_new` allowed."""
        self._in_order = None
        self._streams[metadata.uuid] = metadata
        self._taken[metadata.identity] = metadata.uuid
        self._collections.setdefault(metadata.collection, {})[metadata.uuid] = None

    def change(self, metadata: Metadata) -> None:
        """Takes in a stream's new metadata, which `check_change` allowed."""
        self._remove(metadata.uuid)
        self.add(metadata)

    def obliterate(self, uuid: UUID) -> None:
        """Forgets a stream, and remembers that its uuid must not come again."""
        self._remove(uuid)
        self._obliterated.add(uuid)

    def bury(self, uuid: UUID) -> None:
        """Remembers a uuid that was obliterated before this registry knew it."""
        self._obliterated.add(uuid)

    def in_order(self) -> tuple[Metadata, ...]:
        """All streams by collection, name and uuid: the same tuple until one is added, changed or removed."""
        if self._in_order is None:
            self._in_order = tuple(sorted(self._streams.values(), key=lambda metadata: metadata.order))
        return self._in_order

    def find(
        self,
        prefix: str = "",
        collection: str | None = None,
        tags: Pattern | None = None,
        annotations: Pattern | None = None,
    ) -> list[Metadata]:
        """The streams whose collection starts with `prefix` (and is `collection`) and that match, in
        order."""
        names = self.collections(prefix) if collection is None else [collection]
        found = [
            self._streams[uuid]
            for name in names
            if name.startswith(prefix)
            for uuid in self._collections.get(name, ())
        ]
        matching = [metadata for metadata in found if metadata.matches(tags, annotations)]
        return sorted(matching, key=lambda metadata: metadata.order)

    def one(self, uuid_or_collection: UUID | str, tags: Pattern | None = None) -> Metadata:
        """The stream with that uuid, or the only one in that collection with these tags among its own.

        Text is a collection, unless no tags are given and it is the uuid of a stream.
        """
        if isinstance(uuid_or_collection, UUID):
            return self[uuid_or_collection]
        if not isinstance(uuid_or_collection, str):
            raise InvalidArgument(
                f"{uuid_or_collection!r} names no stream.", advice="Give a UUID or a collection."
            )
        by_uuid = None if tags else self._by_text(uuid_or_collection)
        return by_uuid or self._only(uuid_or_collection, tags or {})

    def collections(self, prefix: str = "") -> list[str]:
        """The collections that hold a stream and start with `prefix`, in order of their UTF-8 bytes."""
        return sorted(name for name in self._collections if name.startswith(prefix))

    def _by_text(self, text: str) -> Metadata | None:
        try:
            return self._streams.get(UUID(text))
        except ValueError:
            return None

    def _only(self, collection: str, tags: Pattern) -> Metadata:
        found = self.find(collection=collection, tags=tags)
        wanted = ", ".join(f"{key}={value!r}" for key, value in tags.items())
        where = f"in {collection!r}" + (f" with {wanted}" if tags else "")
        if not found:
            raise NoSuchStream(f"There is no stream {where}.")
        if len(found) > 1:
            raise AmbiguousStream(f"There are {len(found)} streams {where}.")
        return found[0]

    def _check_identity(self, metadata: Metadata) -> None:
        holder = self._taken.get(metadata.identity, metadata.uuid)
        if holder != metadata.uuid:
            raise AmbiguousStream(f"The stream {holder} has that collection and those tags.")

    def _remove(self, uuid: UUID) -> None:
        self._in_order = None
        old = self._streams.pop(uuid)
        # Where segments were given back, a stream may be met under a name that another has by now.
        if self._taken.get(old.identity) == uuid:
            del self._taken[old.identity]
        del self._collections[old.collection][uuid]
        if not self._collections[old.collection]:
            del self._collections[old.collection]
