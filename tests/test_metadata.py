"""Names follow BTrDB's rules, changes are counted, and a registry finds what it should and nothing else."""

from typing import Any
from uuid import UUID

import pytest

from otrdb.errors import (
    AmbiguousStream,
    InvalidArgument,
    InvalidCollection,
    InvalidTagKey,
    InvalidTagValue,
    NoSuchStream,
    PropertyVersionMismatch,
    RecycledUuid,
    StreamExists,
)
from otrdb.metadata import Metadata
from otrdb.model import Kind
from otrdb.registry import Registry


def stream(number: int, collection: str = "plant", **tags: str) -> Metadata:
    return Metadata.new(UUID(int=number), Kind.FLOAT, collection, tags)


def registry(*streams: Metadata) -> Registry:
    filled = Registry()
    for metadata in streams:
        filled.check_new(metadata)
        filled.add(metadata)
    return filled


@pytest.mark.parametrize("collection", ["a", "a/b/", "Anlæg [1]-x", "a" * 255, "ø" * 127])
def test_collections_allowed(collection: str) -> None:
    assert stream(1, collection).collection == collection


@pytest.mark.parametrize("collection", ["", "a" * 256, "ø" * 128, "a\0b", "\ud800", 7, None, b"a"])
def test_collections_refused(collection: Any) -> None:
    with pytest.raises(InvalidCollection):
        stream(1, collection)


@pytest.mark.parametrize("key", ["name", "unit", "a", "a.b_c9", "a" * 63])
def test_tag_keys_allowed(key: str) -> None:
    assert stream(1, **{key: "x"}).tags == {key: "x"}


@pytest.mark.parametrize("key", ["", "Name", "9a", "_a", "a-b", "a b", "å", "a" * 64, "a\n", 7])
def test_tag_keys_refused(key: Any) -> None:
    with pytest.raises(InvalidTagKey):
        Metadata.new(UUID(int=1), Kind.FLOAT, "plant", {key: "x"})


@pytest.mark.parametrize("value", ["", "°C", "v" * 255, "ø" * 255])
def test_values_allowed(value: str) -> None:
    metadata = Metadata.new(UUID(int=1), Kind.FLOAT, "plant", {"unit": value}, {"note": value})
    assert (metadata.unit, metadata.annotations["note"]) == (value, value)


@pytest.mark.parametrize("value", ["v" * 256, "a\0", "\udfff", 7, None])
def test_values_refused(value: Any) -> None:
    for tags, annotations in (({"unit": value}, {}), ({}, {"note": value})):
        with pytest.raises(InvalidTagValue):
            Metadata.new(UUID(int=1), Kind.FLOAT, "plant", tags, annotations)


@pytest.mark.parametrize("key", ["note", "Serial No. 7", "ø" * 127])
def test_annotation_keys_allowed(key: str) -> None:
    assert Metadata.new(UUID(int=1), Kind.FLOAT, "plant", {}, {key: ""}).annotations == {key: ""}


@pytest.mark.parametrize("key", ["", "a" * 256, "a\0"])
def test_annotation_keys_refused(key: str) -> None:
    with pytest.raises(InvalidTagKey):
        Metadata.new(UUID(int=1), Kind.FLOAT, "plant", {}, {key: ""})


def test_missing_tags_read_as_empty() -> None:
    assert (stream(1).name, stream(1).unit) == ("", "")


def test_an_update_changes_what_it_names_and_counts_up() -> None:
    old = Metadata.new(UUID(int=1), Kind.INT, "plant", {"name": "a", "unit": "C"}, {"x": "1", "y": "2"})
    new = old.updated(tags={"name": "b"}, annotations={"x": None, "z": "3"}, collection="lab", expected=1)
    assert (new.collection, new.tags) == ("lab", {"name": "b", "unit": "C"})
    assert (new.annotations, new.property_version, new.kind) == ({"y": "2", "z": "3"}, 2, Kind.INT)
    assert (old.tags["name"], old.property_version) == ("a", 1)


def test_keys_are_removed_and_missing_ones_forgiven() -> None:
    old = Metadata.new(UUID(int=1), Kind.INT, "plant", {"name": "a", "unit": "C"}, {"x": "1"})
    new = old.updated(remove_tags=["unit", "nosuch"], remove_annotations=["x", "nosuch"])
    assert (new.tags, new.annotations) == ({"name": "a"}, {})
    assert old.updated(tags={"unit": "K"}, remove_tags=["unit"]).unit == "K"


def test_an_empty_update_counts_too_and_an_empty_collection_stays() -> None:
    assert stream(1).updated(collection="").collection == "plant"
    assert stream(1).updated().property_version == 2


@pytest.mark.parametrize("expected", [2, -1])
def test_an_unexpected_property_version_is_refused(expected: int) -> None:
    with pytest.raises(PropertyVersionMismatch):
        stream(1).updated(expected=expected)


def test_an_update_checks_names() -> None:
    for error, change in (
        (InvalidTagKey, {"tags": {"Bad": "x"}}),
        (InvalidTagValue, {"annotations": {"x": "\0"}}),
        (InvalidCollection, {"collection": "a" * 256}),
    ):
        with pytest.raises(error):
            stream(1).updated(**change)


