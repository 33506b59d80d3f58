"""What is exported and imported again is the same."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrdb.cli import export
from otrdb.model import LAST_TIME, MIN_TIME, Kind
from tests.cli.harness import Shell

VALUES = {
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.INT: st.integers(-(1 << 63), (1 << 63) - 1),
    Kind.BOOL: st.booleans(),
}
times = st.integers(0, 5) | st.integers(MIN_TIME, LAST_TIME)
columns = st.sampled_from(list(Kind)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.tuples(times, VALUES[kind]), min_size=1, max_size=12))
)


def bits(shell: Shell) -> dict[str, tuple[bytes, bytes]]:
    """Every stream's points, to the bit, by path."""
    with shell.open() as db:
        return {
            f"{stream.collection}/{stream.name}": (points.times.tobytes(), points.values.tobytes())
            for stream in db.streams()
            for points in [stream.values()]
        }


@settings(max_examples=12)
@given(st.lists(columns, min_size=1, max_size=4), st.sampled_from(["csv", "parquet"]))
def test_every_export_imports_again_to_the_same_points(
    streams: list[tuple[Kind, list[tuple[int, float | int | bool]]]], ending: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        here, there = Shell(folder / "here.otr"), Shell(folder / "there.otr")
        kinds = []
        with here.open() as db:
            for number, (kind, points) in enumerate(streams):
                stream = db.create("plant/line1", kind=kind, tags={"name": f"n{number}"})
                stream.insert([time for time, _ in points], [value for _, value in points])
                kinds += ["--kind", f"plant/line1/n{number}={kind.value}"]
        file = folder / f"all.{ending}"
        here.ok("export", "--prefix", "plant", "-o", file)
        there.ok("import", file, *(["--paths", *kinds] if ending == "csv" else []))
        assert bits(there) == bits(here)


def test_parquet_restores_the_streams(plant: Shell, tmp_path: Path) -> None:
    with plant.open() as db:
        (stream,) = db.streams(tags={"name": "a bool"})
        stream.update(annotations={"note": "hand made"})
    file, other = tmp_path / "all.parquet", Shell(tmp_path / "other.otr")
    plant.ok("export", "--prefix", "", "-o", file)
    other.ok("import", file)
    for name in ("a float", "a int", "a bool"):
        ours, theirs = (shell.json("info", f"plant/line1/{name}") for shell in (plant, other))
        for key in ("collection", "kind", "tags", "annotations", "points", "first", "last"):
            assert ours[key] == theirs[key]
    other.ok("import", file, "--merge", "equal")
    assert bits(other) == bits(plant)
    other.ok("import", file, "--collection", "copy")
    assert [row["collection"] for row in other.json("streams")] == ["copy"] * 3 + ["plant/line1"] * 3


def test_streams_of_one_path_are_told_apart(shell: Shell, tmp_path: Path) -> None:
    uuids = [shell.ok("create", "plant", "--name", "x", "--tag", f"axis={axis}").strip() for axis in "ab"]
    for number, uuid in enumerate(uuids):
        shell.ok("insert", uuid, number, number)
    file, other = tmp_path / "x.parquet", Shell(tmp_path / "other.otr")
    shell.ok("export", *uuids, "-o", file)
    assert parquet.read_schema(file).names == ["time", *uuids]
    other.ok("import", file)
    assert {row["tags"] for row in other.json("streams")} == {"axis=a", "axis=b"}
    assert other.json("values", "plant/x", "--tag", "axis=b")[0]["value"] == 1.0


def test_a_range_is_exported(plant: Shell, tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    words = ["--start", 2 * 10**9, "--end", 4 * 10**9, "--times", "ns"]
    plant.ok("export", "plant/line1/a int", "plant/line1/a bool", "-o", file, *words)
    assert file.read_text() == (
        "time,plant/line1/a int,plant/line1/a bool\n2000000000,20,false\n3000000000,30,true\n"
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_nothing_is_exported_as_columns_without_rows(plant: Shell, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"none.{ending}"
    result = plant.run("export", "--prefix", "plant", "-o", file, "--start", "now")
    assert result.stderr == f"{file}: 0 points, 3 streams\n"
    plant.ok("import", file, "--dry-run", "--time-unit", "ns", *(["--paths"] if ending == "csv" else []))


def test_many_points_are_written_in_pieces(shell: Shell, tmp_path: Path) -> None:
    count = 150_000
    stamps = np.arange(count) * 1_000
    with shell.open() as db:
        stream = db.create("plant", tags={"name": "x"})
        stream.insert(stamps, np.sin(stamps))
    file, other = tmp_path / "x.parquet", Shell(tmp_path / "other.otr")
    shell.ok("export", "plant/x", "-o", file)
    assert parquet.ParquetFile(file).num_row_groups > 1
    other.ok("import", file)
    assert bits(other) == bits(shell)


def test_a_file_is_not_overwritten_unasked(plant: Shell, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("mine")
    plant.refused("OTR-4210", "export", "--prefix", "plant", "-o", file)
    assert file.read_text() == "mine"
    plant.ok("export", "--prefix", "plant", "-o", file, "--force")
    assert len(file.read_text().splitlines()) == 11


def test_a_failed_export_leaves_nothing(
    plant: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "x.csv"
    file.write_text("mine")
    monkeypatch.setattr(export, "_renamed", stumble)
    assert plant.run("export", "--prefix", "plant", "-o", file, "--force").exit_code == 130
    assert [path.name for path in sorted(tmp_path.glob("x*"))] == ["x.csv"]
    assert file.read_text() == "mine"
    plant.refused("OTR-4210", "export", "--prefix", "plant", "-o", tmp_path / "no" / "where.csv")


def test_an_export_names_its_streams(plant: Shell, tmp_path: Path) -> None:
    assert plant.run("export", "-o", tmp_path / "x.csv").exit_code == 2
    plant.refused("OTR-4040", "export", "--prefix", "nowhere", "-o", tmp_path / "x.csv")
    plant.refused("OTR-4040", "export", "nothing", "-o", tmp_path / "x.csv")


def test_a_file_with_foreign_metadata_is_refused(plant: Shell, tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    plant.ok("export", "--prefix", "plant", "-o", file)
    table = parquet.read_table(file).replace_schema_metadata({"otrdb.streams": "[1]"})
    parquet.write_table(table, file)
    assert "metadata" in plant.refused("OTR-4210", "import", file)


def _everything(shell: Shell) -> list[dict[str, object]]:
    with shell.open() as db:
        return [
            {
                "uuid": stream.uuid,
                "kind": stream.kind,
                "collection": stream.collection,
                "tags": stream.tags,
                "annotations": stream.annotations,
                "times": stream.values().times.tobytes(),
                "values": stream.values().values.tobytes(),
            }
            for stream in db.streams()
        ]


def test_streams_come_back_with_everything(plant: Shell, tmp_path: Path) -> None:
    """Identity, metadata, exact values, streams without points, and no second time."""
    file, other = tmp_path / "all.parquet", Shell(tmp_path / "other.otr")
    with plant.open() as db:
        (floats,), (ints,) = (db.streams(tags={"name": name}) for name in ("a float", "a int"))
        floats.update(annotations={"note": "ünï\ncode"})
        floats.insert([MIN_TIME, LAST_TIME, 5, 5], [-0.0, 5e-324, 1e308, 1e308])
        ints.insert([MIN_TIME, 5, 5, 6], [-(1 << 63), (1 << 63) - 1, (1 << 53) + 1, 1 << 62])
        for kind in Kind:
            db.create("plant/empty", kind=kind, tags={"name": kind.value})
    plant.ok("export", "--prefix", "", "-o", file)
    other.ok("import", file)
    assert _everything(other) == _everything(plant)
    other.ok("import", file, "--merge", "retain")
    assert len(other.json("streams")) == 6


def test_a_column_goes_into_the_stream_it_came_from_whatever_that_is_called_now(
    plant: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "all.parquet"
    plant.ok("export", "plant/line1/a int", "-o", file)
    with plant.open() as db:
        (stream,) = db.streams(tags={"name": "a int"})
        stream.update(collection="mill", tags={"name": "renamed"})
        stream.delete(0, 6 * 10**9)
    plant.ok("import", file, "--merge", "retain")
    assert len(plant.json("streams")) == 3
    assert len(plant.points("renamed")) == 10


def test_a_column_goes_into_the_stream_that_is_called_so_or_a_new_one(plant: Shell, tmp_path: Path) -> None:
    file, other = tmp_path / "all.parquet", Shell(tmp_path / "other.otr")
    plant.ok("export", "--prefix", "", "-o", file)
    mine = other.ok("create", "plant/line1", "--name", "a int", "--unit", "C", "--kind", "int").strip()
    other.ok("import", file)
    theirs = {row["uuid"] for row in plant.json("streams")}
    uuids = {row["name"]: row["uuid"] for row in other.json("streams")}
    assert uuids.pop("a int") == mine
    assert set(uuids.values()) < theirs
    other.ok("import", file, "--collection", "copy")
    copies = {row["uuid"] for row in other.json("streams") if row["collection"] == "copy"}
    assert len(copies - theirs) == 3


def test_files_that_do_not_tell_uuids_are_read_too(plant: Shell, tmp_path: Path) -> None:
    file, other = tmp_path / "old.parquet", Shell(tmp_path / "other.otr")
    plant.ok("export", "--prefix", "", "-o", file)
    table = parquet.read_table(file)
    origins = json.loads(table.schema.metadata[b"otrdb.streams"])
    for origin in origins.values():
        del origin["uuid"]
    parquet.write_table(table.replace_schema_metadata({"otrdb.streams": json.dumps(origins)}), file)
    other.ok("import", file)
    assert bits(other) == bits(plant)
    for origin in origins.values():
        origin["uuid"] = "mine"
    parquet.write_table(table.replace_schema_metadata({"otrdb.streams": json.dumps(origins)}), file)
    assert "metadata" in other.refused("OTR-4210", "import", file)


def test_two_columns_never_go_into_one_stream(plant: Shell, tmp_path: Path) -> None:
    """One stream has the uuid of one column now, and the name of the other."""
    file, other = tmp_path / "all.parquet", Shell(tmp_path / "other.otr")
    plant.ok("export", "plant/line1/a int", "plant/line1/a float", "-o", file)
    (row,) = (row for row in plant.json("streams") if row["name"] == "a int")
    other.ok("create", "plant/line1", "--name", "a float", "--unit", "C", "--uuid", row["uuid"])
    assert "two columns" in other.refused("OTR-4180", "import", file)
