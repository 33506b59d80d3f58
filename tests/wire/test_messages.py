"""The messages: as the .proto says, as BTrDB's client has them, and without the extra not at all."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from btrdb.grpcinterface import btrdb_pb2
from google.protobuf import descriptor_pb2
from hypothesis import given
from hypothesis import strategies as st

from otrdb.wire import btrdb
from tools.proto import WIRE, make

OURS = btrdb.DESCRIPTOR
THEIRS = btrdb_pb2.DESCRIPTOR


def described(file: Any) -> Any:
    """The descriptors, without what a compiler may add to them."""
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    for message in proto.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return proto


@pytest.mark.parametrize("proto", sorted(WIRE.glob("*.proto")), ids=lambda path: path.stem)
def test_what_is_committed_is_what_make_proto_makes(proto: Path, tmp_path: Path) -> None:
    make(proto, tmp_path)
    read = descriptor_pb2.FileDescriptorSet.FromString
    made = read((tmp_path / f"{proto.stem}.binpb").read_bytes())
    committed = read(proto.with_suffix(".binpb").read_bytes())
    assert made == committed
    assert names(tmp_path / f"{proto.stem}.pyi") == names(proto.with_suffix(".pyi"))


def names(types: Path) -> set[str]:
    return {line.split("(")[0].strip() for line in types.read_text().splitlines() if "class " in line}


def fields(message: Any) -> dict[str, tuple[Any, ...]]:
    return {
        field.name: (
            field.number,
            field.type,
            field.is_repeated,
            field.message_type and field.message_type.name,
            field.enum_type and field.enum_type.name,
            field.containing_oneof and field.containing_oneof.name,
        )
        for field in message.fields
    }


def test_there_are_the_messages_btrdbs_client_knows() -> None:
    assert OURS.package == THEIRS.package
    assert set(OURS.message_types_by_name) >= set(THEIRS.message_types_by_name)
    assert set(OURS.enum_types_by_name) == set(THEIRS.enum_types_by_name)


@pytest.mark.parametrize("name", sorted(THEIRS.message_types_by_name))
def test_fields_have_the_names_numbers_and_types_they_have_there(name: str) -> None:
    ours, theirs = OURS.message_types_by_name[name], THEIRS.message_types_by_name[name]
    assert fields(ours) == fields(theirs)
    assert [{value.name: value.number for value in enum.values} for enum in ours.enum_types] == [
        {value.name: value.number for value in enum.values} for enum in theirs.enum_types
    ]


def test_enumerations_have_the_values_they_have_there() -> None:
    for name, theirs in THEIRS.enum_types_by_name.items():
        ours = OURS.enum_types_by_name[name]
        assert {value.name: value.number for value in ours.values} == {
            value.name: value.number for value in theirs.values
        }


def test_methods_have_the_requests_and_answers_they_have_there() -> None:
    def methods(file: Any) -> dict[str, tuple[Any, ...]]:
        return {
            method.name: (
                method.input_type.name,
                method.output_type.name,
                method.client_streaming,
                method.server_streaming,
            )
            for method in file.services_by_name["BTrDB"].methods
        }

    assert methods(OURS) == methods(THEIRS)


@given(
    points=st.lists(
        st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False)), max_size=5
    ),
    policy=st.integers(0, 3),
    bits=st.none() | st.integers(-5, 60),
)
def test_messages_mean_the_same_to_both(
    points: list[tuple[int, float]], policy: int, bits: int | None
) -> None:
    given_fields: dict[str, Any] = {"uuid": b"u" * 16, "merge_policy": policy, "sync": True}
    if bits is not None:
        given_fields["rounding"] = {"bits": bits}
    pairs = [{"time": time, "value": value} for time, value in points]
    ours = btrdb.InsertParams(**given_fields, values=pairs)
    theirs = btrdb_pb2.InsertParams(**given_fields, values=pairs)
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


@pytest.mark.parametrize("module", ["otrdb.wire.btrdb", "otrdb.wire.points"])
def test_a_missing_extra_is_told(module: str) -> None:
    script = (
        "import sys\n"
        "for name in ('google', 'google.protobuf', 'grpc'): sys.modules[name] = None\n"
        "import importlib, otrdb\n"
        f"try: importlib.import_module({module!r})\n"
        "except otrdb.OtrError as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("MissingExtra")
    assert "otrdb[server]" in done.stdout


def test_the_package_itself_loads_neither_grpc_nor_protobuf() -> None:
    script = "import sys, otrdb; print([name for name in ('grpc', 'google.protobuf') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
