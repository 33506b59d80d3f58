"""Files into streams: what is guessed, what is refused, and that nothing is lost between."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from otrdb.model import MAX_TIME
from tests.cli.harness import Shell

SECOND = 10**9
GERMAN = "%d.%m.%Y %H:%M:%S"
START = 1_581_168_647 * SECOND  # 2020-02-08T13:30:47Z


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, text: str, name: str = "bench.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def report(shell: Shell, *words: object) -> list[dict[str, Any]]:
    """What an import says about its files."""
    answer: list[dict[str, Any]] = json.loads(shell.ok("import", *words, "--json"))
    return answer


def values(shell: Shell, name: str) -> list[float | int | bool]:
    return [point.value for point in shell.points(name)]


def times(shell: Shell, name: str) -> list[int]:
    return [point.time for point in shell.points(name)]


def test_each_column_becomes_a_stream_of_the_narrowest_kind(shell: Shell, folder: Path) -> None:
    rows = [
        "time;level;count;on;flag",
        "1580000000;1.5;7;true;0",
        "1580000001;2;8;FALSE;1",
        "1580000002;-0.0;-9;True;0.0",
    ]
    text = "\n".join(rows)
    (file,) = report(shell, write(folder, text), "--unit", "level=m", "--unit", "count=1/min")
    assert (file["rows"], file["bad_rows"], file["separator"], file["header"]) == (3, 0, "';'", "yes")
    assert {column["column"]: column["kind"] for column in file["columns"]} == {
        "level": "float", "count": "int", "on": "bool", "flag": "float"
    }  # fmt: skip
    assert {column["is"] for column in file["columns"]} == {"new"}
    assert values(shell, "level") == [1.5, 2.0, 0.0]
    assert values(shell, "count") == [7, 8, -9]
    assert values(shell, "on") == [True, False, True]
    assert times(shell, "level") == [1_580_000_000 * SECOND + i * SECOND for i in range(3)]
    facts = shell.json("info", "bench/level")
    assert (facts["collection"], facts["tags"]) == ("bench", {"name": "level", "unit": "m"})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_separators_are_found_out(shell: Shell, folder: Path, separator: str) -> None:
    lines = ["time,a,b", "1580000000,1,2.5", "1580000001,3,4.5"]
    text = "\r\n".join(line.replace(",", separator) for line in lines)
    report(shell, write(folder, text))
    assert (values(shell, "a"), values(shell, "b")) == ([1, 3], [2.5, 4.5])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1580000000 1,5\n1580000001 2,5\n", ["--separator", "blank", "--decimal", ","]),
        ("1580000000#1.5\n1580000001#2.5\n", ["--separator", "#", "--no-header"]),
        ("a line\nand another\nt,x\n1580000000,1.5\n1580000001,2.5\n", ["--skip-lines", "2"]),
        ("2020,x\n1580000000,1.5\n1580000001,2.5\n", ["--header", "--time-column", "2020"]),
        ("1580000000\t1.5\n1580000001\t2.5\n", ["--names", "when,x", "--separator", "tab"]),
        ('"t","x"\n"1580000000","1.5"\n"1580000001"," 2.5 "\n', []),
        ("x,t\n1.5,1580000000\n2.5,1580000001\n", ["--time-column", "2"]),
        ("\ufefft,x\n1580000000,1.5\n1580000001,2.5\n", []),
    ],
)
def test_layouts_that_are_given(shell: Shell, folder: Path, text: str, words: list[str]) -> None:
    report(shell, write(folder, text), *words)
    with shell.open() as db:
        (stream,) = db.streams()
        assert stream.values().values.tolist() == [1.5, 2.5]
        assert stream.values().times.tolist() == [1_580_000_000 * SECOND, 1_580_000_001 * SECOND]


def test_other_encodings_and_compression(shell: Shell, folder: Path) -> None:
    path = folder / "bench.csv.gz"
    path.write_bytes(gzip.compress("time;Temp °C\n1580000000;1.5\n".encode("latin-1")))
    assert "--encoding" in shell.refused("OTR-4210", "import", path)
    assert "klingon" in shell.refused("OTR-4210", "import", path, "--encoding", "klingon")
    report(shell, path, "--encoding", "latin-1")
    assert values(shell, "Temp °C") == [1.5]
    assert shell.json("info", "bench/Temp °C")["points"] == 1


@pytest.mark.parametrize(
    ("cells", "words", "nanoseconds"),
    [
        (["1581168647", "1581168648.000000001"], [], [0, SECOND + 1]),
        (["1581168647000", "1581168647000.5"], [], [0, 500_000]),
        (["1581168647000000", "1581168647000001"], [], [0, 1_000]),
        (["1581168647000000000", "1581168647000000001"], [], [0, 1]),
        (["1.581168647e9", "1581168647.1"], [], [0, SECOND // 10]),
        (["2020-02-08T13:30:47Z", "2020-02-08 14:30:47.000000001+01:00"], [], [0, 1]),
        (["2020-02-08 13:30:47", "2020-02-08T13:30:47.25"], ["--tz", "UTC"], [0, SECOND // 4]),
        (["2020-02-08 14:30:47", "2020-02-08"], ["--tz", "Europe/Berlin"], [0, -52_247 * SECOND]),
        (["08.02.2020 13:30:47", "8.2.2020 13:30:48"], ["--tz", "UTC", "--time-format", GERMAN], [0, SECOND]),
        (["08.02.2020 13:30:47,5", "8.2.2020 13:30:48,5"], ["--tz", "UTC", "--time-format", GERMAN], None),
        (["8.2.2020 13:30:47,5"] * 2, ["--tz", "UTC", "--time-format", f"{GERMAN},%f"], [SECOND // 2] * 2),
        (["8.2.2020 13:30:47,000000001"], ["--tz", "UTC", "--time-format", f"{GERMAN},%f"], [1]),
        (["2020-02-08 15:30:47+0200"] * 2, ["--time-format", "%Y-%m-%d %H:%M:%S%z"], [0, 0]),
        (["0", "1"], ["--time-unit", "ms"], [-START, 10**6 - START]),
        ([" 1581168647 ", "+1581168647"], [], [0, 0]),
    ],
)  # fmt: skip
def test_times_are_exact_in_every_form(
    shell: Shell, folder: Path, cells: list[str], words: list[str], nanoseconds: list[int] | None
) -> None:
    path = write(folder, "time;x\n" + "".join(f"{cell};1\n" for cell in cells))
    if nanoseconds is None:
        assert "line 2, column 'time'" in shell.refused("OTR-4210", "import", path, *words)
        return
    report(shell, path, *words)
    assert times(shell, "x") == sorted(START + after for after in nanoseconds)


def test_how_times_were_read_is_told(shell: Shell, folder: Path) -> None:
    (file,) = report(shell, write(folder, "t,x\n1581168647000,1\n"), "--dry-run")
    assert file["times"] == "milliseconds since 1970, by their size"
    (file,) = report(shell, write(folder, "t,x\n2020-02-08,1\n"), "--dry-run", "--tz", "+01:00")
    assert file["times"] == "ISO-8601 without an offset, read as +01:00"


def test_times_the_clocks_showed_twice(shell: Shell, folder: Path) -> None:
    path = write(folder, "time,x\n2020-10-25 01:30:00,1\n2020-10-25 02:30:00,2\n")
    words = ["--tz", "Europe/Berlin", "--collection", "c"]
    assert "line 3, column 'time'" in shell.refused("OTR-4210", "import", path, *words)
    for choice, hour in (("earlier", 0), ("later", 1)):
        report(shell, path, *words, "--ambiguous", choice, "--merge", "retain")
        rows = shell.json("values", "c/x")
        assert f"2020-10-25T0{hour}:30:00Z" in [row["time"] for row in rows]


def test_a_value_in_another_encoding(shell: Shell, folder: Path) -> None:
    path = folder / "bench.csv"
    path.write_bytes(("time;x\n" + "1580000000;1\n" * 100_000 + "1580000001;°\n").encode("latin-1"))
    assert "--encoding" in shell.refused("OTR-4210", "import", path)


def test_a_column_of_naive_times_needs_a_zone(shell: Shell, folder: Path) -> None:
    path = write(folder, "time,x\n2020-02-08,1\n")
    message = shell.refused("OTR-4131", "import", path)
    assert f"{path}, column 'time'" in message
    assert "--tz" in message


GOOD = "time,x,y\n1580000000,1,2.5\n1580000001,2,3.5\n"


@pytest.mark.parametrize(
    ("line", "code", "column", "shown"),
    [
        ("1580000002,oops,4.5", "OTR-4250", "x", "'oops'"),
        ("1580000002,3,nan", "OTR-4250", "y", "'nan'"),
        ("1580000002,3,-inf", "OTR-4250", "y", "'-inf'"),
        ("1580000002,3,1e999", "OTR-4250", "y", "'1e999'"),
        ("1580000002,0x10,4.5", "OTR-4250", "x", "'0x10'"),
        ('1580000002,3,"4,5"', "OTR-4250", "y", "'4,5'"),
        ("1580000002,true,4.5", "OTR-4250", "x", "'true'"),
        ("soon,3,4.5", "OTR-4210", "time", "'soon'"),
        (",3,4.5", "OTR-4210", "time", "''"),
        ("0x5e2c2e02,3,4.5", "OTR-4210", "time", "'0x5e2c2e02'"),
        ("9000000000,3,4.5", "OTR-4132", "time", "'9000000000'"),
        ("99999999999999999999999999,3,4.5", "OTR-4210", "time", "'99999999999999999999999999'"),
        ("1580000002,3", "OTR-4210", None, "2 columns instead of 3"),
        ("1580000002,3,4.5,6", "OTR-4210", None, "4 columns instead of 3"),
    ],
)
@pytest.mark.parametrize("before", [0, 3000])
def test_a_bad_row_is_refused_with_its_place(
    shell: Shell, folder: Path, line: str, code: str, column: str | None, shown: str, before: int
) -> None:
    rows = "".join(f"{1_570_000_000 + i},{i},{i}.5\n" for i in range(before))
    path = write(folder, GOOD + rows + line + "\n1580000003,4,5.5\n")
    message = shell.refused(code, "import", path)
    place = f"{path}, line {4 + before}" + (f", column {column!r}" if column else "")
    assert place in message
    assert shown in message
    assert "Nothing was stored" in message
    assert not shell.archive.exists()


def test_the_first_of_several_bad_rows_is_told(shell: Shell, folder: Path) -> None:
    path = write(folder, GOOD + "1580000002,3\n1580000003,x,1\nsoon,1,1\n")
    assert "line 4:" in shell.refused("OTR-4210", "import", path)


def test_bad_rows_can_be_skipped_and_are_counted(shell: Shell, folder: Path) -> None:
    bad = "1580000002,oops,4.5\nsoon,3,4.5\n1580000003,3\n\n1580000004,5,\n1580000005,6,inf\n"
    (file,) = report(shell, write(folder, GOOD + bad + "1580000006,7,6.5\n"), "--skip-bad")
    assert (file["rows"], file["bad_rows"]) == (6, 2)
    counts = {row["column"]: (row["points"], row["empty"], row["bad"]) for row in file["columns"]}
    assert counts == {"x": (5, 0, 1), "y": (4, 1, 1)}
    assert values(shell, "x") == [1, 2, 5, 6, 7]
    assert values(shell, "y") == [2.5, 3.5, 4.5, 6.5]
    text = shell.run("import", folder / "bench.csv", "--skip-bad", "--dry-run").stdout
    assert "2 bad rows left out" in text
    assert "line 4, column 'x': 'oops'" in text


def test_empty_cells_and_lines_are_no_points(shell: Shell, folder: Path) -> None:
    text = "time,x,y,z\n1580000000,1,,\n\n1580000001,,2.5,\n1580000002,-,NA,\n\n"
    (file,) = report(shell, write(folder, text), "--null", "-", "--null", "NA")
    assert [(row["points"], row["empty"], row["is"]) for row in file["columns"]] == [
        (1, 2, "new"), (1, 2, "new"), (0, 3, "not made")
    ]  # fmt: skip
    assert values(shell, "x") == [1]
    assert [row["name"] for row in shell.json("streams")] == ["x", "y"]


def test_kinds_are_guessed_from_all_values_of_all_files(shell: Shell, folder: Path) -> None:
    first = write(folder, "time,x\n" + "".join(f"{1_580_000_000 + i},{i}\n" for i in range(2000)), "a.csv")
    second = write(folder, "time,x\n1590000000,0.5\n", "b.csv")
    files = report(shell, first, second, "--collection", "c")
    assert [file["columns"][0]["kind"] for file in files] == ["float", "float"]
    assert [file["columns"][0]["is"] for file in files] == ["new", "old"]
    assert len(values(shell, "x")) == 2001
    assert shell.json("info", "c/x")["kind"] == "float"


def test_kinds_can_be_given(shell: Shell, folder: Path) -> None:
    text = "time,a,b,c,d\n1580000000,1.0,1,0.0,3\n1580000001,-2.0,0,1.0,4\n"
    words = ["--kind", "a=int", "--kind", "b=bool", "--kind", "c=bool", "--kind", "float"]
    report(shell, write(folder, text), *words)
    assert (values(shell, "a"), values(shell, "b")) == ([1, -2], [True, False])
    assert (values(shell, "c"), values(shell, "d")) == ([False, True], [3.0, 4.0])
    assert type(values(shell, "d")[0]) is float
    half = write(folder, "time,a\n1580000000,1.5\n", "half.csv")
    assert "no value of kind int" in shell.refused("OTR-4250", "import", half, "--kind", "a=int")
    shell.refused("OTR-4210", "import", half, "--kind", "a=text")


def test_streams_that_are_there_go_on_and_keep_their_kind(shell: Shell, folder: Path) -> None:
    report(shell, write(folder, "time,x\n1580000000,1.0\n"), "--kind", "int")
    (file,) = report(shell, write(folder, "time,x\n1580000001,2.0\n"))
    assert (file["columns"][0]["kind"], file["columns"][0]["is"]) == ("int", "old")
    assert values(shell, "x") == [1, 2]
    message = shell.refused("OTR-4250", "import", write(folder, "time,x\n1580000002,2.5\n"))
    assert "no value of kind int" in message
    shell.refused("OTR-4210", "import", folder / "bench.csv", "--unit", "x=m")
    assert values(shell, "x") == [1, 2]


def test_repeating_an_import_merges_by_the_policy(shell: Shell, folder: Path) -> None:
    path = write(folder, "time,x\n1580000000,1\n1580000000,1\n1580000001,2\n")
    changed = write(folder, "time,x\n1580000000,5\n1580000001,2\n", "changed.csv")
    report(shell, path, "--collection", "c")
    report(shell, path, "--collection", "c", "--merge", "equal")
    assert values(shell, "x") == [1, 1, 2]
    report(shell, changed, "--collection", "c", "--merge", "retain")
    assert values(shell, "x") == [1, 1, 2]
    report(shell, changed, "--collection", "c", "--merge", "replace")
    assert values(shell, "x") == [5, 2]
    report(shell, changed, "--collection", "c")
    assert values(shell, "x") == [5, 5, 2, 2]


def test_a_dry_run_stores_nothing(shell: Shell, folder: Path) -> None:
    path = write(folder, GOOD)
    (dry,) = report(shell, path, "--dry-run")
    assert not shell.archive.exists()
    assert report(shell, path) == [dry]
    (again,) = report(shell, path, "--dry-run")
    assert {column["is"] for column in again["columns"]} == {"old"}
    assert "dry run" in shell.run("import", path, "--dry-run").stderr
    assert values(shell, "x") == [1, 2]


def test_the_report_is_a_table_for_people(shell: Shell, folder: Path) -> None:
    lines = shell.ok("import", write(folder, GOOD)).splitlines()
    assert lines[0].endswith(
        "bench.csv: 2 rows; times from 'time': seconds since 1970, by their size; separator: ','; header: yes"
    )
    assert lines[1].split() == [
        "column",
        "stream",
        "kind",
        "unit",
        "is",
        "points",
        "empty",
        "bad",
        "first",
        "last",
    ]
    assert lines[3].split()[:7] == ["y", "bench/y", "float", "-", "new", "2", "0"]


def test_columns_can_be_chosen(shell: Shell, folder: Path) -> None:
    text = "time,x,note,y\n1580000000,1,fine,2\n"
    path = write(folder, text)
    assert "column 'note': 'fine'" in shell.refused("OTR-4250", "import", path)
    report(shell, path, "--skip", "note")
    assert [row["name"] for row in shell.json("streams")] == ["x", "y"]
    report(shell, path, "--only", "y", "--collection", "other")
    assert [row["name"] for row in shell.json("streams", "other")] == ["y"]
    assert "no column of values" in shell.refused("OTR-4210", "import", path, "--only", "time")


@pytest.mark.parametrize(
    "words",
    ["--unit z=m", "--kind z=int", "--only z", "--skip z", "--time-column z", "--time-column 9"],
)
def test_a_column_that_is_not_there_is_a_slip(shell: Shell, folder: Path, words: str) -> None:
    message = shell.refused("OTR-4210", "import", write(folder, GOOD), *words.split())
    assert "'time', 'x', 'y'" in message


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("", [], "OTR-4210"),
        ("one\ntwo\nthree\n", [], "OTR-4210"),
        ("time,x,x\n1,2,3\n", [], "OTR-4210"),
        ("time,x\n1,2\n", ["--names", "a,b,c"], "OTR-4210"),
        ("time,x\n1,2\n", ["--tz", "Mars/Olympus", "--time-format", "%Y"], "OTR-4210"),
        ("time,x\n1580000000,2\n", ["--accept", "2021-01-01Z", "now"], "OTR-4132"),
    ],
)
def test_files_that_make_no_sense(shell: Shell, folder: Path, text: str, words: list[str], code: str) -> None:
    path = write(folder, text)
    assert str(path) in shell.refused(code, "import", path, *words) or words[0] == "--tz"
    assert not shell.archive.exists()


def test_a_header_alone_is_no_points(shell: Shell, folder: Path) -> None:
    (file,) = report(shell, write(folder, "time,x\n"), "--tz", "UTC")
    assert (file["rows"], file["columns"][0]["is"]) == (0, "not made")


def test_files_are_refused_together(shell: Shell, folder: Path) -> None:
    good, bad = write(folder, GOOD, "good.csv"), write(folder, GOOD + "x,y,z\n", "bad.csv")
    assert str(bad) in shell.refused("OTR-4210", "import", good, bad)
    assert not shell.archive.exists()
    assert shell.run("import", folder / "absent.csv").exit_code == 2


def test_columns_named_by_path(shell: Shell, folder: Path) -> None:
    path = write(folder, "time,plant/line1/x,plant/line1/y,lone\n1580000000,1,2,3\n")
    report(shell, path, "--paths")
    found = [(row["collection"], row["name"]) for row in shell.json("streams")]
    assert found == [("lone", ""), ("plant/line1", "x"), ("plant/line1", "y")]


def test_many_rows_over_many_batches(shell: Shell, folder: Path) -> None:
    """Far more than pyarrow reads at once: every point comes through, in order and exactly."""
    count = 120_000
    generator = np.random.default_rng(7)
    stamps = np.sort(generator.integers(START, START + 10**15, count))
    numbers = generator.normal(size=count)
    wholes = generator.integers(-(1 << 62), 1 << 62, count)
    rows = zip(stamps.tolist(), numbers.tolist(), wholes.tolist(), strict=True)
    path = write(folder, "time,x,n\n" + "".join(f"{t},{x!r},{n}\n" for t, x, n in rows))
    (file,) = report(shell, path)
    assert [column["points"] for column in file["columns"]] == [count, count]
    with shell.open() as db:
        x, n = (db.stream("bench", name=name).values() for name in ("x", "n"))
        assert np.array_equal(x.times, stamps)
        assert np.array_equal(x.values, numbers)
        assert np.array_equal(n.values, wholes)


def test_lines_are_counted_over_many_batches(shell: Shell, folder: Path) -> None:
    """Malformed and empty lines in between do not put the numbers out."""
    lines = [f"{1_580_000_000 + i},{i}.25,{'a long text to fill the blocks' * 3}" for i in range(60_000)]
    for line in range(100, 60_000, 997):
        lines[line] = "" if line % 2 else "1,2"
    lines[59_990] = "1580000000,oops,text"
    path = write(folder, "time,x,note\n" + "\n".join(lines) + "\n")
    (file,) = report(shell, path, "--skip", "note", "--skip-bad", "--dry-run")
    assert file["columns"][0]["bad"] == 1
    text = shell.ok("import", path, "--skip", "note", "--skip-bad", "--dry-run")
    assert "line 102: 2 columns instead of 3" in text
    for line in range(100, 60_000, 997):
        lines[line] = lines[0]
    message = shell.refused(
        "OTR-4250", "import", write(folder, "time,x,note\n" + "\n".join(lines) + "\n"), "--skip", "note"
    )
    assert "line 59992, column 'x'" in message


def parquet_file(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "bench.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=2)
    return path


STAMPS = [START, START + 1, START + SECOND]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (pa.array(STAMPS, pa.timestamp("ns", "UTC")), []),
        (pa.array(STAMPS, pa.timestamp("ns", "Asia/Tokyo")), []),
        (pa.array(STAMPS, pa.timestamp("ns")), ["--tz", "UTC"]),
        (pa.array(STAMPS, pa.int64()), []),
        (pa.array([str(stamp) for stamp in STAMPS]), []),
    ],
)
def test_parquet_times_are_exact(shell: Shell, folder: Path, cells: pa.Array, words: list[str]) -> None:
    report(
        shell, parquet_file(folder, {"when": cells, "x": [1.0, 2.0, 3.0]}), *words, "--time-column", "when"
    )
    assert times(shell, "x") == STAMPS


def test_parquet_types_are_the_kinds(shell: Shell, folder: Path) -> None:
    columns = {
        "x": pa.array([1.5, None, 2.5], pa.float32()),
        "stamp": pa.array([1, 2, 3], pa.timestamp("s", "UTC")),
        "n": pa.array([1, 2, (1 << 63) - 1], pa.uint64()),
        "on": pa.array([True, None, False]),
        "text": pa.array(["1", "", "3"]),
    }
    (file,) = report(shell, parquet_file(folder, columns))
    assert (file["time_column"], [row["kind"] for row in file["columns"]]) == (
        "stamp",
        ["float", "int", "bool", "int"],
    )
    assert [row["empty"] for row in file["columns"]] == [1, 0, 1, 1]
    assert (values(shell, "x"), values(shell, "n")) == ([1.5, 2.5], [1, 2, (1 << 63) - 1])
    assert (values(shell, "on"), values(shell, "text")) == ([True, False], [1, 3])


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (pa.array([1.0, float("nan"), 2.0]), "OTR-4250"),
        (pa.array([1, 1 << 63, 2], pa.uint64()), "OTR-4250"),
        (pa.array([b"1", b"2", b"3"]), "OTR-4212"),
        (pa.array([1, 2, 3], pa.decimal128(10, 2)), "OTR-4212"),
    ],
)
def test_parquet_values_that_fit_no_kind(shell: Shell, folder: Path, column: pa.Array, code: str) -> None:
    path = parquet_file(folder, {"time": pa.array(STAMPS), "x": column})
    message = shell.refused(code, "import", path)
    assert "column 'x'" in message
    assert code == "OTR-4212" or "row 2" in message
    if code == "OTR-4250" and pa.types.is_floating(column.type):
        report(shell, path, "--null", "NaN")
        assert values(shell, "x") == [1.0, 2.0]


def test_parquet_that_is_none(shell: Shell, folder: Path) -> None:
    shell.refused("OTR-4210", "import", write(folder, "no parquet at all", "bench.parquet"))
    cut = parquet_file(folder, {"time": pa.array(STAMPS), "x": [1, 2, 3]})
    cut.write_bytes(cut.read_bytes()[:-20])
    shell.refused("OTR-4210", "import", cut)


def test_a_time_outside_all_time_is_refused(shell: Shell, folder: Path) -> None:
    path = write(folder, f"time,x\n{MAX_TIME - 1},1\n")
    assert "line 2" in shell.refused("OTR-4132", "import", path)
