"""Each command does what it says."""

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.results import ALL_COLUMNS, Finding
from tests.cli.harness import Shell

FLOAT, INT, BOOL = "plant/line1/a float", "plant/line1/a int", "plant/line1/a bool"
SECOND = 10**9


def test_create_gives_a_stream_all_it_was_told(shell: Shell) -> None:
    identity = str(uuid.uuid4())
    words = [
        "plant",
        "--name",
        "speed",
        "--unit",
        "m/s",
        "--kind",
        "int",
        "--tag",
        "axis=x",
        "--uuid",
        identity,
    ]
    assert shell.ok("create", *words, "--annotation", "owner=anna=b").strip() == identity
    facts = shell.json("info", identity)
    assert facts["kind"] == "int"
    assert facts["tags"] == {"name": "speed", "unit": "m/s", "axis": "x"}
    assert facts["annotations"] == {"owner": "anna=b"}
    assert (facts["points"], facts["first"], facts["property_version"]) == (0, None, 1)
    shell.refused("OTR-4170", "create", "other", "--uuid", identity)
    shell.refused("OTR-4180", "create", *words[:-1], str(uuid.uuid4()))
    shell.refused("OTR-4090", "create", "other", "--name", "x" * 300)


def test_streams_are_listed_and_narrowed(plant: Shell) -> None:
    plant.ok("create", "plant/line2", "--name", "idle", "--annotation", "state=off", "--tag", "site=odense")
    assert [row["name"] for row in plant.json("streams")] == ["a bool", "a float", "a int", "idle"]
    assert [row["kind"] for row in plant.json("streams", "plant/line1")] == ["bool", "float", "int"]
    assert plant.json("streams", "--collection", "plant") == []
    assert [row["name"] for row in plant.json("streams", "--tag", "site")] == ["idle"]
    assert plant.json("streams", "--tag", "unit=C", "--annotation", "state") == []
    assert plant.json("streams", "--annotation", "state=off")[0]["tags"] == "site=odense"
    idle, busy = (
        plant.json("streams", "--tag", "name=idle", "--points")[0],
        plant.json("streams", "--points")[0],
    )
    assert (idle["points"], idle["first"], idle["last"]) == (0, None, None)
    assert (busy["points"], busy["first"]) == (10, "1970-01-01T00:00:01Z")


def test_info_and_stats_are_lines_and_json(plant: Shell) -> None:
    facts = plant.json("info")
    assert facts["streams"] == 3
    lines = dict(line.split(maxsplit=1) for line in plant.ok("info").splitlines())
    assert lines.keys() >= {"streams", "collections", "format"}
    assert plant.json("stats")["streams"] == 3
    assert "last.value" in plant.ok("info", FLOAT)


def test_points_are_inserted_from_the_command_line(shell: Shell) -> None:
    shell.ok("create", "plant", "--name", "level")
    result = shell.run(
        "insert", "plant/level", "1", "-2.5", "-1000000000", "0.5", "1970-01-01T00:00:02Z", "7"
    )
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "points stored: 3\n"
    assert shell.points("level") == [(-SECOND, 0.5), (1, -2.5), (2 * SECOND, 7.0)]


def test_points_are_inserted_from_stdin(shell: Shell) -> None:
    shell.ok("create", "plant", "--name", "valve", "--kind", "bool")
    lines = "1,true\n2;0\n\n3\tFALSE\n  4   1  \n1970-01-01 00:00:01 , 1\n"
    shell.ok("insert", "plant/valve", "--tz", "UTC", stdin=lines)
    expected = [(1, True), (2, False), (3, False), (4, True), (SECOND, True)]
    assert shell.points("valve") == expected


def test_bytes_that_are_no_text_are_a_bad_line(plant: Shell) -> None:
    command = [sys.executable, "-m", "otrdb.cli", "-a", str(plant.archive), "insert", FLOAT]
    done = subprocess.run(command, input=b"1,2\n\xff\xfe,3\n", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"OTR-4210 stdin, line 2")


