"""The benchmark harness at tiny sizes: every measure runs, its files have their form, the report is made."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks import bars, child, figures, workload
from benchmarks.__main__ import main
from benchmarks.contenders import all_contenders
from benchmarks.limits import coded_bytes
from benchmarks.measures import MEASURES
from benchmarks.measures.views import WINDOWS, zooms
from benchmarks.profiles import PROFILES, checkpoints
from benchmarks.report import write_report
from benchmarks.timing import interleaved
from otrdb.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(600)  # all look at one run, which takes long on a busy machine

POINTS = 12_000
CONTENDERS = ("tree", "chunked")
WORKLOADS = [workload.sensor(), workload.random_walk(), workload.counter(), workload.flag()]


@pytest.fixture(scope="module")
def results() -> Iterator[Path]:
    """One run of everything, on a disk, whose counters it reads; the path of its results file."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        output = directory / "results" / "quick.json"
        words = ["--points", str(POINTS), "--contenders", ",".join(CONTENDERS)]
        assert main([*words, "--work", str(directory / "work"), "--output", str(output)]) == 0
        yield output


@pytest.fixture(scope="module")
def document(results: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(results.read_text())
    return loaded


def test_a_run_says_what_it_ran_on(document: dict[str, Any]) -> None:
    assert document["profile"] == "quick"
    assert document["settings"]["points"] == POINTS
    assert set(document["contenders"]) == set(CONTENDERS)
    assert document["machine"]["cores"] >= 1
    assert document["machine"]["sync_4k_ms"]["median"] > 0
    assert {"python", "numpy", "pcodec", "otrdb"} <= set(document["versions"])
    assert set(document["seconds by measure"]) == set(MEASURES)


def test_every_measure_leaves_figures_of_the_tree(document: dict[str, Any]) -> None:
    measured = {row["measure"] for row in document["figures"] if row["contender"] == "tree"}
    assert measured == set(MEASURES)


def test_every_figure_has_its_raw_repeats_and_their_summaries(document: dict[str, Any]) -> None:
    for row in document["figures"]:
        repeats = row["repeats"]
        assert repeats
        assert min(repeats) <= row["median"] <= row["p99"] <= max(repeats), row
        assert min(repeats) <= row["mean"] * (1 + 1e-4)
        assert row["mean"] <= max(repeats) * (1 + 1e-4)


def test_no_two_figures_are_the_same_quantity(document: dict[str, Any]) -> None:
    names = ("measure", "metric", "contender", "case")
    times_measured = Counter(json.dumps([row[name] for name in names]) for row in document["figures"])
    assert {key for key, times in times_measured.items() if times > 1} == set()


def test_bars_are_judged_by_their_limits(document: dict[str, Any]) -> None:
    judged = document["bars"]
    assert [bar["text"] for bar in judged] == [bar.text for bar in bars.BARS]
    for bar in judged:
        if bar["met"] is not None:
            kept = bar["of limit"] <= 1 if bar["relation"] == "<=" else bar["of limit"] >= 1
            assert bar["met"] is kept
    # An archive that does not grow beyond 10 M points shows neither its growth nor a range of 1 M points.
    unmeasured = {bar["text"].partition(":")[0] for bar in judged if bar["met"] is None}
    assert unmeasured == {"growth from 10 M points", "raw points, 1 M"}


def test_the_results_file_gives_the_figures_back(document: dict[str, Any]) -> None:
    found = figures.figures_of(document)
    for figure, row in zip(found.all, document["figures"], strict=True):
        assert figure.case == row["case"]
        assert list(figure.repeats) == row["repeats"]
        assert figure.median == pytest.approx(row["median"], rel=1e-4)


def test_the_work_directory_is_left_clean(results: Path) -> None:
    left = {path.name for path in (results.parent.parent / "work").iterdir()}
    assert left == {".gitignore"}


def test_the_report_is_made_of_the_results(results: Path, tmp_path: Path) -> None:
    document, pictures = tmp_path / "benchmark.md", tmp_path / "benchmark"
    write_report(results.parent, document, pictures)
    text = document.read_text()
    for name in CONTENDERS:
        assert f"**{name}**" in text
    for picture in pictures.iterdir():
        assert f"({pictures.name}/{picture.name})" in text
    assert len(list(pictures.iterdir())) >= 5
    assert "$" not in text


def test_a_part_does_not_take_the_place_of_a_whole_run(tmp_path: Path) -> None:
    words = ["--points", "1000", "--only", "nearest", "--contenders", "tree"]
    main([*words, "--work", str(tmp_path / "work"), "--results", str(tmp_path)])
    (path,) = tmp_path.glob("*.json")
    assert path.name == "quick-part.json"
    assert {row["measure"] for row in json.loads(path.read_text())["figures"]} == {"nearest"}


@pytest.mark.parametrize("made", WORKLOADS, ids=lambda made: made.name)
def test_workloads_do_not_depend_on_who_asks(made: workload.Workload) -> None:
    first, second = (list(made.batches(1_000, 300)) for _ in range(2))
    assert [len(batch.times) for batch in first] == [300, 300, 300, 100]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.times, other.times)
        assert np.array_equal(one.values, other.values)
        assert one.values.dtype == made.kind.dtype


