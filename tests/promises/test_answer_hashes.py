"""The hashes that `make aarch64` compares: the same for the same points, others after the least change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tools.answer_hashes import PLANS, decimals, lines

if TYPE_CHECKING:
    from pathlib import Path

    from otrdb.model import Array, UInt64Array

POINTS = 300


@pytest.fixture(autouse=True)
def _two_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(PLANS) - {"sensor", "scales"}:
        monkeypatch.delitem(PLANS, name)


def test_an_archive_built_again_and_one_asked_again_give_the_same_hashes(tmp_path: Path) -> None:
    built = list(lines(tmp_path / "one", POINTS))
    assert list(lines(tmp_path / "one", POINTS)) == built
    assert list(lines(tmp_path / "two", POINTS)) == built
    assert len({line.split("  ", 1)[1] for line in built}) == len(built) > 300


def test_the_last_bit_of_one_value_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(words: UInt64Array) -> Array:
        values = decimals(words)
        values[100] = np.nextafter(values[100], np.inf)
        return values

    before = list(lines(tmp_path / "one", POINTS))
    monkeypatch.setitem(PLANS, "sensor", PLANS["sensor"]._replace(values=changed))
    after = list(lines(tmp_path / "two", POINTS))
    differing = {old.strip().split("  ", 1)[1] for old, new in zip(before, after, strict=True) if old != new}
    assert differing >= {"points sensor", "before sensor values", "latest sensor aligned windows 0", "joined"}
    assert all("sensor" in question or question == "joined" for question in differing)