def test_inserts_follow_the_merge_policy(plant: Shell) -> None:
    plant.ok("insert", INT, SECOND, 99, "--merge", "replace")
    plant.ok("insert", INT, 2 * SECOND, 99, "--merge", "retain")
    plant.ok("insert", INT, 3 * SECOND, 30, "--merge", "equal")
    plant.ok("insert", INT, 4 * SECOND, 40)
    assert [point.value for point in plant.points("a int")][:5] == [99, 20, 30, 40, 40]


@pytest.mark.parametrize(
    ("code", "words", "stdin"),
    [
        ("OTR-4211", [FLOAT, "1"], None),
        ("OTR-4131", [FLOAT, "2020-01-01", "1"], None),
        ("OTR-4210", [FLOAT, "soon", "1"], None),
        ("OTR-4132", [FLOAT, str(MAX_TIME), "1"], None),
        ("OTR-4250", [FLOAT, "1", "one"], None),
        ("OTR-4250", [FLOAT, "1", "nan"], None),
        ("OTR-4250", [INT, "1", "1.5"], None),
        ("OTR-4250", [INT, "1", str(1 << 63)], None),
        ("OTR-4250", [BOOL, "1", "2"], None),
        ("OTR-4210", [FLOAT], "1,2\n3\n"),
        ("OTR-4250", [FLOAT], "1,2\n3,x\n"),
        ("OTR-4132", [FLOAT, "5", "1", "--accept", "0", "5"], None),
        ("OTR-4130", [FLOAT, "5", "1", "--accept", "5", "0"], None),
    ],
)
def test_a_bad_point_is_refused_and_nothing_stored(
    plant: Shell, code: str, words: list[str], stdin: str | None
) -> None:
    before = [plant.points(f"a {kind}") for kind in ("float", "int", "bool")]
    message = plant.refused(code, "insert", *words, stdin=stdin)
    if stdin is not None:
        assert "stdin, line 2" in message
    assert [plant.points(f"a {kind}") for kind in ("float", "int", "bool")] == before


def test_values_are_those_of_the_range(plant: Shell) -> None:
    rows = plant.json(
        "values", FLOAT, "--start", 2 * SECOND, "--end", "1970-01-01T00:00:04Z", "--times", "ns"
    )
    assert rows == [{"time": 2 * SECOND, "value": 0.5}, {"time": 3 * SECOND, "value": 0.75}]
    assert plant.json("values", BOOL, "--limit", 3) == [
        {"time": f"1970-01-01T00:00:0{second}Z", "value": second == 3} for second in (1, 2, 3)
    ]
    assert plant.json("values", FLOAT, "--start", "now") == []
    plant.refused("OTR-4130", "values", FLOAT, "--start", 5, "--end", 5)


def test_old_versions_are_read(plant: Shell) -> None:
    version = int(plant.ok("flush", INT).split()[1])
    plant.ok("delete", INT, "--all", "--yes")
    assert plant.json("values", INT) == []
    assert len(plant.json("values", INT, "--version", version)) == 10
    assert plant.json("values", INT, "--as-of", "now") == []
    assert plant.json("values", INT, "--version", 10) == []
    plant.refused("OTR-4500", "values", INT, "--version", 1 << 40)
    assert plant.run("values", INT, "--version", version, "--as-of", "now").exit_code == 2


def test_windows_are_those_of_the_library(plant: Shell) -> None:
    rows = plant.json("windows", FLOAT, "--width", "4s", "--columns", ",".join(ALL_COLUMNS), "--times", "ns")
    with plant.open() as db:
        (stream,) = db.streams(tags={"name": "a float"})
        windows = stream.windows(SECOND, 13 * SECOND, "4s", columns=ALL_COLUMNS)
    assert [row["time"] for row in rows] == windows.time.tolist()
    for name in ALL_COLUMNS:
        assert [row[name] for row in rows] == windows[name].tolist()
    assert [row["count"] for row in rows] == [4, 4, 2]


