"""What a stream is called: its collection, tags and annotations, the rules for names, and how they change.

The rules are BTrDB's: tags tell the streams of a collection apart, annotations are free, and every change
counts up the property version, by which two people changing the same stream notice each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from otrdb.errors import (
    InvalidArgument,
    InvalidCollection,
    InvalidTagKey,
    InvalidTagValue,
    PropertyVersionMismatch,
)

if TYPE_CHECKING:
    from otrdb.model import Kind

FIRST_PROPERTY_VERSION: Final = 1
"""Property version of a stream as it was created."""

MAX_COLLECTION_BYTES: Final = 255
MAX_KEY_BYTES: Final = 63
MAX_ANNOTATION_KEY_BYTES: Final = 255
MAX_VALUE_CHARACTERS: Final = 255

_TAG_KEY: Final = re.compile(r"[a-z][a-z0-9_.]*", re.ASCII)

Properties: TypeAlias = Mapping[str, str]
Pattern: TypeAlias = Mapping[str, str | None]
"""Properties to look for: a value must be equal, and None means that the key is there."""
Changes: TypeAlias = Mapping[str, str | None]
"""Properties to set; None removes the key."""
Identity: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""Collection and all tags, sorted: no two streams of an archive have the same."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything known of a stream but its points. Never changed: `updated` gives a new one.

    Made with `Metadata.new`, which checks names; the plain constructor trusts what was stored.
    """

    uuid: UUID
    kind: Kind
    collection: str
    tags: Properties
    annotations: Properties
    property_version: int = FIRST_PROPERTY_VERSION

    @classmethod
    def new(
        cls,
        uuid: UUID,
        kind: Kind,
        collection: str,
        tags: Properties | None = None,
        annotations: Properties | None = None,
    ) -> Metadata:
        """Metadata of a new stream. Raises InvalidCollection, InvalidTagKey, InvalidTagValue; InvalidArgument
        for a uuid that is none.

        Example:
            >>> from uuid import UUID
            >>> from otrdb.model import Kind
            >>> Metadata.new(UUID(int=7), Kind.INT, "plant/line1", {"name": "pulses"}).name
            'pulses'
        """
        if not isinstance(uuid, UUID):
            raise InvalidArgument(f"{uuid!r} is no uuid.", advice="Give a uuid.UUID.")
        check_collection(collection)
        return cls(uuid, kind, collection, _checked_tags(tags or {}), _checked_annotations(annotations or {}))

    @property
    def name(self) -> str:
        """The tag "name", or empty."""
        return self.tags.get("name", "")

    @property
    def path(self) -> str:
        """Collection and name with a slash between them; the collection alone where there is no name."""
        return f"{self.collection}/{self.name}" if self.name else self.collection

    @property
    def unit(self) -> str:
        """The tag "unit", or empty."""
        return self.tags.get("unit", "")

    @property
    def identity(self) -> Identity:
        """What no other stream of the archive may share."""
        return self.collection, tuple(sorted(self.tags.items()))

    @property
    def order(self) -> tuple[str, str, UUID]:
        """The place among other streams in a listing: by collection, name and uuid."""
        return self.collection, self.name, self.uuid

    def matches(self, tags: Pattern | None = None, annotations: Pattern | None = None) -> bool:
        """Whether all these tags and annotations are among the stream's own; None as a value: any.

        Example:
            >>> from uuid import UUID
            >>> from otrdb.model import Kind
            >>> Metadata.new(UUID(int=7), Kind.INT, "plant", {"name": "pulses"}).matches({"name": None})
            True
        """
        return _has(self.tags, tags or {}) and _has(self.annotations, annotations or {})

    def updated(
        self,
        *,
        tags: Changes | None = None,
        annotations: Changes | None = None,
        collection: str | None = None,
        expected: int = 0,
        remove_tags: Iterable[str] = (),
        remove_annotations: Iterable[str] = (),
    ) -> Metadata:
        """The metadata after a change, one property version on.

        Keys are removed first and then set; removing a key that is not there is no error. A `collection` of
        None or "" stays as it is. Raises PropertyVersionMismatch unless `expected` is 0 or the current
        property version, and the errors of `new`.
        """
        if expected not in (0, self.property_version):
            raise PropertyVersionMismatch(f"The property version is {self.property_version}, not {expected}.")
        return replace(
            self,
            collection=check_collection(collection) if collection else self.collection,
            tags=_checked_tags(_changed(self.tags, tags or {}, remove_tags)),
            annotations=_checked_annotations(
                _changed(self.annotations, annotations or {}, remove_annotations)
            ),
            property_version=self.property_version + 1,
        )


