"""`otrdb backup` and `otrdb restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import otrdb
from tests.cli.harness import Shell

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_new_is_copied_beside_a_writer(plant: Shell, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    first = plant.json("backup", target)
    assert first["reused_bytes"] == 0
    with plant.open() as writer:
        (stream,) = writer.streams(tags={"name": "a int"})
        stream.insert(11 * 10**9, 110)
        second = plant.json("backup", target)
        assert 0 < second["copied_bytes"] < first["copied_bytes"]
        lines = plant.ok("backup", target).splitlines()
        assert [line.split()[0] for line in lines] == ["copied_bytes", "reused_bytes"]
    copied = Shell(target)
    assert len(copied.json("values", "plant/line1/a int")) == 11
    assert copied.run("check").exit_code == 0
    assert "holds a backup" in copied.refused("OTR-5001", "insert", "plant/line1/a int", 1, 1)


def test_a_backup_is_refused_where_it_does_no_good(plant: Shell, tmp_path: Path) -> None:
    plant.refused("OTR-4210", "backup", plant.archive / "backup")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    plant.refused("OTR-5005", "backup", tmp_path / "mine")
    Shell(tmp_path / "nowhere.otr").refused("OTR-5003", "backup", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_damage_of_the_archive_is_told(plant: Shell, tmp_path: Path) -> None:
    plant.ok("flush")
    segment = plant.archive / "segment-00000001.otr"
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    result = plant.run("backup", tmp_path / "backup")
    assert result.exit_code == 3
    assert result.stderr.startswith("OTR-5010 segment-00000001.otr")
    assert (tmp_path / "backup/backup.otb").exists()


def test_everything_is_restored(plant: Shell, tmp_path: Path) -> None:
    plant.ok("backup", tmp_path / "backup")
    result = plant.run("restore", tmp_path / "backup", tmp_path / "again.otr")
    assert result.stderr == f"{tmp_path / 'again.otr'}: 3 streams\n"
    again = Shell(tmp_path / "again.otr")
    assert again.json("streams", "--points") == plant.json("streams", "--points")
    assert again.json("values", "plant/line1/a bool") == plant.json("values", "plant/line1/a bool")
    plant.refused("OTR-4210", "restore", tmp_path / "backup", tmp_path / "again.otr")
    plant.refused("OTR-5005", "restore", plant.archive, tmp_path / "other.otr")
    plant.refused("OTR-5003", "restore", tmp_path / "nowhere", tmp_path / "other.otr")


def test_chosen_streams_are_restored_as_they_were(plant: Shell, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with plant.open() as db:
        (stream,) = db.streams(tags={"name": "a float"})
        version = stream.flush()
        stream.delete(0, 5 * 10**9)
        db.create("mill", tags={"name": "speed"})
    plant.ok("backup", backup)

    def restored(name: str, *words: object) -> dict[str, int]:
        plant.ok("restore", backup, tmp_path / name, *words)
        with otrdb.open(tmp_path / name) as db:
            return {found.name: found.count() for found in db.streams()}

    assert restored("a", "--stream", "plant/line1/a float") == {"a float": 6}
    assert restored("b", "--stream", stream.uuid, "--as-of", version) == {"a float": 10}
    assert restored("c", "--prefix", "mill", "--stream", "plant/line1/a int") == {"speed": 0, "a int": 10}
    assert restored("d", "--as-of", "2020-01-01", "--tz", "UTC") == dict.fromkeys(
        ("a float", "a int", "a bool", "speed"), 0
    )
    assert restored("e", "--as-of", "now", "--prefix", "plant")["a float"] == 6
    plant.refused("OTR-4210", "restore", backup, tmp_path / "f", "--as-of", version)
    plant.refused("OTR-4131", "restore", backup, tmp_path / "f", "--as-of", "2020-01-01")
    plant.refused("OTR-4040", "restore", backup, tmp_path / "f", "--prefix", "nowhere")
    assert not (tmp_path / "f").exists()
