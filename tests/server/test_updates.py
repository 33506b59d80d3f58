"""SetStreamAnnotations and SetStreamTags: what is set and removed, and who wins."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from btrdb import exceptions
from btrdb.grpcinterface import btrdb_pb2 as pb

from tests.server.asking import UNKNOWN, make, pair, refused
from tests.server.test_create import (
    NO_ANNOTATION_KEYS,
    NO_TAG_KEYS,
    NO_VALUES,
)


def known(client: Any, stream: Any) -> tuple[str, int, dict[str, str], dict[str, str]]:
    """Collection, property version, tags and annotations, as they are on the server."""
    found: tuple[str, int, dict[str, str], dict[str, str]] = client.ep.streamInfo(stream.uuid, False, True)[
        :4
    ]
    return found


def set_annotations(client: Any, stream: Any, expected: int = 0, **fields: Any) -> int:
    request = pb.SetStreamAnnotationsParams(
        uuid=stream.uuid.bytes, expectedPropertyVersion=expected, **fields
    )
    code: int = client.ep.stub.SetStreamAnnotations(request).stat.code
    return code


def set_tags(client: Any, stream: Any, expected: int = 0, **fields: Any) -> int:
    request = pb.SetStreamTagsParams(uuid=stream.uuid.bytes, expectedPropertyVersion=expected, **fields)
    code: int = client.ep.stub.SetStreamTags(request).stat.code
    return code


def test_annotations_are_values_of_json(client: Any) -> None:
    stream = make(client, name="heat")
    values = {"text": "A 3", "number": 7, "half": 0.5, "none": None, "list": [1, "2"], "object": {"a": True}}
    assert stream.update(annotations=values) == 2
    assert client.stream_from_uuid(stream.uuid).annotations() == (values, 2)


def test_annotations_are_set_beside_others_and_replaced(client: Any) -> None:
    stream = make(client, annotations={"a": "1", "b": "2"})
    stream.refresh_metadata()
    stream.update(annotations={"b": 3, "c": 4})
    assert known(client, stream)[3] == {"a": "1", "b": "3", "c": "4"}
    stream.update(annotations={"c": 5}, replace=True)
    assert known(client, stream)[3] == {"c": "5"}
    stream.update(annotations={}, replace=True)
    assert known(client, stream)[1:] == (4, {}, {})


def test_annotations_without_a_value_and_removals_go(client: Any) -> None:
    stream = make(client, annotations={"a": "1", "b": "2", "c": "3"})
    assert set_annotations(client, stream, changes=[pair("a")], removals=["b", "nosuch"]) == 0
    assert known(client, stream)[3] == {"c": "3"}
    assert set_annotations(client, stream, changes=[pair("c", "")]) == 0
    assert known(client, stream)[3] == {"c": ""}


def test_tags_are_set_removed_and_moved(client: Any) -> None:
    stream = make(client, name="heat", unit="C")
    assert stream.update(tags={"unit": "K", "ingress": "modbus"}) == 2
    assert known(client, stream)[2] == {"name": "heat", "unit": "K", "ingress": "modbus"}
    assert stream.update(collection="plant/line2") == 3
    assert set_tags(client, stream, tags=[pair("unit")], remove=["ingress", "nosuch"]) == 0
    assert known(client, stream) == ("plant/line2", 4, {"name": "heat"}, {})
    assert client.list_collections() == ["plant/line2"]


def test_tags_and_annotations_together_are_two_changes(client: Any) -> None:
    stream = make(client, name="heat")
    assert stream.update(tags={"unit": "K"}, annotations={"a": 1}, collection="b") == 3
    assert known(client, stream) == ("b", 3, {"name": "heat", "unit": "K"}, {"a": "1"})


def test_a_change_to_what_another_stream_is_called_leaves_nothing_behind(client: Any) -> None:
    make(client, "a", name="heat")
    stream = make(client, "b", name="heat")
    other = make(client, "a", name="cold")
    assert refused(stream.update, collection="a") is exceptions.AmbiguousStream
    assert refused(other.update, tags={"name": "heat"}) is exceptions.AmbiguousStream
    assert set_tags(client, other, tags=[pair("name", "heat")]) == 418
    assert known(client, stream) == ("b", 1, {"name": "heat"}, {})
    assert known(client, other) == ("a", 1, {"name": "cold"}, {})


def test_the_expected_property_version_must_be_the_present_one(client: Any) -> None:
    stream, stale = make(client, name="heat"), None
    stale = client.stream_from_uuid(stream.uuid)
    stale.refresh_metadata()
    stream.update(annotations={"a": 1})
    assert refused(stale.update, annotations={"a": 2}) is exceptions.BTRDBServerError
    assert refused(stale.update, tags={"unit": "K"}) is exceptions.BTRDBServerError
    assert set_annotations(client, stream, 7, changes=[pair("a", "2")]) == 423
    assert set_tags(client, stream, 1, tags=[pair("unit", "K")]) == 423
    assert known(client, stream)[1:] == (2, {"name": "heat"}, {"a": "1"})


def test_0_expects_any_property_version(client: Any) -> None:
    stream = make(client)
    assert set_annotations(client, stream, 0, changes=[pair("a", "1")]) == 0
    assert set_tags(client, stream, 0, tags=[pair("unit", "K")]) == 0
    assert known(client, stream)[1:] == (3, {"unit": "K"}, {"a": "1"})


def test_of_concurrent_changes_that_expect_the_same_one_wins(client: Any) -> None:
    stream = make(client)
    with ThreadPoolExecutor(8) as pool:
        for version in range(1, 6):
            codes = pool.map(
                lambda n, expected=version: set_annotations(
                    client, stream, expected, changes=[pair("winner", str(n))]
                ),
                range(8),
            )
            assert sorted(codes) == [0] + [423] * 7
    assert known(client, stream)[1] == 6


def test_data_does_not_change_the_property_version(client: Any, archive: Any) -> None:
    stream = make(client)
    archive.stream(stream.uuid).insert([1, 2], [0.5, 0.7])
    archive.stream(stream.uuid).delete(1, 2)
    assert known(client, stream)[1] == 1


def test_names_are_checked(client: Any) -> None:
    stream = make(client, annotations={"a": "1"})
    for key in NO_TAG_KEYS:
        assert refused(stream.update, tags={key: "x"}) is exceptions.InvalidTagKey
    for key in NO_ANNOTATION_KEYS:
        assert refused(stream.update, annotations={key: 1}) is exceptions.InvalidTagKey
    for text in NO_VALUES:
        assert refused(stream.update, tags={"name": text}) is exceptions.InvalidTagValue
        assert set_annotations(client, stream, changes=[pair("a", text)]) == 409
    for collection in ("a" * 256, "a\0"):
        assert refused(stream.update, collection=collection) is exceptions.InvalidCollection
    assert known(client, stream) == ("plant", 1, {}, {"a": "1"})


def test_an_empty_collection_is_the_present_one(client: Any) -> None:
    stream = make(client)
    assert set_tags(client, stream, tags=[pair("name", "heat")], collection="") == 0
    assert known(client, stream)[:3] == ("plant", 2, {"name": "heat"})


def test_an_unknown_stream(client: Any) -> None:
    unknown = client.stream_from_uuid(UNKNOWN)
    assert set_annotations(client, unknown) == 404
    assert set_tags(client, unknown) == 404
