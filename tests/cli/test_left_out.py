"""With --leave-out-damage a damaged stream is answered as far as it goes, and nobody takes that for all."""

import json
from pathlib import Path

import numpy as np
import pytest

import otrdb
from tests.cli.harness import Shell

SECOND = 1_000_000_000
LENGTH = 50_000


@pytest.fixture
def rotten(plant: Shell) -> Shell:
    """The archive, with a damaged page in the stream "a float", of ten points before and many then."""
    with plant.open() as db:
        (stream,) = db.streams(tags={"name": "a float"})
        stream.insert((20 + np.arange(LENGTH)) * SECOND, np.random.default_rng(1).normal(size=LENGTH))
        stream.flush()
    segment = plant.archive / "segment-00000001.otr"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    return plant


STREAM = "plant/line1/a float"
ASKED = {
    "values": (),
    "windows": ("--width", "10s"),
    "zoom": ("--points", "50000"),
}


@pytest.mark.parametrize("command", ASKED)
def test_a_command_fails_or_says_what_it_leaves_out(rotten: Shell, command: str) -> None:
    words = (command, STREAM, *ASKED[command], "--json")
    assert STREAM in rotten.refused("OTR-5010", *words)
    result = rotten.run(*words, "--leave-out-damage")
    assert result.exit_code == 3
    told = result.stderr.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"Left out: {STREAM} from 1970-")
    assert "Page" in told[0]
    with otrdb.open(rotten.archive, mode="r") as db:
        points = db.stream("plant/line1", name="a float").leaving_out_damage().values()
    rows = json.loads(result.stdout)
    if command == "values":
        assert [row["value"] for row in rows] == points.values.tolist()
        assert LENGTH - 1_100 < len(rows) < LENGTH + 10
    else:
        assert 0 < sum(row["count"] for row in rows) <= len(points)


def test_what_needs_nothing_damaged_ends_as_always(rotten: Shell) -> None:
    for words in (("zoom", STREAM, "--points", "20"), ("values", STREAM, "-e", "1970-01-01T00:01:00Z")):
        assert rotten.ok(*words, "--leave-out-damage") == rotten.ok(*words)


def test_the_nearest_point_may_be_another(rotten: Shell) -> None:
    with otrdb.open(rotten.archive, mode="r") as db:
        (gap,) = db.stream("plant/line1", name="a float").leaving_out_damage().values().left_out
    result = rotten.run("nearest", STREAM, gap.start, "--leave-out-damage", "--json", "--times", "ns")
    assert result.exit_code == 3
    assert json.loads(result.stdout)[0]["time"] >= gap.end
    assert rotten.run("nearest", STREAM, gap.end, "--leave-out-damage").exit_code == 0


def test_an_export_of_what_is_sound(rotten: Shell, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    words = ("export", STREAM, "plant/line1/a int", "-o", file)
    rotten.refused("OTR-5010", *words)
    assert not file.exists()
    result = rotten.run(*words, "--leave-out-damage")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith(f"Left out: {STREAM} from 1970-")
    with otrdb.open(rotten.archive, mode="r") as db:
        points = db.stream("plant/line1", name="a float").leaving_out_damage().values()
    lines = file.read_text().splitlines()
    assert sum(line.split(",")[1] != "" for line in lines[1:]) == len(points)
