"""A stateful model for Hypothesis: any archiver, driven at random beside a plain model, answers as that does.

Needs Hypothesis: ``pip install otrdb[testing]``.

Example:
    >>> import otrdb
    >>> from hypothesis import settings
    >>> from hypothesis.stateful import run_state_machine_as_test
    >>> from otrdb.testing.stateful import machine
    >>> short = settings(max_examples=2, stateful_step_count=5, deadline=None, database=None)
    >>> run_state_machine_as_test(machine(otrdb.open), settings=short)
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from otrdb.errors import BadValue, NoSuchStream, OtrError, RecycledUuid, VersionNotAvailable, WrongKind
from otrdb.interface import ArchiveLike, ReadsLike, StreamLike
from otrdb.model import LAST_TIME, MAX_TIME, MIN_TIME, Kind, Merge
from otrdb.results import ALL_COLUMNS
from otrdb.testing import model
from otrdb.testing.model import State, StreamModel
from otrdb.testing.power_cuts import MEMORY
from otrdb.testing.strategies import LARGE, SMALL, Batch, batches, ranges

Factory: TypeAlias = Callable[[Path], ArchiveLike]
"""Opens the archive in a directory, or creates it."""

MAX_STREAMS = 3
MOST_WINDOWS = 1_500
MERGES: Any = st.sampled_from([merge.value for merge in Merge])
SEEDS = st.integers(0, 1 << 30)


@contextlib.contextmanager
def _refused(error: type[OtrError]) -> Iterator[None]:
    """What is done in the block must raise this."""
    try:
        yield
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised")


class ArchiveMachine(RuleBasedStateMachine):
    """One archive, its streams, and a model of each. Every rule is a promise of the public surface.

    A subclass, as `machine` makes it, has the `factory` that opens an archive.
    """

    factory: ClassVar[Factory]

    def __init__(self) -> None:
        super().__init__()
        parent = MEMORY if MEMORY.is_dir() else None
        self.directory = Path(tempfile.mkdtemp(dir=parent))
        self.db = type(self).factory(self.directory / "archive.otr")
        self.created = 0
        self.models: dict[UUID, StreamModel] = {}
        self.snapshots: list[tuple[Any, dict[UUID, State]]] = []

    def teardown(self) -> None:
        """Compare everything once more, and let go of the directory."""
        try:
            for uuid in self.models:
                self.compare_points(self.stream(uuid), self.models[uuid].state, MIN_TIME, MAX_TIME)
            assert list(self.db.check()) == []
        finally:
            self.db.close()
            shutil.rmtree(self.directory)

    # What the rules choose from

    def stream(self, uuid: UUID) -> StreamLike:
        """A handle of a stream."""
        return self.db.stream(uuid)

    def pick(self, data: st.DataObject) -> tuple[StreamLike, StreamModel]:
        """One stream and its model."""
        uuid = data.draw(st.sampled_from(list(self.models)))
        return self.stream(uuid), self.models[uuid]

    def pick_version(self, data: st.DataObject) -> tuple[ReadsLike, State, StreamModel]:
        """The latest, or a version somebody was told of."""
        stream, known = self.pick(data)
        version = data.draw(st.sampled_from([0, *known.readable]))
        return (
            (stream.at(version), known.versions[version], known) if version else (stream, known.state, known)
        )

    # Changing things

    @initialize(kinds=st.lists(st.sampled_from(Kind), min_size=1, max_size=MAX_STREAMS))
    def create_some(self, kinds: list[Kind]) -> None:
        """Begin with some streams."""
        for kind in kinds:
            self.create_one(kind)

    @precondition(lambda self: len(self.models) < MAX_STREAMS)
    @rule(kind=st.sampled_from(Kind))
    def create(self, kind: Kind) -> None:
        """Create one more."""
        self.create_one(kind)

    def create_one(self, kind: Kind) -> None:
        """Create a stream, and its model."""
        self.created += 1
        name = f"sensor {self.created}"
        stream = self.db.create("plant", kind=kind, tags={"name": name}, uuid=UUID(int=self.created))
        self.models[stream.uuid] = StreamModel(kind)
        assert stream.version == max(self.models[stream.uuid].versions)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), merge=MERGES)
    def insert(self, data: st.DataObject, merge: Any) -> None:
        """Insert a small batch."""
        self.insert_one(data, merge, SMALL)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), merge=MERGES)
    def insert_again(self, data: st.DataObject, merge: Any) -> None:
        """Several batches in a row, which may all be pending."""
        for _ in range(data.draw(st.integers(2, 4))):
            self.insert_one(data, merge, SMALL)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), merge=MERGES)
    def insert_much(self, data: st.DataObject, merge: Any) -> None:
        """Insert a large batch."""
        self.insert_one(data, merge, LARGE)

    def insert_one(self, data: st.DataObject, merge: Any, sizes: st.SearchStrategy[int]) -> None:
        """Insert a batch, under any merge policy."""
        stream, known = self.pick(data)
        batch = data.draw(batches(known.kind, sizes, known.state.times))
        inserted = stream.insert(batch.times, batch.values, merge=merge)
        known.insert(*batch, merge)
        assert inserted.version >= max(known.versions)
        assert 0 <= inserted.pending <= known.pending
        if not inserted.pending:
            known.told(inserted.version)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), sizes=st.lists(st.integers(1, 300), min_size=2, max_size=6), merge=MERGES)
    def trickle(self, data: st.DataObject, sizes: list[int], merge: Any) -> None:
        """Small commits of points behind the newest."""
        stream, known = self.pick(data)
        for size in sizes:
            newest = int(known.state.times[-1]) if len(known.state.times) else 0
            times = np.minimum(newest + np.arange(size) * (size % 3), LAST_TIME)
            values = (np.arange(size) % 5).astype(known.kind.dtype)
            stream.insert(times, values, merge=merge)
            known.insert(times, values, merge)
            known.told(stream.flush())

    @precondition(lambda self: self.models)
    @rule(data=st.data(), merge=MERGES)
    def insert_into_many(self, data: st.DataObject, merge: Any) -> None:
        """Insert one batch into all streams."""
        drawn = {
            uuid: data.draw(batches(known.kind, SMALL, known.state.times))
            for uuid, known in self.models.items()
        }
        inserted = self.db.insert({self.stream(uuid): batch for uuid, batch in drawn.items()}, merge=merge)
        assert inserted[:2] == (sum(len(batch.times) for batch in drawn.values()), len(drawn))
        for uuid, batch in drawn.items():
            self.models[uuid].insert(*batch, merge)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), seed=SEEDS, merge=MERGES, sizes=st.sampled_from([SMALL, SMALL, LARGE]))
    def insert_columns(
        self, data: st.DataObject, seed: int, merge: Any, sizes: st.SearchStrategy[int]
    ) -> None:
        """Insert a wide batch."""
        kind = self.pick(data)[1].kind
        uuids = [uuid for uuid, known in self.models.items() if known.kind is kind]
        batch = data.draw(batches(kind, sizes))
        index = np.random.default_rng(seed).integers(0, len(uuids), len(batch.times))
        self.db.insert_columns(index, *batch, [self.stream(uuid) for uuid in uuids], merge=merge)
        for place, uuid in enumerate(uuids):
            chosen = index == place
            self.models[uuid].insert(batch.times[chosen], batch.values[chosen], merge)

    @precondition(lambda self: any(known.kind is Kind.FLOAT for known in self.models.values()))
    @rule(data=st.data())
    def insert_something_bad(self, data: st.DataObject) -> None:
        """Nothing of a refused batch is stored: the points are compared when the run ends."""
        floats = {uuid: known for uuid, known in self.models.items() if known.kind is Kind.FLOAT}
        good = data.draw(batches(Kind.FLOAT, SMALL))
        bad = Batch(good.times, np.append(good.values[:-1], np.nan))
        last = list(floats)[-1]
        with _refused(BadValue):
            self.db.insert({self.stream(uuid): bad if uuid == last else good for uuid in floats})
        with _refused(WrongKind):
            self.stream(last).insert([1, 2], [0.5, True])

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete a range."""
        stream, known = self.pick(data)
        start, end = data.draw(ranges(known.state.times))
        version = stream.delete(start, end)
        known.delete(start, end)
        assert version > max(known.versions)
        known.told(version)
        assert stream.version == version

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def flush(self, data: st.DataObject) -> None:
        """A flush changes no bit of any answer."""
        stream, known = self.pick(data)
        questions = [data.draw(self.questions(known.state)) for _ in range(3)]
        before = [question(stream) for question in questions]
        version = stream.flush()
        known.told(version)
        assert [question(stream) for question in questions] == before
        assert [question(stream.at(version)) for question in questions] == before
        assert stream.flush() == version

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def ask_for_the_version(self, data: st.DataObject) -> None:
        """A version that was told stays what it is."""
        stream, known = self.pick(data)
        version = stream.version
        known.asked(version)
        assert stream.version == version
        with _refused(VersionNotAvailable):
            stream.at(version + 1)

    @precondition(lambda self: any(known.forgotten for known in self.models.values()))
    @rule(data=st.data())
    def read_a_version_that_may_be_forgotten(self, data: st.DataObject) -> None:
        """It may be gone, and never be another."""
        uuids = [uuid for uuid, known in self.models.items() if known.forgotten]
        uuid = data.draw(st.sampled_from(uuids))
        version = data.draw(st.sampled_from(sorted(self.models[uuid].forgotten)))
        with contextlib.suppress(VersionNotAvailable):
            view = self.stream(uuid).at(version)
            self.compare_points(view, self.models[uuid].versions[version], MIN_TIME, MAX_TIME)

    @rule()
    def flush_all(self) -> None:
        """Commit everything."""
        self.db.flush()
        assert self.db.stats()["pending_points"] == 0

    @rule()
    def reopen(self) -> None:
        """Close and open again."""
        self.snapshots.clear()
        self.db.close()
        for known in self.models.values():
            known.closed()
        self.db = type(self).factory(self.directory / "archive.otr")

    @precondition(lambda self: self.models)
    @rule(data=st.data(), value=st.sampled_from(["", "a", "b"]))
    def update(self, data: st.DataObject, value: str) -> None:
        """Change an annotation."""
        stream, known = self.pick(data)
        key = data.draw(st.sampled_from(["site", "note"]))
        known.property_version += 1
        known.annotations[key] = value
        expected = known.property_version - 1
        assert stream.update(annotations={key: value}, expected=expected) == known.property_version
        assert (stream.annotations, stream.property_version) == (known.annotations, known.property_version)
        found = {found.uuid for found in self.db.streams(annotations={key: value})}
        assert found == {uuid for uuid, known in self.models.items() if known.annotations.get(key) == value}

    @precondition(lambda self: len(self.models) == MAX_STREAMS)
    @rule(data=st.data())
    def obliterate(self, data: st.DataObject) -> None:
        """Remove a stream for ever."""
        stream, _ = self.pick(data)
        stream.obliterate()
        del self.models[stream.uuid]
        self.snapshots.clear()
        with _refused(NoSuchStream):
            stream.insert([1], [1])
        with _refused(RecycledUuid):
            self.db.create("again", uuid=stream.uuid)
        assert {found.uuid for found in self.db.streams()} == set(self.models)

    # Asking

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def read_points(self, data: st.DataObject) -> None:
        """Compare points."""
        reads, state, _ = self.pick_version(data)
        self.compare_points(reads, state, *data.draw(ranges(state.times)))

    @precondition(lambda self: self.models)
    @rule(data=st.data(), pointwidth=st.integers(0, 62))
    def read_aligned_windows(self, data: st.DataObject, pointwidth: int) -> None:
        """Compare aligned windows."""
        reads, state, _ = self.pick_version(data)
        start, end = affordable(state, *data.draw(ranges(state.times)))
        found = reads.aligned_windows(start, end, pointwidth, columns=ALL_COLUMNS)
        assert found.width == 1 << pointwidth
        model.check_windows(found, list(model.aligned(state, start, end, pointwidth)))

    @precondition(lambda self: self.models)
    @rule(data=st.data(), number=st.integers(1, 400), extra=st.integers(0, 10))
    def read_windows(self, data: st.DataObject, number: int, extra: int) -> None:
        """Compare windows of any width."""
        reads, state, _ = self.pick_version(data)
        start, end = affordable(state, *data.draw(ranges(state.times)))
        width = max(1, (end - start) // number - extra)
        if (end - start) // width > 100_000:
            return
        found = reads.windows(start, end, width, columns=ALL_COLUMNS)
        assert found.time.tolist() == list(range(start, end - width + 1, width))
        filled = found.count > 0
        assert not any(values[~filled].any() for values in found.columns.values())
        kept = {name: values[filled] for name, values in found.columns.items()}
        shown = type(found)(found.time[filled], kept, found.kind, found.width, found.version)
        model.check_windows(shown, list(model.windows(state, start, end, width)))

    @precondition(lambda self: self.models)
    @rule(data=st.data(), points=st.integers(1, 1_000))
    def read_zoomed(self, data: st.DataObject, points: int) -> None:
        """Compare what a plotter asks for."""
        reads, state, _ = self.pick_version(data)
        found = reads.zoom(points=points, columns=ALL_COLUMNS)
        assert len(found) <= points
        assert int(found.count.sum()) == len(state.times)
        pointwidth = found.width.bit_length() - 1
        model.check_windows(found, list(model.aligned(state, MIN_TIME, MAX_TIME, pointwidth)))

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def read_nearest(self, data: st.DataObject) -> None:
        """Compare the points next to some times."""
        reads, state, _ = self.pick_version(data)
        for time in data.draw(ranges(state.times)):
            instant = min(time, MAX_TIME - 1)
            after, before = state.between(instant, MAX_TIME), state.between(MIN_TIME, instant)
            first, last = reads.nearest(instant), reads.nearest(instant, backward=True)
            assert first == (None if not len(after.times) else (after.times[0], after.values[0]))
            assert last == (None if not len(before.times) else (before.times[-1], before.values[-1]))
        assert reads.count() == len(state.times)
        assert (reads.earliest() is None) == (reads.latest() is None) == (not len(state.times))

    @precondition(lambda self: self.models)
    @rule(data=st.data(), resolution=st.integers(0, 63))
    def read_changes(self, data: st.DataObject, resolution: int) -> None:
        """Changes cover whatever differs."""
        stream, known = self.pick(data)
        old = data.draw(st.sampled_from(known.readable))
        new = data.draw(st.sampled_from([0, *(version for version in known.readable if version >= old)]))
        ranges = stream.changes(old, new, resolution)
        assert new != old or ranges == []
        after = known.versions[new] if new else known.state
        times = model.changed_times(known.versions[old], after)
        edges = np.array(ranges, dtype=np.int64).ravel()
        assert (np.diff(edges) > 0).all()
        assert not len(edges) or MIN_TIME <= edges[0] <= edges[-1] <= MAX_TIME
        assert (np.searchsorted(edges, times, side="right") % 2 == 1).all()

    @precondition(lambda self: self.models)
    @rule()
    def take_a_snapshot(self) -> None:
        """Hold all streams as they are."""
        states = {uuid: known.state for uuid, known in self.models.items()}
        self.snapshots = [*self.snapshots[-1:], (self.db.snapshot(), states)]

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def read_a_snapshot(self, data: st.DataObject) -> None:
        """A snapshot stays as it was."""
        snapshot, states = data.draw(st.sampled_from(self.snapshots))
        for uuid, state in states.items():
            view = snapshot.view(self.stream(uuid))
            self.compare_points(view, state, *data.draw(ranges(state.times)))

    @precondition(lambda self: self.models)
    @rule(align=st.sampled_from(["outer", "inner"]))
    def read_many(self, align: Any) -> None:
        """Joining is tested by itself; here, that every stream is read whole."""
        joined: Any = self.db.values([self.stream(uuid) for uuid in self.models], align=align)
        for values, valid, known in zip(joined.columns, joined.valid, self.models.values(), strict=True):
            if align == "outer":
                model.check_points((joined.times[valid], values[valid]), known.state)
            else:
                assert valid.all()

    def compare_points(self, reads: ReadsLike, state: State, start: int, end: int) -> None:
        """The points in a range are those of ``state``."""
        wanted = state.between(start, end)
        model.check_points(reads.values(start, end).to_numpy(), wanted)
        assert reads.count(start, end) == len(wanted.times)

    @staticmethod
    def questions(state: State) -> st.SearchStrategy[Any]:
        """Questions that give their answers as bytes."""

        def points(reads: ReadsLike) -> Any:
            return [column.tobytes() for column in reads.values().to_numpy()]

        def zoomed(number: int) -> Any:
            return lambda reads: in_bytes(reads.zoom(points=number, columns=ALL_COLUMNS))

        def windows(bounds: tuple[int, int]) -> Any:
            start, end = bounds
            width = max(1, (end - start) // 97)
            return lambda reads: in_bytes(reads.windows(start, end, width, columns=ALL_COLUMNS))

        return st.one_of(st.just(points), st.integers(1, 3_000).map(zoomed), ranges(state.times).map(windows))


def in_bytes(windows: Any) -> Any:
    """Windows in a form that can be compared."""
    columns = windows.to_numpy().items()
    return {name: list(column) if column.dtype == object else column.tobytes() for name, column in columns}


def affordable(state: State, start: int, end: int) -> tuple[int, int]:
    """The range, cut short so that the model has few enough points to sum up one by one."""
    inside = state.between(start, end).times
    if len(inside) <= MOST_WINDOWS:
        return start, end
    return start, min(end, max(int(inside[MOST_WINDOWS]), start + 1), LAST_TIME)


def machine(factory: Factory) -> type[ArchiveMachine]:
    """The machine for one archiver."""
    return type("Machine", (ArchiveMachine,), {"factory": staticmethod(factory)})
