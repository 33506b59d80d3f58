"""The files of real measurements are imported whole. They are no part of the repository: $OTRDB_TEST_DATA
names their folder, by default shared/data beside the repository."""

import csv
import datetime as dt
import os
from pathlib import Path

import pytest

from tests.cli.harness import Shell

FOLDER = Path(os.environ.get("OTRDB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
SKAB = sorted(FOLDER.glob("skab/*.csv"))
NAB = sorted(FOLDER.glob("nab/*.csv"))

pytestmark = pytest.mark.skipif(
    not SKAB or not NAB, reason=f"the files of real measurements are not in {FOLDER}"
)


def plainly(path: Path, delimiter: str) -> dict[str, list[tuple[int, float]]]:
    """The points of each column, by Python's own CSV reader."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file, delimiter=delimiter)
    stamps = [int(dt.datetime.fromisoformat(row[0] + "+00:00").timestamp()) * 10**9 for row in rows]
    return {
        name: [(time, float(row[place])) for time, row in zip(stamps, rows, strict=True)]
        for place, name in enumerate(header)
        if place
    }


def test_the_pump_test_bench(shell: Shell) -> None:
    shell.ok("import", *SKAB, "--tz", "UTC", "--collection", "skab/pump", "--unit", "Temperature=C")
    expected: dict[str, list[tuple[int, float]]] = {}
    for path in SKAB:
        for name, points in plainly(path, ";").items():
            expected.setdefault(name, []).extend(points)
    with shell.open() as db:
        stored = {
            stream.name: [tuple(point) for point in stream.values()] for stream in db.streams("skab/pump")
        }
    assert stored == {name: sorted(points, key=lambda point: point[0]) for name, points in expected.items()}
    assert shell.json("info", "skab/pump/anomaly")["kind"] == "float"
    assert shell.json("info", "skab/pump/Temperature")["tags"]["unit"] == "C"


def test_the_machine_temperatures(shell: Shell) -> None:
    shell.ok("import", *NAB, "--tz", "UTC", "--unit", "value=F")
    for path in NAB:
        (points,) = plainly(path, ",").values()
        with shell.open() as db:
            stream = db.stream(path.stem, name="value")
            assert [tuple(point) for point in stream.values()] == sorted(points, key=lambda point: point[0])