def test_aligned_windows_hold_the_last_point(plant: Shell) -> None:
    rows = plant.json("windows", INT, "--pointwidth", 31, "--columns", "count,sum")
    assert sum(row["count"] for row in rows) == 10
    assert sum(row["sum"] for row in rows) == 550
    half = plant.json("windows", INT, "--pointwidth", 31, "--end", 5 * SECOND)
    assert sum(row["count"] for row in half) == 4


def test_windows_of_nothing_are_none(plant: Shell) -> None:
    plant.ok("create", "plant/line1", "--name", "empty")
    assert plant.json("windows", "plant/line1/empty", "--width", "1s") == []
    assert plant.json("windows", "plant/line1/empty", "--pointwidth", "30") == []
    assert (
        plant.ok("windows", "plant/line1/empty", "--width", "1s", "--csv")
        == "time,min,mean,max,count,stddev\n"
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("OTR-4150", ["--width", "0"]),
        ("OTR-4150", ["--width", "1 furlong"]),
        ("OTR-4150", ["--pointwidth", "63"]),
        ("OTR-4210", ["--width", "1s", "--columns", "median"]),
        ("OTR-4210", ["--width", "1", "--start", str(MIN_TIME), "--end", str(MAX_TIME)]),
    ],
)
def test_windows_that_cannot_be_are_refused(plant: Shell, code: str, words: list[str]) -> None:
    plant.refused(code, "windows", FLOAT, *words)


def test_windows_take_one_width(plant: Shell) -> None:
    assert plant.run("windows", FLOAT).exit_code == 2
    assert plant.run("windows", FLOAT, "--width", "1s", "--pointwidth", "30").exit_code == 2


def test_zoom_gives_few_windows_that_hold_everything(plant: Shell) -> None:
    rows = plant.json("zoom", INT, "--points", 4)
    assert 1 <= len(rows) <= 4
    assert sum(row["count"] for row in rows) == 10
    assert len(plant.json("zoom", INT)) == 10


def test_nearest_looks_both_ways(plant: Shell) -> None:
    assert plant.json("nearest", FLOAT, 1500 * 10**6) == [{"time": "1970-01-01T00:00:02Z", "value": 0.5}]
    assert plant.json("nearest", FLOAT, "now", "--backward")[0]["value"] == 2.5
    assert plant.json("nearest", FLOAT, "-5")[0]["value"] == 0.25
    assert "at or after" in plant.refused("OTR-4010", "nearest", FLOAT, "now")
    assert "before" in plant.refused("OTR-4010", "nearest", FLOAT, "0", "--backward")


def test_changes_cover_what_was_inserted(plant: Shell) -> None:
    version = int(plant.ok("flush", FLOAT).split()[1])
    assert plant.json("changes", FLOAT, version) == []
    plant.ok("insert", FLOAT, 20 * SECOND, 1)
    rows = plant.json("changes", FLOAT, version, "--times", "ns")
    assert any(row["start"] <= 20 * SECOND < row["end"] for row in rows)
    plant.refused("OTR-4270", "changes", FLOAT, 12, 11)


def test_delete_asks_and_can_be_declined(plant: Shell) -> None:
    words = ["delete", FLOAT, "--start", 3 * SECOND, "--end", 6 * SECOND]
    for answer in ("n\n", ""):
        result = plant.run(*words, stdin=answer)
        assert result.exit_code == 1
        assert "Delete 3 points of plant/line1/a float?" in result.stderr
        assert "Nothing was changed." in result.stderr
        assert len(plant.points("a float")) == 10
    assert plant.run(*words, stdin="y\n").exit_code == 0
    assert [point.time for point in plant.points("a float")] == [
        second * SECOND for second in (1, 2, 6, 7, 8, 9, 10)
    ]


