"""LookupStreams, ListCollections and GetMetadataUsage: all that match, in order, in messages that fit."""

from typing import Any
from uuid import UUID

import pytest
from btrdb import exceptions
from btrdb.grpcinterface import btrdb_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

import otrdb
from otrdb.server.batches import MOST_BYTES, MOST_ITEMS, batches
from tests.server.asking import make, pair


def names(client: Any, *collections: str, **asked: Any) -> list[str]:
    return [stream.name for stream in client.streams_in_collection(*collections, **asked)]


@pytest.fixture
def plant(client: Any) -> Any:
    """The client of a server with five streams in four collections."""
    make(client, "plant", name="b", unit="C", annotations={"site": "north"})
    make(client, "plant", name="a", unit="V", annotations={"site": "south", "note": ""})
    make(client, "plant-2", name="e", unit="C")
    make(client, "plant/line1", name="d", unit="C", annotations={"site": "north"})
    make(client, "plant/", name="c")
    return client


def test_a_prefix_is_plain_text(plant: Any) -> None:
    assert names(plant, "plant") == ["a", "b", "e", "c", "d"]
    assert names(plant, "plant/") == ["c", "d"]
    assert names(plant, "plant/l") == ["d"]
    assert names(plant) == names(plant, "") == ["a", "b", "e", "c", "d"]
    assert names(plant, "Plant") == []


def test_an_exact_collection_is_that_and_no_other(plant: Any) -> None:
    assert names(plant, "plant", is_collection_prefix=False) == ["a", "b"]
    assert names(plant, "plant/", is_collection_prefix=False) == ["c"]
    assert names(plant, "", is_collection_prefix=False) == []
    assert names(plant, "plant", "plant-2", is_collection_prefix=False) == ["a", "b", "e"]


def test_all_properties_given_must_match(plant: Any) -> None:
    assert names(plant, tags={"unit": "C"}) == ["b", "e", "d"]
    assert names(plant, tags={"unit": "c"}) == []
    assert names(plant, tags={"unit": None}) == ["a", "b", "e", "d"]
    assert names(plant, tags={"unit": ""}) == []
    assert names(plant, annotations={"site": "north"}) == ["b", "d"]
    assert names(plant, annotations={"site": None}) == ["a", "b", "d"]
    assert names(plant, annotations={"note": ""}) == ["a"]
    assert names(plant, "plant", tags={"unit": "C"}, annotations={"site": "north"}) == ["b", "d"]
    assert names(plant, tags={"unit": "C", "name": "e"}, annotations={"site": None}) == []


def test_a_key_given_twice_must_match_twice(plant: Any) -> None:
    def found(*tags: Any) -> int:
        request = pb.LookupStreamsParams(isCollectionPrefix=True, tags=tags)
        return sum(len(message.results) for message in plant.ep.stub.LookupStreams(request))

    assert found(pair("unit"), pair("unit", "C")) == 3
    assert found(pair("unit", "V"), pair("unit", "C")) == 0


def test_everything_is_told_of_a_stream(plant: Any) -> None:
    (found,) = plant.streams_in_collection("plant", tags={"name": "a"})
    assert (found.collection, found.tags()) == ("plant", {"name": "a", "unit": "V"})
    (message,) = plant.ep.lookupStreams("plant", False, {"name": "a"}, {})
    (descriptor,) = message
    assert (UUID(bytes=descriptor.uuid), descriptor.propertyVersion) == (found.uuid, 1)
    assert {each.key: each.val.value for each in descriptor.annotations} == {"site": "south", "note": ""}


def test_collection_and_name_are_an_identifier(plant: Any) -> None:
    (stream,) = plant.streams("plant/a")
    assert stream.name == "a"
    with pytest.raises(exceptions.StreamNotFoundError):
        plant.streams("plant/nosuch")


def test_nothing_found_is_one_empty_message(client: Any) -> None:
    assert [list(found) for found in client.ep.lookupStreams("", True, {}, {})] == [[]]
    assert [list(found) for found in client.ep.listCollections("nosuch")] == [[]]


def test_collections_are_in_the_order_of_their_bytes(client: Any) -> None:
    collections = ["a", "a-b", "a/b", "a0", "ab", "å", "\uffff", "𐍈"]
    for collection in reversed(collections):
        make(client, collection, name="1")
        make(client, collection, name="2")
    assert client.list_collections() == collections == sorted(collections, key=str.encode)
    assert client.list_collections("a") == collections[:5]
    assert client.list_collections("a/") == ["a/b"]
    assert client.list_collections("A") == []


def test_usage_counts_the_keys_there_are(plant: Any) -> None:
    assert plant.collection_metadata("plant") == ({"name": 5, "unit": 4}, {"note": 1, "site": 3})
    assert plant.collection_metadata("plant/line1") == ({"name": 1, "unit": 1}, {"site": 1})
    assert plant.collection_metadata("nosuch") == ({}, {})
    (stream,) = plant.streams("plant/line1/d")
    stream.update(annotations={"later": 1}, replace=True)
    stream.update(tags={"ingress": "modbus"})
    assert plant.collection_metadata("plant/line1") == ({"ingress": 1, "name": 1, "unit": 1}, {"later": 1})


def test_changes_are_seen_at_once(plant: Any) -> None:
    (stream,) = plant.streams("plant/line1/d")
    stream.update(collection="lab", tags={"name": "z"})
    assert names(plant, "plant/line1") == []
    assert names(plant, "lab") == ["z"]
    stream.obliterate()
    assert names(plant, "lab") == []


def test_many_streams_come_in_messages_that_every_client_takes(
    client: Any, archive: otrdb.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otrdb.server.batches.MOST_ITEMS", 100)
    monkeypatch.setattr("otrdb.server.batches.MOST_BYTES", 100_000)
    text = "ø" * 255
    for number in range(210):
        annotations = {f"note {n}": text for n in range(8)} if number < 70 else None
        archive.create(f"c{number:03}", tags={"name": "n"}, annotations=annotations)
    messages = list(client.ep.stub.LookupStreams(pb.LookupStreamsParams(isCollectionPrefix=True)))
    found = [result.collection for message in messages for result in message.results]
    assert found == [f"c{number:03}" for number in range(210)]
    assert max(len(message.results) for message in messages) <= 100
    assert max(message.ByteSize() for message in messages) < 101_000
    assert len(messages) >= 5
    assert [len(some) for some in client.ep.listCollections("")] == [100, 100, 10]


@given(st.lists(st.integers(0, MOST_BYTES * 2), max_size=12), st.integers(1, 5))
def test_batches_hold_everything_once_and_little_each(sizes: list[int], times: int) -> None:
    sizes = sizes * times
    found = list(batches(sizes, lambda size: size))
    assert [size for batch in found for size in batch] == sizes
    assert all(len(batch) == 1 or sum(batch) <= MOST_BYTES for batch in found)
    assert all(found) or found == [[]]


def test_batches_are_cut_by_number_too() -> None:
    assert [len(batch) for batch in batches(range(2 * MOST_ITEMS + 1), lambda _: 1)] == [
        MOST_ITEMS,
        MOST_ITEMS,
        1,
    ]
