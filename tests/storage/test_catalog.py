"""The catalog says what the groups say, whatever becomes of its file."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import Damaged, DiskFull
from otrdb.model import FIRST_VERSION, Kind
from otrdb.storage import catalog as catalog_module
from otrdb.storage.blocks import HEADER_BYTES, NOWHERE, Address
from otrdb.storage.catalog import Catalog
from otrdb.storage.catalog_sums import is_sound
from otrdb.storage.catalog_tables import CatalogSnapshot, CatalogStream, CatalogVersion, SegmentSpace
from otrdb.storage.groups import FIRST_POSITION, GroupInfo
from otrdb.storage.records import (
    Committed,
    Entry,
    Obliterated,
    PropertiesSet,
    SettingSet,
    SnapshotDropped,
    SnapshotNamed,
    StreamCreated,
    VersionsPruned,
    encode,
)
from otrdb.testing.medium import FaultyMedium
from tests.storage.stores import commit, opened, scanned

ARCHIVE = UUID(int=7)
small = st.integers(1, 4)
text = st.text("abc", max_size=2)
maps = st.dictionaries(text, text, max_size=2)
addresses = st.builds(Address, small, small, small, st.just(0))
obsolete = st.lists(addresses).map(tuple)

entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(
        StreamCreated, small, small.map(lambda n: UUID(int=n)), st.sampled_from(Kind), text, maps, maps
    ),
    st.builds(PropertiesSet, small, small, text, maps, maps),
    st.builds(Committed, small, st.integers(10, 15), addresses, small, small, small, obsolete),
    st.builds(SnapshotNamed, text, st.dictionaries(small, st.integers(10, 15)), small),
    st.builds(SnapshotDropped, text),
    st.builds(VersionsPruned, small, st.lists(st.integers(11, 14)).map(tuple)),
    st.builds(SettingSet, text, text, text),
)


Properties: TypeAlias = tuple[UUID, Kind, str, dict[str, str], dict[str, str], int]


@dataclass
class Model:
    """What the groups say, in dictionaries."""

    properties: dict[int, Properties] = field(default_factory=dict)
    versions: dict[int, dict[int, CatalogVersion]] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    snapshots: dict[str, CatalogSnapshot] = field(default_factory=dict)
    settings: dict[tuple[str, str], str] = field(default_factory=dict)
    space: dict[int, list[int]] = field(default_factory=dict)
    last_number: int = 0
    last_lsn: int = 0

    def apply(self, group: Iterable[Entry], info: GroupInfo) -> None:
        self.space.setdefault(info.address.segment, [0, 0])[0] += info.size
        for entry in group:
            match entry:
                case StreamCreated(number, uuid, kind, collection, tags, annotations):
                    self.properties[number] = (uuid, kind, collection, dict(tags), dict(annotations), 1)
                    empty = CatalogVersion(FIRST_VERSION, NOWHERE, 0, 0, info.time)
                    self.versions[number] = {FIRST_VERSION: empty}
                    self.last_number = max(self.last_number, number)
                case PropertiesSet(number, property_version, collection, tags, annotations):
                    uuid, kind, *_ = self.properties[number]
                    changed = (collection, dict(tags), dict(annotations), property_version)
                    self.properties[number] = (uuid, kind, *changed)
                case Committed(number, version, root, lsn, count, time, obsolete):
                    self.versions[number][version] = CatalogVersion(version, root, lsn, count, time)
                    self.last_lsn = max(self.last_lsn, lsn)
                    for address in obsolete:
                        self.space.setdefault(address.segment, [0, 0])[1] += HEADER_BYTES + address.length
                case Obliterated(number, uuid):
                    del self.properties[number], self.versions[number]
                    self.gone.add(uuid)
                case SnapshotNamed(name, kept, time):
                    self.snapshots[name] = CatalogSnapshot(time, dict(kept))
                case SnapshotDropped(name):
                    self.snapshots.pop(name, None)
                case VersionsPruned(number, pruned):
                    for each in pruned:
                        self.versions[number].pop(each, None)
                case SettingSet(scope, key, value):
                    self.settings.pop((scope, key), None)
                    self.settings.update({(scope, key): value} if value else {})

    def streams(self) -> list[CatalogStream]:
        return [
            CatalogStream(number, *self.properties[number], self.versions[number][max(self.versions[number])])
            for number in sorted(self.properties)
        ]

    def check(self, catalog: Catalog) -> None:
        assert catalog.streams() == self.streams()
        assert catalog.tombstones() == self.gone
        assert catalog.snapshots() == self.snapshots
        assert catalog.settings() == self.settings
        assert catalog.segments() == {number: SegmentSpace(*space) for number, space in self.space.items()}
        assert (catalog.last_number, catalog.last_lsn) == (self.last_number, self.last_lsn)
        for number in range(1, 6):
            kept = self.versions.get(number, {})
            assert catalog.versions(number) == [kept[version] for version in sorted(kept)]
            for version in range(9, 17):
                assert catalog.version(number, version) == kept.get(version)
            for time in range(6):
                older = [each for each in kept.values() if each.time <= time]
                newest = max(older, key=lambda each: each.version, default=None)
                assert catalog.version_at(number, time) == newest


def is_possible(entry: Entry, model: Model) -> bool:
    """Whether an engine could write this entry now."""
    number = getattr(entry, "number", None)
    if isinstance(entry, StreamCreated):
        return number not in model.properties
    return number is None or number in model.properties


def info_of(sequence: int, size: int = 100) -> GroupInfo:
    start = sequence * 1000
    return GroupInfo(sequence, sequence, start, Address(1 + sequence % 3, start + size - 16, 0, 0), 0)


@given(st.lists(st.lists(entries, max_size=6), max_size=6), st.data())
def test_it_says_what_the_groups_say(groups: list[list[Entry]], data: st.DataObject) -> None:
    catalog, model = Catalog(None, ARCHIVE), Model()
    created: list[Entry] = [StreamCreated(n, UUID(int=n), Kind.INT, "c", {}, {}) for n in (1, 2, 4)]
    for sequence, group in enumerate([created, *groups], 1):
        possible: list[Entry] = []
        for entry in group:
            if is_possible(entry, model):
                possible.append(entry)
                model.apply([entry], info_of(sequence, size=0))
        if data.draw(st.booleans()) and model.properties:
            number = data.draw(st.sampled_from(sorted(model.properties)))
            possible.append(Obliterated(number, model.properties[number][0]))
            model.apply(possible[-1:], info_of(sequence, size=0))
        model.apply([], info_of(sequence))
        catalog.apply(encode(possible), info_of(sequence))
        assert catalog.position == info_of(sequence).end
        if data.draw(st.booleans()):
            model.check(catalog)
    model.check(catalog)


CREATED = StreamCreated(1, UUID(int=1), Kind.INT, "plant/line1", {"name": "größe"}, {"note": ""})


def committed(version: int, *obsolete: Address) -> Committed:
    return Committed(1, version, Address(1, 2, 3, 4), version * 10, version, version, obsolete)


def filled(path: Path | None, groups: Sequence[Sequence[Entry]]) -> Catalog:
    catalog = Catalog(path, ARCHIVE)
    for sequence, group in enumerate(groups, 1):
        catalog.apply(encode(group), info_of(sequence))
    return catalog


GROUPS: list[list[Entry]] = [[CREATED], [committed(11)], [committed(12, Address(2, 0, 10, 0))]]


@pytest.fixture(autouse=True)
def _closed_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every catalog a test has made."""
    made: list[Catalog] = []
    connect = Catalog._connect

    def remember(self: Catalog, path: Path | None, archive: UUID, *, readonly: bool) -> sqlite3.Connection:
        made.append(self)
        return connect(self, path, archive, readonly=readonly)

    monkeypatch.setattr(Catalog, "_connect", remember)
    yield
    for catalog in made:
        catalog.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