def test_delete_needs_a_range(plant: Shell) -> None:
    assert plant.run("delete", FLOAT, "--yes").exit_code == 2
    assert plant.run("delete", FLOAT, "--yes", "--all", "--start", 5).exit_code == 2
    version = int(plant.ok("delete", FLOAT, "--yes", "--end", 3 * SECOND))
    assert version == plant.json("info", FLOAT)["version"]
    assert len(plant.points("a float")) == 8


def test_obliterate_asks_and_is_final(plant: Shell) -> None:
    identity = plant.json("info", FLOAT)["uuid"]
    assert plant.run("obliterate", FLOAT, stdin="n\n").exit_code == 1
    assert plant.json("info", FLOAT)["points"] == 10
    plant.ok("obliterate", FLOAT, "--yes")
    plant.refused("OTR-4040", "info", identity)
    plant.refused("OTR-4290", "create", "again", "--uuid", identity)


def test_flush_commits_pending_points(plant: Shell) -> None:
    before = plant.points("a float")
    identity, version = plant.ok("flush", FLOAT).split()
    facts = plant.json("info", FLOAT)
    assert (identity, int(version)) == (facts["uuid"], facts["version"])
    plant.ok("flush")
    assert plant.json("stats")["pending_points"] == 0
    assert plant.points("a float") == before


def test_info_tells_committed_from_pending_points(plant: Shell) -> None:
    facts = plant.json("info", INT)
    assert (facts["version"], facts["points"], facts["pending"]) == (10, 10, 10)
    version = int(plant.ok("flush", INT).split()[1])
    facts = plant.json("info", INT)
    assert (facts["version"], facts["points"], facts["pending"]) == (version, 10, 0)


def test_check_and_repair_of_a_healthy_archive(plant: Shell) -> None:
    for words in (["check"], ["check", "--deep"], ["repair"]):
        result = plant.run(*words)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No damage found.\n")
        assert plant.json(*words) == []
        assert plant.ok(*words, "--csv") == "code,stream,collection,name,start,end,message\n"
    assert len(plant.points("a float")) == 10