@pytest.mark.parametrize("rate", [0.01, 60.0, 100.0, 950.0, 10_000.0])
def test_times_are_regular_but_for_their_jitter(rate: float) -> None:
    made = workload.sensor(rate)
    (batch,) = made.batches(50_000, 50_000)
    late = batch.times - workload.START - np.arange(50_000) * made.interval
    assert made.interval == round(1e9 / rate)
    assert late.min() >= 0
    assert late.max() < made.jitter
    assert late.mean() == pytest.approx(made.jitter / 2, rel=0.05)
    assert (np.diff(batch.times) > 0).all()
    assert batch.times[-1] < made.end(50_000)


def test_the_peers_workload_is_a_rounded_noisy_sine() -> None:
    (batch,) = workload.sensor().batches(60_000, 60_000)
    phase = (batch.times - workload.START) / 60e9
    noise = batch.values - 100 * np.sin(2 * np.pi * phase)
    assert workload.sensor().jitter == 1_000_000
    assert np.array_equal(batch.values, batch.values.round(3))
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.std() == pytest.approx(1, abs=0.02)


def test_a_walk_goes_on_from_batch_to_batch() -> None:
    whole = np.concatenate([batch.values for batch in workload.random_walk().batches(1_000, 100)])
    counted = np.concatenate([batch.values for batch in workload.counter().batches(1_000, 100)])
    assert np.diff(whole).std() == pytest.approx(1, abs=0.1)
    assert np.abs(np.diff(whole)).max() < 6
    assert (np.diff(counted) >= 0).all()
    assert np.diff(counted).mean() == pytest.approx(3, abs=0.3)


def test_contenders_answer_alike(tmp_path: Path) -> None:
    made = workload.sensor()
    start, end, width = workload.START + 10**9, made.end(1_500), 77_777_777
    answers = []
    for contender in all_contenders():
        archive = contender.open(tmp_path / contender.name)
        stream = archive.create("bench/stream")
        for batch in made.batches(2_000, 500):
            stream.insert(*batch)
        archive.flush()
        archive.close()
        archive = contender.open(tmp_path / contender.name)
        stream = archive.stream("bench/stream")
        views = stream.aligned_windows(start, end, 27), stream.windows(start, end, width)
        answers.append([len(answer) for answer in (*views, stream.values(start, end))])
        assert stream.nearest(start)
        archive.close()
    assert answers == [answers[0]] * len(answers)
    assert answers[0][1:] == [(end - start) // width, 1_400]


def test_the_sweep_builds_trees_under_other_constants() -> None:
    product, smaller = (
        child.call("benchmarks.sweep:measure", constants=json.dumps(constants), rates="[1.0]", points=20_000)
        for constants in ({}, {"LEAF_CAPACITY": 1_024, "LEVEL": 1, "ROOT_POINTWIDTH": 58, "ROOT_SPAN": 1})
    )
    (own,), (other,) = product["built"], smaller["built"]
    assert other["bytes_per_point"] > own["bytes_per_point"] > 4
    assert sum(other["blocks"]) > sum(own["blocks"])


def test_the_limit_compresses_to_little_over_the_entropy() -> None:
    (batch,) = workload.sensor().batches(16_384, 16_384)
    assert 4.0 < coded_bytes(Kind.FLOAT, batch) / 16_384 < 4.5


@pytest.mark.parametrize("points", [1_000, 1_000_000, 300_000_000])
def test_zooms_go_from_a_window_per_point_to_everything(points: int) -> None:
    found = zooms(workload.sensor(), points)
    span = points * workload.sensor().interval
    assert 1 << found[0] <= workload.sensor().interval < 2 << found[0]
    assert span >> found[-1] <= WINDOWS
    assert len(found) == 1 or span >> found[-2] > WINDOWS // 2
    assert found == sorted(set(found))


def test_checkpoints_end_with_everything() -> None:
    for profile in PROFILES.values():
        assert profile.checkpoints[-1] == profile.points
    assert checkpoints(1_000_000, 100_000) == (100_000, 300_000, 1_000_000)


def test_percentiles_are_values_that_were_measured() -> None:
    assert figures.percentile(range(1, 101), 0.99) == 99
    assert figures.percentile([5.0], 0.99) == 5.0
    assert figures.percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_whoever_is_slow_sits_out_and_the_others_go_on() -> None:
    turns: list[str] = []
    calls = {name: lambda name=name: turns.append(name) for name in ("quick", "slow")}
    spent = interleaved(calls, 4, seconds=0.0)
    assert {name: len(repeats) for name, repeats in spent.items()} == {"quick": 0, "slow": 0}
    spent = interleaved(calls, 4)
    assert turns == ["quick", "slow", "slow", "quick"] * 2
    assert all(len(repeats) == 4 for repeats in spent.values())