def test_it_is_kept_in_its_file(path: Path) -> None:
    filled(path, GROUPS).close()
    catalog = Catalog(path, ARCHIVE)
    assert catalog.position == info_of(3).end
    assert catalog.streams() == filled(None, GROUPS).streams()
    assert catalog.segments() == {1: SegmentSpace(100, 0), 2: SegmentSpace(100, 26), 3: SegmentSpace(100, 0)}
    catalog.close()


def test_an_opened_and_closed_catalog_is_not_written(path: Path) -> None:
    filled(path, GROUPS).close()
    before = path.read_bytes()
    catalog = Catalog(path, ARCHIVE)
    catalog.streams()
    catalog.close()
    assert path.read_bytes() == before


def test_without_a_close_it_lags_and_what_is_missing_can_be_applied_again(path: Path) -> None:
    lost = filled(path, GROUPS[:2])
    lost.streams()
    lost.apply(encode(GROUPS[2]), info_of(3))
    again = Catalog(path, ARCHIVE)
    assert again.position == info_of(2).end
    again.apply(encode(GROUPS[2]), info_of(3))
    assert again.streams() == filled(None, GROUPS).streams()
    assert again.segments() == filled(None, GROUPS).segments()
    again.close()


def test_it_is_written_now_and_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "_SAVE_GROUPS", 2)
    catalog = filled(path, GROUPS)
    other = Catalog(path, ARCHIVE, readonly=True)
    assert other.position == info_of(2).end
    assert catalog.position == info_of(3).end


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"this is no database, and never was one" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(b""),
    ],
)
def test_a_file_of_no_use_is_made_anew(path: Path, change: object) -> None:
    filled(path, GROUPS).close()
    change(path)  # type: ignore[operator]
    for readonly in (True, False):
        catalog = Catalog(path, ARCHIVE, readonly=readonly)
        assert (catalog.position, catalog.streams(), catalog.trouble) == (FIRST_POSITION, [], None)
    catalog.apply(encode(GROUPS[0]), info_of(1))
    catalog.close()
    assert len(Catalog(path, ARCHIVE).streams()) == 1


