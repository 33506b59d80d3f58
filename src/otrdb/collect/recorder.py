"""Rounds into streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrdb.errors import AmbiguousStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otrdb.collect.holding import Taken
    from otrdb.collect.protocol import Source
    from otrdb.interface import ArchiveLike, StreamLike


class Recorder:
    """Stores rounds under a collection. Streams that are there already go on, others are made when first
    seen."""

    def __init__(self, archive: ArchiveLike, collection: str) -> None:
        self.archive = archive
        self.collection = collection
        self._streams: dict[Source, StreamLike] = {}

    @property
    def streams(self) -> Mapping[Source, StreamLike]:
        """The streams of the sources stored so far."""
        return self._streams

    def store(self, rounds: Sequence[Taken]) -> int:
        """Stores all readings as one atomic batch, and returns how many points that were."""
        batch: dict[StreamLike, tuple[list[int], list[float | int | bool]]] = {}
        for time, readings in rounds:
            for source, value in readings:
                times, values = batch.setdefault(self._stream(source), ([], []))
                times.append(time)
                values.append(value)
        return self.archive.insert(batch).points if batch else 0

    def _stream(self, source: Source) -> StreamLike:
        if source not in self._streams:
            self._streams[source] = self._find(source) or self._make(source)
        return self._streams[source]

    def _place(self, source: Source) -> str:
        return f"{self.collection}/{source.collection}"

    def _find(self, source: Source) -> StreamLike | None:
        found = self.archive.streams(collection=self._place(source), tags={"name": source.name})
        if len(found) > 1:
            raise AmbiguousStream(
                f"{len(found)} streams of {self._place(source)!r} have the name {source.name!r}.",
                advice="Obliterate those that are not the collector's, or choose another --collection.",
            )
        return found[0] if found else None

    def _make(self, source: Source) -> StreamLike:
        tags = {"name": source.name} | ({"unit": source.unit} if source.unit else {})
        return self.archive.create(self._place(source), kind=source.kind, tags=tags)