def check_collection(collection: str) -> str:
    """`collection`, or InvalidCollection unless it is text of 1 to 255 bytes of UTF-8 without NUL."""
    if not 1 <= _size(collection) <= MAX_COLLECTION_BYTES:
        raise InvalidCollection(f"{collection!r} cannot be a collection.")
    return collection


def check_tag_key(key: str) -> str:
    """`key`, or InvalidTagKey unless it is 1 to 63 of a-z, 0-9, "_" and ".", a letter first."""
    if not 1 <= _size(key) <= MAX_KEY_BYTES or not _TAG_KEY.fullmatch(key):
        raise InvalidTagKey(f"{key!r} cannot be the key of a tag.")
    return key


def check_annotation_key(key: str) -> str:
    """`key`, or InvalidTagKey unless it is text of 1 to 255 bytes of UTF-8 without NUL."""
    if not 1 <= _size(key) <= MAX_ANNOTATION_KEY_BYTES:
        raise InvalidTagKey(
            f"{key!r} cannot be the key of an annotation.", advice="It is 1 to 255 bytes of text without NUL."
        )
    return key


def check_property_value(value: str) -> str:
    """`value`, or InvalidTagValue unless it is text of at most 255 characters without NUL."""
    if _size(value) < 0 or len(value) > MAX_VALUE_CHARACTERS:
        raise InvalidTagValue(f"{value!r} cannot be the value of a tag or annotation.")
    return value


def _size(text: object) -> int:
    """Bytes of UTF-8 in `text`; -1 for what is no text, has a NUL or cannot be encoded."""
    if not isinstance(text, str) or "\0" in text:
        return -1
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return -1


def _checked_tags(tags: Properties) -> dict[str, str]:
    return {check_tag_key(key): check_property_value(tags[key]) for key in sorted(tags, key=str)}


def _checked_annotations(annotations: Properties) -> dict[str, str]:
    return {
        check_annotation_key(key): check_property_value(annotations[key])
        for key in sorted(annotations, key=str)
    }


def _changed(old: Properties, changes: Changes, removed: Iterable[str]) -> dict[str, str]:
    gone = {*removed, *(key for key, value in changes.items() if value is None)}
    kept = {key: value for key, value in old.items() if key not in gone}
    return kept | {key: value for key, value in changes.items() if value is not None}


def _has(properties: Properties, pattern: Pattern) -> bool:
    return all(key in properties and value in (None, properties[key]) for key, value in pattern.items())


class Described:
    """The properties of a stream's handle that its `metadata`, as it is now, tells."""

    __slots__ = ()

    @property
    def metadata(self) -> Metadata:
        """All of them, of one moment."""
        raise NotImplementedError

    @property
    def collection(self) -> str:
        """The collection the stream is in."""
        return self.metadata.collection

    @property
    def tags(self) -> dict[str, str]:
        """The tags, a copy."""
        return dict(self.metadata.tags)

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations, a copy."""
        return dict(self.metadata.annotations)

    @property
    def property_version(self) -> int:
        """Starts at 1; every successful `update` adds 1."""
        return self.metadata.property_version

    @property
    def name(self) -> str:
        """The tag "name", or empty."""
        return self.metadata.name

    @property
    def unit(self) -> str:
        """The tag "unit", or empty."""
        return self.metadata.unit