def test_the_catalog_of_another_archive_or_format_is_made_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, GROUPS).close()
    assert Catalog(path, UUID(int=8)).streams() == []
    filled(path, GROUPS).close()
    monkeypatch.setattr("otrdb.storage.catalog_tables.CATALOG_FORMAT", 99)
    assert Catalog(path, ARCHIVE).position == FIRST_POSITION


def test_a_reader_holds_nothing_and_changes_nothing(path: Path) -> None:
    writer = filled(path, GROUPS[:2])
    writer.streams()
    before = path.read_bytes()
    reader = Catalog(path, ARCHIVE, readonly=True)
    reader.apply(encode(GROUPS[2]), info_of(3))
    assert reader.streams() == filled(None, GROUPS).streams()
    assert path.read_bytes() == before
    exclusive = sqlite3.connect(path, timeout=0.1, isolation_level=None)
    exclusive.execute("BEGIN EXCLUSIVE")
    assert reader.streams() == filled(None, GROUPS).streams()
    exclusive.execute("ROLLBACK")
    exclusive.close()
    writer.apply(encode(GROUPS[2]), info_of(3))
    writer.close()
    assert Catalog(path, ARCHIVE, readonly=True).position == info_of(3).end


def test_a_full_disk_makes_it_lag_and_stops_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "_SAVE_GROUPS", 1)
    catalog = filled(path, GROUPS[:1])
    pages = catalog._db.execute("PRAGMA page_count").fetchone()[0]
    catalog._db.execute(f"PRAGMA max_page_count = {pages}")
    many: list[Entry] = [SettingSet("scope", f"key {n}", "value" * 100) for n in range(100)]
    catalog.apply(encode(many), info_of(2))
    assert catalog.trouble is not None
    assert catalog.position == info_of(2).end
    with pytest.raises(DiskFull):
        catalog.streams()
    catalog._db.execute("PRAGMA max_page_count = 100000")
    catalog.apply(encode(GROUPS[1]), info_of(3))
    assert len(catalog.settings()) == 100
    assert catalog.trouble is None
    catalog.close()


def test_writing_to_a_full_disk_is_not_tried_every_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "_SAVE_GROUPS", 4)
    catalog = Catalog(path, ARCHIVE)
    catalog._db.execute(f"PRAGMA max_page_count = {catalog._db.execute('PRAGMA page_count').fetchone()[0]}")
    large: list[Entry] = [SettingSet("scope", "key", "value" * 2000)]
    troubles = []
    for sequence in range(1, 13):
        catalog.apply(encode(large), info_of(sequence))
        troubles.append(catalog.trouble)
    assert len(set(map(id, troubles))) - 1 == 3


def test_rot_inside_the_file_is_told_and_mended_by_the_next_opening(path: Path) -> None:
    catalog = Catalog(path, ARCHIVE)
    many: list[Entry] = [SettingSet("scope", f"key {n}", "value" * 100) for n in range(1000)]
    catalog.apply(encode(many), info_of(1))
    catalog.close()
    rotten = Catalog(path, ARCHIVE)
    data = bytearray(path.read_bytes())
    data[5 * 4096 :] = bytes(len(data) - 5 * 4096)
    data[27] += 1  # the number of changes, without which SQLite would not look at the file again
    path.write_bytes(data)
    with pytest.raises(Damaged, match="Reopen"):
        rotten.settings()
    rotten.close()
    assert Catalog(path, ARCHIVE).position == FIRST_POSITION


@pytest.mark.parametrize("readonly", [False, True])
def test_a_value_that_rotted_is_noticed(path: Path, readonly: bool) -> None:
    catalog = Catalog(path, ARCHIVE)
    catalog.apply(encode([SettingSet("scope", "key", "a value to be found")]), info_of(1))
    catalog.close()
    data = bytearray(path.read_bytes())
    data[data.index(b"a value to be found")] ^= 1
    path.write_bytes(data)
    rotten = Catalog(path, ARCHIVE, readonly=readonly)
    assert (rotten.settings(), rotten.position) == ({}, FIRST_POSITION)
    rotten.close()


