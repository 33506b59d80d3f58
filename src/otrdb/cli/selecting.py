"""Finding the stream that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from otrdb.errors import AmbiguousStream, InvalidArgument, NoSuchStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otrdb.interface import ArchiveLike, StreamLike

_SHOWN: Final = 5


class Selector(NamedTuple):
    """A stream as it was typed: uuid, COLLECTION/NAME or COLLECTION, and the tags asked for."""

    text: str
    tags: dict[str, str]


def path_of(stream: StreamLike) -> str:
    """`collection/name`, or the collection alone where there is no name."""
    return f"{stream.collection}/{stream.name}" if stream.name else stream.collection


def labels_of(streams: Sequence[StreamLike]) -> list[str]:
    """A text for each stream that names it alone among them: its path, or its uuid where that is shared."""
    paths = [path_of(stream) for stream in streams]
    return [
        path if paths.count(path) == 1 else str(stream.uuid)
        for path, stream in zip(paths, streams, strict=True)
    ]


def parse_pairs(texts: Iterable[str], what: str) -> dict[str, str]:
    """`KEY=VALUE` texts as a dict; `what` names them in the error.

    Example:
        >>> parse_pairs(["name=a", "unit=m/s"], "tag")
        {'name': 'a', 'unit': 'm/s'}
    """
    pairs = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise InvalidArgument(f"{text!r} is no {what}.", advice="Write it as KEY=VALUE.")
        pairs[key] = value
    return pairs


def find_stream(archive: ArchiveLike, selector: Selector) -> StreamLike:
    """The one stream a selector means; NoSuchStream or AmbiguousStream otherwise."""
    if (uuid := _uuid(selector.text)) is not None:
        return archive.stream(uuid)
    found = {stream.uuid: stream for stream in _candidates(archive, selector)}
    if not found:
        raise NoSuchStream(f"No stream is called {_spoken(selector)}.")
    if len(found) > 1:
        raise AmbiguousStream(
            f"{len(found)} streams are called {_spoken(selector)}: {_listed(found.values())}."
        )
    return next(iter(found.values()))


def find_streams(archive: ArchiveLike, texts: Sequence[str], prefixes: Sequence[str]) -> list[StreamLike]:
    """The streams named one by one, then all whose collection starts with a prefix; each once."""
    streams = [find_stream(archive, Selector(text, {})) for text in texts]
    for prefix in prefixes:
        under = archive.streams(prefix)
        if not under:
            raise NoSuchStream(f"No collection begins with {prefix!r}.")
        streams += under
    return list({stream.uuid: stream for stream in streams}.values())


def _candidates(archive: ArchiveLike, selector: Selector) -> Iterator[StreamLike]:
    """Streams in the collection of that name, and those whose collection and name are its two parts."""
    text, tags = selector
    yield from archive.streams(collection=text, tags=tags)
    for position, character in enumerate(text):
        if character == "/":  # both collections and names may hold slashes
            name = {"name": text[position + 1 :]}
            yield from archive.streams(collection=text[:position], tags=tags | name)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _spoken(selector: Selector) -> str:
    tags = "".join(f" with {key}={value}" for key, value in selector.tags.items())
    return f"{selector.text!r}{tags}"


def _listed(streams: Iterable[StreamLike]) -> str:
    texts = [f"{stream.uuid} ({path_of(stream)})" for stream in streams]
    more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return ", ".join(texts[:_SHOWN] + more)
