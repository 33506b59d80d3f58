"""Obliterate: the stream is gone for every question, its name is free, its uuid is not."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from btrdb import exceptions

import otrdb
from otrdb.server.rpc import Scope
from otrdb.server.service import RPCS
from tests.server.asking import UNKNOWN, make, refused


def test_every_later_question_answers_404(client: Any, archive: otrdb.Archive) -> None:
    stream = make(client, name="heat")
    archive.stream(stream.uuid).insert([1, 2], [0.5, 0.7])
    stream.obliterate()
    for ask in (
        stream.version,
        stream.refresh_metadata,
        stream.obliterate,
        lambda: stream.update(annotations={"a": 1}),
        lambda: stream.update(tags={"unit": "K"}),
    ):
        assert refused(ask) is exceptions.StreamNotFoundError
    assert not client.stream_from_uuid(stream.uuid).exists()
    assert client.streams_in_collection() == []
    assert client.query("SELECT uuid FROM streams") == []
    assert client.collection_metadata("") == ({}, {})


def test_a_collection_vanishes_with_its_last_stream(client: Any) -> None:
    first, second, below = make(client, "a", name="1"), make(client, "a", name="2"), make(client, "a/b")
    first.obliterate()
    assert client.list_collections() == ["a", "a/b"]
    second.obliterate()
    assert client.list_collections() == ["a/b"]
    below.obliterate()
    assert client.list_collections() == []


def test_the_name_is_free_for_another_uuid(client: Any) -> None:
    first = make(client, name="heat")
    first.obliterate()
    second = make(client, name="heat")
    assert [stream.uuid for stream in client.streams_in_collection("plant")] == [second.uuid]
    assert refused(make, client, "elsewhere", uuid=first.uuid) is exceptions.RecycledUUID


def test_an_unknown_stream(client: Any) -> None:
    assert refused(client.stream_from_uuid(UNKNOWN).obliterate) is exceptions.StreamNotFoundError


def test_of_many_who_obliterate_one_does(client: Any) -> None:
    stream = make(client)

    def ask(_: int) -> bool:
        try:
            client.ep.obliterate(stream.uuid)
        except exceptions.StreamNotFoundError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


def test_only_an_administrator_may() -> None:
    scopes = {rpc.name: rpc.scope for rpc in RPCS}
    assert scopes["Obliterate"] is Scope.ADMIN
    assert {scopes[name] for name in ("Create", "SetStreamTags", "SetStreamAnnotations")} == {Scope.WRITE}
    reading = (
        "StreamInfo",
        "LookupStreams",
        "ListCollections",
        "GetMetadataUsage",
        "SQLQuery",
        "GenerateCSV",
    )
    assert {scopes[name] for name in reading} == {Scope.READ}