def test_check_and_repair_of_a_damaged_archive_end_with_3(plant: Shell) -> None:
    """Flipped bits in the points of one stream, which are many enough to fill most of the segment."""
    with plant.open() as db:
        (stream,) = db.streams(tags={"name": "a float"})
        stream.insert(np.arange(50_000), np.random.default_rng(1).normal(size=50_000))
        stream.flush()
        db.flush()  # a group behind the damaged one proves that it was whole once
    segment = max(plant.archive.glob("segment-*"), key=lambda path: path.stat().st_size)
    content = bytearray(segment.read_bytes())
    for tenth in (2, 5, 8):
        content[len(content) * tenth // 10] ^= 1
    segment.write_bytes(content)
    for words in (["check", "--deep"], ["repair"]):
        result = plant.run(*words, "--json")
        assert result.exit_code == 3
        assert {each["name"] for each in json.loads(result.stdout)} == {"a float"}
        limited = plant.run(*words, "--limit", "1")
        lines = limited.stdout.splitlines()
        assert len(lines) == 1
        assert limited.stderr == "Found wrong: 3. The first 1 were told; --limit 0 tells all.\n"
        assert re.match(r"OTR-5010 plant/line1/a float \(\S+\) from \S+Z to before \S+Z: Version", lines[0])
    assert plant.run("check").exit_code == 0  # the structure is sound
    assert plant.json("info", INT)["points"] == 10


def test_findings_are_told_with_their_place(plant: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("OTR-5010", "Gone.", uuid.UUID(int=7), 0, SECOND)
    monkeypatch.setattr("otrdb.repair", lambda _, progress: [finding])
    result = plant.run("repair", "--csv")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[1] == (
        f"OTR-5010,{uuid.UUID(int=7)},,,1970-01-01T00:00:00Z,1970-01-01T00:00:01Z,Gone."
    )


def test_a_second_writer_is_refused_and_readers_are_not(plant: Shell) -> None:
    with plant.open():
        plant.refused("OTR-5002", "insert", FLOAT, "1", "1")
        assert len(plant.json("values", FLOAT)) == 10


def test_a_folder_of_something_else_is_no_archive(shell: Shell) -> None:
    shell.archive.mkdir()
    (shell.archive / "letter.txt").write_text("Dear Sir")
    for words in (["info"], ["check"], ["repair"], ["create", "plant"]):
        shell.refused("OTR-5003", *words)
    assert [path.name for path in shell.archive.iterdir()] == ["letter.txt"]


def test_rules_are_set_shown_and_taken_away(plant: Shell) -> None:
    plant.ok("retention", "90d", "--prefix", "plant/")
    plant.ok("retention", "forever", "--stream", INT)
    plant.ok("history", "1d,7d,30d")
    uuid = plant.json("info", INT)["uuid"]
    assert [(row["value"], row["prefix"], row["stream"]) for row in plant.json("retention")] == [
        ("7776000000000000ns", "plant/", None),
        ("forever", None, uuid),
    ]
    assert [row["prefix"] for row in plant.json("history")] == [""]
    plant.ok("retention", "none", "--prefix", "plant/")
    plant.ok("history", "none")
    assert len(plant.json("retention")) == 1
    assert plant.json("history") == []
    plant.refused("OTR-4210", "history", "1h")
    plant.refused("OTR-4210", "retention", "1d", "--prefix", "plant", "--stream", INT)


def test_expire_drops_what_a_dry_run_shows(plant: Shell) -> None:
    plant.ok("retention", "90d")
    plant.ok("retention", "forever", "--stream", INT)
    shown = plant.json("expire", "--dry-run")
    assert [(row["stream"], row["points"], row["snapshots"]) for row in shown] == [
        (FLOAT, 10, ""),
        (BOOL, 10, ""),
    ]
    assert plant.json("info", FLOAT)["points"] == 10
    assert plant.json("expire") == shown
    assert [plant.json("info", name)["points"] for name in (FLOAT, INT, BOOL)] == [0, 10, 0]
    assert plant.json("expire") == []


def test_thinned_points_are_shown_as_statistics_only(plant: Shell, tmp_path: Path) -> None:
    with plant.open() as db:
        dense = db.create("plant/line2", tags={"name": "dense"})
        dense.insert([i * 10**9 for i in range(100_000)], [i % 7 for i in range(100_000)])
    plant.ok("thin", "90d", "--prefix", "plant/")
    assert [(row["key"], row["value"]) for row in plant.json("thin")] == [("thin", "7776000000000000ns,36")]
    shown = plant.json("expire", "--dry-run")
    assert [(row["stream"], row["points"], row["pointwidth"]) for row in shown] == [
        ("plant/line2/dense", 100_000, 36)
    ]
    assert plant.json("expire") == shown
    name = "plant/line2/dense"
    assert sum(row["count"] for row in plant.json("windows", name, "--pointwidth", "36")) == 100_000
    assert sum(row["count"] for row in plant.json("zoom", name, "--points", "9000")) == 100_000
    plant.ok("zoom", name, "--plot")
    plant.refused("OTR-5007", "values", name)
    plant.refused("OTR-5007", "windows", name, "--pointwidth", "35")
    plant.refused("OTR-5007", "export", name, "-o", str(tmp_path / "dense.csv"))
    assert list(tmp_path.glob("dense*")) == []
    plant.refused("OTR-5007", "insert", name, "1970-01-01T00:00:05Z", "1")
    assert plant.json("info", name)["first"] == {
        "thinned": "1970-01-01T00:00:00Z to 1970-01-01T00:01:08.719476736Z"
    }
    (row,) = [row for row in plant.json("streams", "--points") if row["name"] == "dense"]
    assert row["points"] == 100_000
    plant.ok("thin", "none", "--prefix", "plant/")
    plant.refused("OTR-4150", "thin", "90d", "--pointwidth", "37")
