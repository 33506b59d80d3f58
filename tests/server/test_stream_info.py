"""StreamInfo: the version lets a client read all that was acknowledged, and costs no commit."""

from typing import Any

from btrdb import exceptions
from btrdb.grpcinterface import btrdb_pb2 as pb

import otrdb
from tests.server.asking import UNKNOWN, make, refused


def test_the_version_holds_every_acknowledged_point(client: Any, archive: otrdb.Archive) -> None:
    made = make(client, name="heat")
    stream = archive.stream(made.uuid)
    versions = []
    for number in range(1, 4):
        stream.insert(number, 0.5)
        versions.append(made.version())
        assert stream.at(versions[-1]).count() == number
    assert versions == sorted(set(versions))
    assert [stream.at(version).count() for version in versions] == [1, 2, 3]


def test_asking_for_a_version_commits_nothing(client: Any, archive: otrdb.Archive) -> None:
    made = make(client)
    archive.stream(made.uuid).insert([1, 2], [0.5, 0.7])
    before = archive.stats()
    assert made.version() == made.version()
    assert archive.stats()["pending_points"] == before["pending_points"] == 2
    assert archive.stats()["segment_bytes"] == before["segment_bytes"]


def test_without_a_version_no_mark_is_made(client: Any, archive: otrdb.Archive) -> None:
    made = make(client, name="heat")
    stream = archive.stream(made.uuid)
    stream.insert(1, 0.5)
    for _ in range(3):
        made.refresh_metadata()
    assert stream.insert(2, 0.5).version == 10


def test_parts_can_be_left_out(client: Any) -> None:
    made = make(client, name="heat")

    def ask(**omitted: bool) -> Any:
        return client.ep.stub.StreamInfo(pb.StreamInfoParams(uuid=made.uuid.bytes, **omitted))

    whole, version, descriptor = ask(), ask(omitDescriptor=True), ask(omitVersion=True)
    assert (whole.versionMajor, whole.descriptor.collection) == (10, "plant")
    assert (version.versionMajor, version.HasField("descriptor")) == (10, False)
    assert (descriptor.versionMajor, descriptor.descriptor.propertyVersion) == (0, 1)
    assert ask(omitVersion=True, omitDescriptor=True).stat.code == 421
    assert not whole.HasField("stat")


def test_an_unknown_stream_is_told_in_the_words_clients_look_for(client: Any) -> None:
    answer = client.ep.stub.StreamInfo(pb.StreamInfoParams(uuid=UNKNOWN.bytes))
    assert (answer.stat.code, answer.stat.msg) == (404, "stream does not exist")
    unknown = client.stream_from_uuid(UNKNOWN)
    assert not unknown.exists()
    assert refused(unknown.version) is exceptions.StreamNotFoundError


def test_a_descriptor_is_of_one_moment(client: Any, archive: otrdb.Archive) -> None:
    """Never the annotations of one property version with the number of another."""
    from concurrent.futures import ThreadPoolExecutor

    made = make(client, annotations={"count": "1"})
    stream = archive.stream(made.uuid)

    def change() -> None:
        for number in range(2, 200):
            stream.update(annotations={"count": str(number)})

    with ThreadPoolExecutor() as pool:
        changing = pool.submit(change)
        while not changing.done():
            _, version, _, annotations, _ = client.ep.streamInfo(made.uuid, False, True)
            assert annotations == {"count": str(version)}
        changing.result()