@pytest.mark.parametrize("page", range(1, 5))
def test_pages_of_an_older_catalog_are_noticed(path: Path, page: int) -> None:
    """A structure that is sound, and rows that do not belong together."""
    catalog = Catalog(path, ARCHIVE)
    before = path.read_bytes()
    for number, group in enumerate(GROUPS, 1):
        catalog.apply(encode(group), info_of(number))
        catalog.streams()
    versions = [catalog.versions(number) for number in range(5)]
    end = catalog.position
    catalog.close()
    data = bytearray(path.read_bytes())
    data[4096 * page : 4096 * (page + 1)] = before[4096 * page : 4096 * (page + 1)]
    path.write_bytes(data)
    mixed = Catalog(path, ARCHIVE)
    found = mixed.position, [mixed.versions(number) for number in range(5)]
    assert found in ((end, versions), (FIRST_POSITION, [[]] * 5))
    mixed.close()


def test_from_nothing_it_is_the_same_as_kept_up_to_date(path: Path) -> None:
    medium = FaultyMedium()
    store = opened(medium, nominal=300).store
    kept = Catalog(path, store.archive)
    for group in GROUPS:
        kept.apply(encode(group), commit(store, encode(group), [(b"head", b"body" * 20)]))
    made = Catalog(None, store.archive)
    for found in scanned(medium).store.scan(report=lambda damage: pytest.fail(str(damage))):
        made.apply(found.payload, found.info)
    assert made.streams() == kept.streams()
    assert made.segments() == kept.segments()
    assert made.versions(1) == kept.versions(1)
    assert made.position == kept.position
    kept.close()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one each time the rows of a catalog are looked at."""
    found = list[object]()

    def look(db: sqlite3.Connection, make: Callable[[], sqlite3.Connection]) -> bool:
        found.append(db)
        return is_sound(db, make)

    monkeypatch.setattr(catalog_module, "is_sound", look)
    return found


def test_after_a_clean_end_the_rows_are_not_looked_at(path: Path, looks: list[object]) -> None:
    filled(path, GROUPS).close()
    looks.clear()
    for _ in range(2):
        catalog = Catalog(path, ARCHIVE)
        assert catalog.streams() == filled(None, GROUPS).streams()
        catalog.close()
    assert not looks


def test_after_an_unclean_end_they_are_and_then_a_stamp_is_made(path: Path, looks: list[object]) -> None:
    filled(path, GROUPS[:1]).close()
    going_on = Catalog(path, ARCHIVE)
    going_on.apply(encode(GROUPS[1]), info_of(2))
    going_on.streams()
    looks.clear()
    catalog = Catalog(path, ARCHIVE)
    assert len(looks) == 1
    assert catalog.position == info_of(2).end
    catalog.close()
    looks.clear()
    Catalog(path, ARCHIVE).close()
    assert not looks


@pytest.mark.parametrize("rot", [b"q", b"\xff"], ids=["another letter", "no text"])
def test_a_catalog_that_rots_while_it_is_open_gets_no_stamp(path: Path, rot: bytes) -> None:
    filled(path, GROUPS[:2]).close()
    stamp = path.with_name("catalog.sqlite.stamp")
    before = stamp.read_bytes()
    catalog = Catalog(path, ARCHIVE)
    catalog.apply(encode(GROUPS[2]), info_of(3))
    catalog.streams()
    content = path.read_bytes()
    at = content.index(b"plant")
    path.write_bytes(content[:at] + rot + content[at + 1 :])
    catalog.close()
    assert stamp.read_bytes() == before
    assert Catalog(path, ARCHIVE).position == FIRST_POSITION


@pytest.mark.parametrize("name", ["catalog.sqlite", "catalog.sqlite.stamp"])
def test_a_flipped_bit_leads_to_a_look(path: Path, looks: list[object], name: str) -> None:
    filled(path, GROUPS).close()
    files = {each: path.with_name(each).read_bytes() for each in ("catalog.sqlite", "catalog.sqlite.stamp")}
    expected = filled(None, GROUPS).streams()
    content = files[name]
    for at in range(0, len(content), max(len(content) // 40, 1)):
        for each, data in files.items():
            path.with_name(each).write_bytes(data)
        path.with_name(name).write_bytes(
            content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
        )
        looks.clear()
        catalog = Catalog(path, ARCHIVE)
        found = catalog.streams()
        catalog.close()
        assert found in (expected, []), "what was written, or made anew"
        assert looks or not found


def test_what_is_left_to_undo_leads_to_a_look(path: Path, looks: list[object]) -> None:
    filled(path, GROUPS).close()
    path.with_name("catalog.sqlite-journal").write_bytes(b"something")
    looks.clear()
    Catalog(path, ARCHIVE).close()
    assert looks
