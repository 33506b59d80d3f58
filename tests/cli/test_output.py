import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from otrdb.cli.output.cells import sheet_of
from otrdb.cli.output.csv import CsvWriter
from otrdb.cli.output.json import JsonWriter
from otrdb.cli.output.parquet import ParquetWriter
from otrdb.cli.output.table import PlainTable
from otrdb.export import Column
from tests.cli.harness import Shell

INT = "plant/line1/a int"
BIG = (1 << 100) + 1
SHEET = [
    Column("t", "time", np.array([1, 1_700_000_000_123_456_789])),
    Column("f", "float", np.array([0.1, 1e300]), np.array([True, False])),
    Column("b", "bool", np.array([True, False])),
    Column("i", "int", np.array([-(1 << 63), 0])),
    Column("s", "total", np.array([BIG, -BIG], dtype=object)),
    Column("u", "uuid", np.array([b"0" * 36, b"1" * 36])),
    Column("x", "text", np.array(['comma, "quote"', "ø"], dtype=object)),
]
TIMES = ["1970-01-01T00:00:00.000000001Z", "2023-11-14T22:13:20.123456789Z"]


def test_json_is_exact() -> None:
    stream = io.StringIO()
    writer = JsonWriter(stream, "iso")
    writer.write(SHEET)
    writer.write(SHEET)
    writer.close()
    rows = json.loads(stream.getvalue())
    assert rows[:2] == rows[2:]
    assert rows[0] == {
        "t": TIMES[0], "f": 0.1, "b": True, "i": -(1 << 63), "s": BIG, "u": "0" * 36, "x": 'comma, "quote"'
    }  # fmt: skip
    assert rows[1] | {"t": TIMES[1], "f": None, "x": "ø"} == rows[1]


def test_json_of_nothing_is_an_empty_array() -> None:
    stream = io.StringIO()
    JsonWriter(stream, "ns").close()
    assert json.loads(stream.getvalue()) == []


def test_csv_is_exact() -> None:
    stream = io.StringIO()
    writer = CsvWriter(stream, "ns")
    writer.write(SHEET)
    writer.write(SHEET)
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    assert rows[0] == ["t", "f", "b", "i", "s", "u", "x"]
    assert rows[1] == ["1", "0.1", "true", str(-(1 << 63)), str(BIG), "0" * 36, 'comma, "quote"']
    assert rows[2][:3] == ["1700000000123456789", "", "false"]
    assert rows[3:] == rows[1:3]


def test_parquet_has_the_types(tmp_path: Path) -> None:
    writer = ParquetWriter(tmp_path / "x.parquet")
    writer.write(SHEET)
    writer.close()
    table = parquet.read_table(tmp_path / "x.parquet")
    assert [str(form) for form in table.schema.types] == [
        "timestamp[ns, tz=UTC]", "double", "bool", "int64", "decimal128(38, 0)", "string", "string"
    ]  # fmt: skip
    assert table.column("f").to_pylist() == [0.1, None]
    assert [int(total) for total in table.column("s").to_pylist()] == [BIG, -BIG]
    assert table.column("t").cast("int64").to_pylist() == [1, 1_700_000_000_123_456_789]


def test_plain_tables_cut_nothing_off() -> None:
    stream = io.StringIO()
    table = PlainTable(stream, "iso")
    table.write(SHEET)
    table.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].split() == ["t", "f", "b", "i", "s", "u", "x"]
    assert lines[2].split() == [TIMES[1], "-", "false", "0", str(-BIG), "1" * 36, "ø"]


def test_cells_without_a_value_are_none() -> None:
    records: list[dict[str, int | str | None]] = [{"n": 1, "t": None}, {"n": None, "t": "a"}]
    number, text = sheet_of(records, {"n": "int", "t": "text"})
    assert number.valid is not None
    assert number.valid.tolist() == [True, False]
    assert text.values.tolist() == [None, "a"]


def test_all_forms_hold_the_same_rows(plant: Shell, tmp_path: Path) -> None:
    plant.ok("values", INT, "--parquet", tmp_path / "values.parquet")
    table = parquet.read_table(tmp_path / "values.parquet").to_pydict()
    stored = [(second * 10**9, second * 10) for second in range(1, 11)]
    assert [(time.value, value) for time, value in zip(table["time"], table["value"], strict=True)] == stored
    rows = plant.json("values", INT, "--times", "ns")
    assert [(row["time"], row["value"]) for row in rows] == stored
    lines = plant.ok("values", INT, "--times", "ns", "--csv").splitlines()
    assert lines == ["time,value", *(f"{time},{value}" for time, value in stored)]
    text = plant.ok("values", INT, "--times", "ns").splitlines()
    assert [line.split() for line in text] == [line.split(",") for line in lines]


def test_a_table_says_when_rows_are_left_out(shell: Shell) -> None:
    shell.ok("create", "plant", "--name", "many")
    shell.ok("insert", "plant/many", stdin="".join(f"{time},1\n" for time in range(120)))
    cut = shell.run("values", "plant/many")
    assert len(cut.stdout.splitlines()) == 101
    assert "The first 100 rows" in cut.stderr
    assert len(shell.ok("values", "plant/many", "--limit", "0").splitlines()) == 121
    assert len(shell.json("values", "plant/many")) == 120
    assert len(shell.ok("values", "plant/many", "--csv", "--limit", 7).splitlines()) == 8


def test_forms_exclude_each_other(plant: Shell, tmp_path: Path) -> None:
    assert plant.run("values", INT, "--json", "--csv").exit_code == 2
    assert plant.run("values", INT, "--json", "--parquet", tmp_path / "x").exit_code == 2
    plant.refused("OTR-4210", "values", INT, "--parquet", tmp_path / "no" / "where.parquet")


@pytest.mark.parametrize("words", [["streams"], ["values", INT], ["windows", INT, "--width", "2s"]])
def test_a_terminal_gets_a_drawn_table(plant: Shell, words: list[str]) -> None:
    """The same rows as everywhere, with rules and no control characters under NO_COLOR."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "otrdb.cli", "-a", str(plant.archive), *words]
    environment = os.environ | {
        "NO_COLOR": "1",
        "TERM": "xterm",
        "COLUMNS": "160",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(command, stdout=theirs, env=environment, check=True)
    os.close(theirs)
    screen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "─" in screen
    assert "\x1b[3" not in screen
    plain = plant.ok(*words).splitlines()
    assert len([line for line in screen.splitlines() if line.strip(" ─\r")]) == len(plain)
