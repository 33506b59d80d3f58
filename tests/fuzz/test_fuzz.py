"""A short run in the fast suite: `python -m tests.fuzz` is the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.run import run

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS = 4_000


def test_a_server_outlives_bad_input(tmp_path: Path) -> None:
    result = run(tmp_path / "fuzz.otr", seed=7, requests=REQUESTS, connections=300)
    assert result.problems == []
    assert result.requests >= REQUESTS
    assert result.checked > REQUESTS // 100
