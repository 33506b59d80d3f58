"""Which column goes into which stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa

from otrdb.cli.importing.cells import guessable, read_values
from otrdb.errors import AmbiguousStream, InvalidArgument, NoSuchStream, WrongKind
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from otrdb.cli.importing.batches import Source
    from otrdb.cli.importing.cells import Prepared, Values
    from otrdb.cli.importing.origins import Origin
    from otrdb.interface import ArchiveLike, StreamLike

_TIME_NAMES: Final = frozenset(
    {"time", "timestamp", "datetime", "date_time", "date", "ts", "t", "_time", "utc"}
)


class PlanRules(NamedTuple):
    """What the user said about streams. `kinds` and `units` are by column; the kind of "" is that of all
    others."""

    collection: str | None = None
    paths: bool = False
    kinds: Mapping[str, Kind] = {}
    units: Mapping[str, str] = {}
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    time_column: str | None = None


@dataclass(slots=True)
class Target:
    """The stream a column goes into: the one of `uuid`, or one that will be made.

    One that was `exported` is made even without points, with the uuid it had, `given`, if that is told.
    `kinds` are those that all values seen so far have in common, narrowest first.
    """

    collection: str
    tags: dict[str, str]
    annotations: dict[str, str]
    kinds: list[Kind]
    uuid: UUID | None = None
    lenient: bool = False
    points: int = 0
    exported: bool = False
    given: UUID | None = None

    @property
    def path(self) -> str:
        """What the stream is called."""
        return f"{self.collection}/{self.tags['name']}" if "name" in self.tags else self.collection

    @property
    def known(self) -> bool:
        """Whether the stream is there, or will be by the files before this one."""
        return self.uuid is not None or self.points > 0

    @property
    def wanted(self) -> bool:
        """Whether there will be such a stream."""
        return self.points > 0 or self.exported

    @property
    def kind(self) -> Kind:
        """The narrowest kind that holds all values seen so far; float if there were none."""
        return self.kinds[0] if self.points else self.kinds[-1]

    def narrow(self, cells: Prepared) -> Values:
        """Reads some of the column up to the first bad cell, and drops the kinds it cannot have."""
        read = {kind: read_values(cells, kind, lenient=self.lenient, most=1) for kind in self.kinds}
        clean = [kind for kind, values in read.items() if not values.bad.any()]
        if clean:
            self.kinds = clean
            return read[clean[0]]
        return max(read.values(), key=lambda values: int(values.bad.argmax()))

    def salvage(self, cells: Prepared) -> Values:
        """Reads what can be read, as the kinds with the fewest bad cells, and keeps only those kinds."""
        best: dict[Kind, Values] = {}
        fewest = None
        for kind in reversed(self.kinds):  # the widest kind has few, which limits the search for the others
            values = read_values(
                cells, kind, lenient=self.lenient, most=None if fewest is None else fewest + 1
            )
            bad = int(values.bad.sum())
            if fewest is None or bad < fewest:
                best, fewest = {}, bad
            if bad == fewest:
                best[kind] = values
        self.kinds = [kind for kind in self.kinds if kind in best]
        return best[self.kinds[0]]


@dataclass(slots=True)
class FilePlan:
    """Where the columns of one file go."""

    source: Source
    time_column: str
    targets: dict[str, Target]


@dataclass(slots=True)
class Planner:
    """Assigns columns to streams. Columns of several files that are called alike go into one stream."""

    archive: ArchiveLike | None
    rules: PlanRules
    _targets: dict[UUID | tuple[str, frozenset[tuple[str, str]]], Target] = field(default_factory=dict)

    def plan(self, source: Source) -> FilePlan:
        """Where each column of a file goes; nothing is made yet."""
        time_column = self._time_column(source)
        types = source.types
        columns = [name for name in self._wanted(source) if name != time_column]
        targets = {name: self._target(source, name, types[name]) for name in columns}
        if not targets:
            raise InvalidArgument(f"{source.path} has no column of values beside {time_column!r}.")
        shared = [target.path for target in targets.values()]
        if len({target.uuid or id(target) for target in targets.values()}) < len(shared):
            raise AmbiguousStream(
                f"{source.path}: two columns go into one stream, out of {', '.join(shared)}."
            )
        return FilePlan(source, time_column, targets)

    def _time_column(self, source: Source) -> str:
        if (given := self.rules.time_column) is not None:
            if given in source.names:
                return given
            if given.isdecimal() and 1 <= int(given) <= len(source.names):
                return source.names[int(given) - 1]
            raise _no_column(source, given)
        typed = [name for name, form in source.types.items() if _is_time(form)]
        named = [name for name in source.names if name.lower() in _TIME_NAMES]
        return next(iter(typed + named + source.names))

    def _wanted(self, source: Source) -> list[str]:
        only, skip = self.rules.only, self.rules.skip
        return [name for name in source.names if (not only or name in only) and name not in skip]

    def _target(self, source: Source, column: str, form: pa.DataType) -> Target:
        origin = source.origins.get(column)
        collection, tags = self._identity(source, column, origin)
        key = self._uuid(origin) or (collection, frozenset(tags.items()))
        if key not in self._targets:
            self._targets[key] = self._new_target(column, collection, tags, origin)
        target = self._targets[key]
        if not target.kinds:
            target.kinds = list(guessable(form))
        if not target.kinds:
            raise WrongKind(
                f"{source.path}: column {column!r} is of type {form}, and holds no numbers.",
                advice=f"Leave it out with --skip '{column}'.",
            )
        return target

    def _identity(self, source: Source, column: str, origin: Origin | None) -> tuple[str, dict[str, str]]:
        """The collection and tags by which a stream is looked for."""
        if origin is not None:
            return self.rules.collection or origin.collection, origin.tags
        if self.rules.paths:
            collection, slash, name = column.rpartition("/")
            return (collection, {"name": name}) if slash else (column, {})
        return self.rules.collection or source.path.name.split(".")[0], {"name": column}

    def _uuid(self, origin: Origin | None) -> UUID | None:
        """The uuid of an exported stream. In a collection that the user names it would be another stream."""
        return None if origin is None or self.rules.collection is not None else origin.identity

    def _new_target(
        self, column: str, collection: str, tags: dict[str, str], origin: Origin | None
    ) -> Target:
        unit = self.rules.units.get(column)
        uuid = self._uuid(origin)
        stream = self._known(uuid) or self._existing(collection, tags, exact=origin is not None)
        if stream is not None:
            if unit not in (None, stream.unit):
                raise InvalidArgument(f"{collection}/{column} has the unit {stream.unit!r}, not {unit!r}.")
            return Target(
                stream.collection, stream.tags, stream.annotations, [stream.kind], stream.uuid, lenient=True
            )
        given = self.rules.kinds.get(column, self.rules.kinds.get(""))
        exported = None if origin is None else Kind(origin.kind)
        kind = given or exported
        return Target(
            collection,
            tags | ({} if unit is None else {"unit": unit}),
            {} if origin is None else origin.annotations,
            [] if kind is None else [kind],
            lenient=kind is not None,
            exported=origin is not None,
            given=uuid,
        )

    def _known(self, uuid: UUID | None) -> StreamLike | None:
        if self.archive is None or uuid is None:
            return None
        try:
            return self.archive.stream(uuid)
        except NoSuchStream:
            return None

    def _existing(self, collection: str, tags: Mapping[str, str], *, exact: bool) -> StreamLike | None:
        if self.archive is None:
            return None
        found = self.archive.streams(collection=collection, tags=dict(tags))
        matching = [stream for stream in found if not exact or stream.tags == tags]
        if len(matching) > 1:
            raise AmbiguousStream(
                f"{len(matching)} streams of {collection!r} have the tags {dict(tags)}.", advice=""
            )
        return matching[0] if matching else None


def check_mentioned(sources: Sequence[Source], rules: PlanRules) -> None:
    """InvalidArgument if an option speaks of a column that no file has: a slip that would otherwise go
    unseen."""
    there = {name for source in sources for name in source.names}
    for name in [*rules.kinds, *rules.units, *rules.only, *rules.skip]:
        if name and name not in there:
            raise _no_column(sources[0], name)


def _no_column(source: Source, name: str) -> InvalidArgument:
    return InvalidArgument(
        f"There is no column {name!r}.", advice=f"{source.path} has {', '.join(map(repr, source.names))}."
    )


def _is_time(form: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(form) or pa.types.is_date(form))
