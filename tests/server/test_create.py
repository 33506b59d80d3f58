"""Create: names, identities, and which refusal comes first."""

from typing import Any
from uuid import uuid4

import pytest
from btrdb import exceptions
from btrdb.grpcinterface import btrdb_pb2 as pb

import otrdb
from tests.server.asking import make, pair, refused

COLLECTIONS = ["a", "a/b/", "tests[1]-x/test_it[param]/tmp", "a" * 255, "ø" * 127]
NO_COLLECTIONS = ["", "a" * 256, "ø" * 128, "a\0b"]
TAG_KEYS = ["name", "unit", "a.b_c9", "a" * 63]
NO_TAG_KEYS = ["", "Name", "9a", "_a", "a-b", "a b", "å", "a" * 64, "a\n", "a\0"]
ANNOTATION_KEYS = ["note", "Serial No. 7", "ø" * 127]
NO_ANNOTATION_KEYS = ["", "a" * 256, "a\0"]
VALUES = ["", "°C", "ø" * 255]
NO_VALUES = ["v" * 256, "a\0"]


def test_a_new_stream_has_what_it_was_given(client: Any, archive: otrdb.Archive) -> None:
    made = make(client, "plant/line1", annotations={"cabinet": "3"}, name="heat", unit="C")
    found = client.stream_from_uuid(made.uuid)
    assert found.exists()
    assert (found.collection, found.name, found.unit) == ("plant/line1", "heat", "C")
    assert found.tags() == {"name": "heat", "unit": "C"}
    assert found.annotations() == ({"cabinet": 3}, 1)
    assert found.version() == 10
    assert archive.stream(made.uuid).kind == "float"


def test_no_tags_are_needed(client: Any) -> None:
    assert client.stream_from_uuid(make(client).uuid).tags() == {}


def test_names_allowed(client: Any) -> None:
    made = [make(client, collection) for collection in COLLECTIONS]
    made += [make(client, "keys", tags={key: "x"}) for key in TAG_KEYS]
    made += [make(client, "keys", annotations={key: "x"}, name=key) for key in ANNOTATION_KEYS]
    made += [make(client, "values", unit=text, annotations={"note": text}) for text in VALUES]
    assert all(client.stream_from_uuid(stream.uuid).exists() for stream in made)


def test_names_refused(client: Any) -> None:
    for collection in NO_COLLECTIONS:
        assert refused(make, client, collection) is exceptions.InvalidCollection
    for key in NO_TAG_KEYS:
        assert refused(make, client, tags={key: "x"}) is exceptions.InvalidTagKey
    for key in NO_ANNOTATION_KEYS:
        assert refused(make, client, annotations={key: "x"}) is exceptions.InvalidTagKey
    for text in NO_VALUES:
        assert refused(make, client, name=text) is exceptions.InvalidTagValue
        assert refused(make, client, annotations={"note": text}) is exceptions.InvalidTagValue
    assert client.list_collections() == []


def test_a_uuid_is_taken_once(client: Any) -> None:
    made = make(client, name="heat")
    assert refused(make, client, "other", uuid=made.uuid) is exceptions.StreamExists
    assert refused(make, client, uuid=made.uuid, name="heat") is exceptions.StreamExists


def test_collection_and_all_tags_are_taken_once(client: Any) -> None:
    make(client, name="heat", unit="C")
    assert refused(make, client, unit="C", name="heat") is exceptions.AmbiguousStream
    make(client, name="heat")
    make(client, name="heat", unit="K")
    make(client, "plant/", name="heat", unit="C")


def test_the_uuid_of_an_obliterated_stream_is_refused_first(client: Any) -> None:
    gone = make(client, name="heat")
    gone.obliterate()
    other = make(client, name="heat")
    assert refused(make, client, uuid=gone.uuid, name="heat") is exceptions.RecycledUUID
    assert refused(make, client, uuid=gone.uuid, name="new") is exceptions.RecycledUUID
    assert refused(make, client, "", uuid=gone.uuid) is exceptions.InvalidCollection
    assert refused(make, client, uuid=other.uuid) is exceptions.StreamExists


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_uuid_has_16_bytes(client: Any, size: int) -> None:
    answer = client.ep.stub.Create(pb.CreateParams(uuid=bytes(size), collection="plant"))
    assert answer.stat.code == 421


def test_properties_without_a_value_are_not_there(client: Any) -> None:
    uuid = uuid4()
    answer = client.ep.stub.Create(
        pb.CreateParams(
            uuid=uuid.bytes,
            collection="plant",
            tags=[pair("name", "heat"), pair("unit")],
            annotations=[pair("note"), pair("empty", "")],
        )
    )
    assert not answer.HasField("stat")
    assert client.stream_from_uuid(uuid).tags() == {"name": "heat"}
    assert client.ep.streamInfo(uuid, False, True)[3] == {"empty": ""}


def test_the_limit_on_new_streams_answers_426(tmp_path: Any) -> None:
    from otrdb.errors import TooManyStreams
    from otrdb.server.status import code_of

    with otrdb.open(tmp_path / "few.otr", new_streams=1) as db:
        db.create("a")
        with pytest.raises(TooManyStreams) as told:
            db.create("b")
    assert code_of(told.value) == 426
