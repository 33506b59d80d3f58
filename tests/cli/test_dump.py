"""`otrdb dump` shows files, blocks and records, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.harness import Shell

INT = "plant/line1/a int"


@pytest.fixture
def plant(plant: Shell) -> Shell:
    """The archive with one stream committed and the others in the journal."""
    with plant.open() as db:
        for stream in db.streams(tags={"name": "a float"}):
            stream.flush()
    return plant


def test_everything_can_be_found_from_the_list_of_files(plant: Shell) -> None:
    segment, journal = plant.json("dump", "files")
    assert (segment["file"], journal["file"]) == ("segment-00000001.otr", "journal-00000001.otj")
    for row in plant.json("dump", "segment", segment["number"]):
        dump = plant.json("dump", "block", f"{segment['number']}:{row['offset']}")
        assert dump["title"] == f"block 1:{row['offset']}: {row['type']}"
        assert dump["sound"]
    records = plant.json("dump", "journal", journal["number"])
    assert [record["type"] for record in records] == ["points", "points", "points", "closed"]
    by_place = plant.json("dump", "record", f"1:{records[1]['offset']}")
    assert plant.json("dump", "record", records[1]["lsn"]) == by_place
    assert [point["integer"] for point in by_place["points"]] == [i * 10 for i in range(1, 11)]


def test_words_for_people(plant: Shell) -> None:
    text = plant.ok("dump", "root", "plant/line1/a float")
    assert text.splitlines()[0].endswith(": node, sound")
    assert "kind        0 (float)" in text
    assert "1933-06-20T00:01:35.393153024Z" in text
    (leaf,) = [row for row in plant.json("dump", "segment", 1) if row["type"] == "leaf"]
    text = plant.ok("dump", "block", f"1:{leaf['offset']}", "--points")
    assert "1000000000 (1970-01-01T00:00:01Z)   0.25" in text
    assert "StreamCreated" in plant.ok("dump", "block", "1:48")
    assert plant.ok("dump", "segment", "1").splitlines()[1].split()[:3] == ["48", "161", "group"]


def test_what_is_not_sound_ends_with_3(plant: Shell) -> None:
    (leaf,) = [row for row in plant.json("dump", "segment", 1) if row["type"] == "leaf"]
    segment = plant.archive / "segment-00000001.otr"
    content = bytearray(segment.read_bytes())
    content[leaf["offset"] + 20] ^= 1
    segment.write_bytes(content)
    result = plant.run("dump", "block", f"1:{leaf['offset']}")
    assert result.exit_code == 3
    assert "NOT SOUND" in result.stdout
    result = plant.run("dump", "block", f"1:{leaf['offset']}", "--json")
    assert (result.exit_code, json.loads(result.stdout)["sound"]) == (3, False)
    assert [row["sound"] for row in plant.json("dump", "segment", 1)].count(False) == 1


def test_what_is_not_there_is_refused(plant: Shell) -> None:
    plant.refused("OTR-4210", "dump", "segment", 9)
    plant.refused("OTR-4210", "dump", "journal", 9)
    plant.refused("OTR-4210", "dump", "record", 99)
    plant.refused("OTR-4040", "dump", "root", "plant/line9")
    plant.refused("OTR-4500", "dump", "root", INT)  # nothing is committed
    assert plant.run("dump", "block", "12").exit_code == 2


def test_no_archive_is_refused(shell: Shell) -> None:
    shell.refused("OTR-5003", "dump", "files")