def test_matching() -> None:
    metadata = Metadata.new(UUID(int=1), Kind.INT, "plant", {"name": "a", "unit": ""}, {"x": "1"})
    assert metadata.matches()
    assert metadata.matches({"name": "a"}, {"x": None})
    assert metadata.matches({"unit": None})
    assert metadata.matches({"unit": ""})
    assert not metadata.matches({"name": "A"})
    assert not metadata.matches({"name": ""})
    assert not metadata.matches({"ingress": None})
    assert not metadata.matches(None, {"x": "2"})


def test_creation_is_refused_in_the_contract_order() -> None:
    streams = registry(stream(1, name="a"), stream(2, name="b"))
    streams.obliterate(UUID(int=2))
    streams.bury(UUID(int=3))
    with pytest.raises(StreamExists):
        streams.check_new(stream(1, name="new"))
    with pytest.raises(AmbiguousStream):
        streams.check_new(stream(9, name="a"))
    for number in (2, 3):
        with pytest.raises(RecycledUuid):
            streams.check_new(stream(number, name="a"))
    streams.check_new(stream(9, name="b"))


def test_uniqueness_is_on_the_whole_map_of_tags() -> None:
    streams = registry(
        stream(1, name="a"), stream(2, name="a", unit="C"), stream(3, "lab", name="a"), stream(4)
    )
    assert len(streams) == 4


def test_a_change_keeps_identities_unique() -> None:
    streams = registry(stream(1, name="a"), stream(2, name="b"))
    clash = streams[UUID(int=2)].updated(tags={"name": "a"})
    with pytest.raises(AmbiguousStream):
        streams.check_change(clash)
    free = streams[UUID(int=1)].updated(tags={"name": "c"}, collection="lab")
    streams.check_change(free)
    streams.change(free)
    streams.check_change(clash)
    assert streams.collections() == ["lab", "plant"]


def test_a_change_of_a_missing_stream_is_refused() -> None:
    with pytest.raises(NoSuchStream):
        Registry().check_change(stream(1).updated())


def test_a_lookup_by_prefix_is_a_plain_prefix() -> None:
    streams = registry(stream(1, "a"), stream(2, "a/b"), stream(3, "ab"), stream(4, "b"))
    assert [found.collection for found in streams.find("a")] == ["a", "a/b", "ab"]
    assert [found.collection for found in streams.find("a/")] == ["a/b"]
    assert [found.collection for found in streams.find(collection="a")] == ["a"]
    assert streams.find("b", collection="a") == []
    assert [found.collection for found in streams.find()] == streams.collections() == ["a", "a/b", "ab", "b"]


def test_listings_are_in_order_of_collection_name_and_uuid() -> None:
    wanted = [stream(4, "a", name="x"), stream(3, "a", name="y"), stream(1, "a-b"), stream(2, "å")]
    assert registry(*reversed(wanted)).find() == wanted
    assert registry(*wanted).collections() == ["a", "a-b", "å"]


def test_one_stream() -> None:
    streams = registry(stream(1, name="a"), stream(2, name="b"), stream(3, "lab", name="a", unit="C"))
    assert streams.one(UUID(int=2)).name == "b"
    assert streams.one(str(UUID(int=2))).name == "b"
    assert streams.one("lab").uuid == UUID(int=3)
    assert streams.one("lab", {"unit": "C"}).uuid == UUID(int=3)
    assert streams.one("plant", {"name": "b"}).uuid == UUID(int=2)
    with pytest.raises(AmbiguousStream):
        streams.one("plant")
    for missing in ("la", "nowhere", UUID(int=9), str(UUID(int=9))):
        with pytest.raises(NoSuchStream):
            streams.one(missing)
    wrong: Any = 7
    with pytest.raises(InvalidArgument):
        streams.one(wrong)


def test_an_obliterated_stream_leaves_no_trace() -> None:
    streams = registry(stream(1, name="a"))
    streams.obliterate(UUID(int=1))
    assert (len(streams), streams.find(), streams.collections()) == (0, [], [])
    assert UUID(int=1) not in streams
    streams.check_new(stream(2, name="a"))


def test_the_list_of_all_streams_is_the_same_until_something_changes() -> None:
    named = [stream(3, "a", name="z"), stream(4, "a", name="y")]
    streams = registry(stream(2, "b"), stream(1, "b", unit="C"), *named)
    before = streams.in_order()
    assert [metadata.uuid.int for metadata in before] == [4, 3, 1, 2]
    assert streams.in_order() is before
    streams.bury(UUID(int=9))
    assert streams.in_order() is before
    streams.change(stream(3, "c"))
    assert [metadata.uuid.int for metadata in streams.in_order()] == [4, 1, 2, 3]
    streams.obliterate(UUID(int=1))
    streams.add(stream(5, "0"))
    assert [metadata.uuid.int for metadata in streams.in_order()] == [5, 4, 2, 3]
