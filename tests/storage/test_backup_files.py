"""The manifest of a backup, and the view of the files it names."""

from __future__ import annotations

from uuid import UUID

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from otrdb.errors import Damaged, ReadOnly, UnsupportedFormat
from otrdb.storage.backup_manifest import (
    BACKUP_HEADER,
    MANIFEST_NAME,
    Manifest,
    SegmentCopy,
    read_manifest,
    write_manifest,
)
from otrdb.storage.extract import Extract
from tests.support.faulty import FaultyMedium

U32 = st.integers(0, (1 << 32) - 1)
manifests = st.builds(
    Manifest,
    U32,
    st.uuids(),
    st.integers(0, (1 << 64) - 1),
    st.integers(-(1 << 63), (1 << 63) - 1),
    U32,
    U32,
    st.lists(st.builds(SegmentCopy, U32, U32, U32, U32), max_size=4).map(tuple),
)


@given(manifests)
def test_a_manifest_is_read_as_it_was_written(manifest: Manifest) -> None:
    medium = FaultyMedium()
    assert read_manifest(medium) is None
    write_manifest(medium, Manifest(0, UUID(int=1)))
    write_manifest(medium, manifest)
    assert read_manifest(medium.crash()) == manifest
    assert medium.crash().list() == [MANIFEST_NAME]


@given(manifests, st.data())
def test_a_manifest_that_changed_is_none(manifest: Manifest, data: st.DataObject) -> None:
    raw = bytearray(manifest.pack())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = manifest.pack()[: data.draw(st.integers(0, len(raw) - 1))]
    for bad in (bytes(raw), cut, manifest.pack() + b"\0"):
        assert Manifest.parse(bad) is None


def test_a_manifest_that_cannot_be_read_is_damage() -> None:
    medium = FaultyMedium()
    write_manifest(medium, Manifest(3, UUID(int=1)))
    medium.spoil(MANIFEST_NAME, 0, 1)
    with pytest.raises(Damaged, match="cannot be read"):
        read_manifest(medium)
    medium.spoil(MANIFEST_NAME, 0, 0)
    medium.flip(MANIFEST_NAME, 20)
    with pytest.raises(Damaged, match="new directory"):
        read_manifest(medium)


def test_a_manifest_of_a_later_format_is_refused_in_plain_words() -> None:
    raw = bytearray(Manifest(3, UUID(int=1)).pack())
    raw[BACKUP_HEADER.offset("format")] = 7
    raw[-4:] = crc32c(raw[:-4]).to_bytes(4, "little")
    with pytest.raises(UnsupportedFormat, match="format 7"):
        Manifest.parse(bytes(raw))


def test_an_extract_ends_where_it_says_and_changes_nothing() -> None:
    medium = FaultyMedium()
    for name in ("a", "b"):
        medium.open(name, create=True).append(b"0123456789")
    extract = Extract(medium, {"a": 4, "c": 1})
    assert extract.list() == ["a"]
    assert [extract.exists(name) for name in "abc"] == [True, False, False]
    file = extract.open("a")
    assert file.size() == 4
    assert [file.read(0, 9), file.read(3, 9), file.read(4, 1), file.read(7, 2)] == [b"0123", b"3", b"", b""]
    for name in ("b", "c", "d"):
        with pytest.raises(FileNotFoundError):
            extract.open(name)
    refused = [
        lambda: file.append(b"x"),
        lambda: file.write(0, b"x"),
        file.sync,
        lambda: file.allocate(20),
        lambda: file.truncate(1),
        lambda: extract.open("a", create=True),
        lambda: extract.rename("a", "c"),
        lambda: extract.delete("a"),
        extract.sync_directory,
    ]
    for change in refused:
        with pytest.raises(ReadOnly):
            change()
    assert medium.open("a").read(0, 20) == b"0123456789"
