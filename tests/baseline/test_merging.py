"""Merging with columns gives what merging point by point gives."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.baseline.merging import Batch, coalesce, merge
from otrdb.columns import decode, words
from otrdb.model import Kind, Merge
from otrdb.testing.model import State, check_points, merged

POINTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, -0.0, 1.0, 2.0])), max_size=12)


def split(points: list[tuple[int, float]]) -> tuple[Any, Any]:
    times = np.array([time for time, _ in points], dtype=np.int64)
    return times, np.array([value for _, value in points], dtype=np.float64)


@pytest.mark.parametrize("policy", list(Merge))
@given(stored=POINTS, new=POINTS)
def test_merge_agrees_with_the_model(policy: Merge, stored: list[Any], new: list[Any]) -> None:
    old_times, old_values = split(sorted(stored, key=lambda point: point[0]))
    times, values = split(new)
    batch = Batch(times, words(Kind.FLOAT, values), policy)
    found = merge((old_times, words(Kind.FLOAT, old_values)), batch, Kind.FLOAT)
    wanted = merged(State(old_times, old_values), times, values, policy.value)
    check_points((found[0], decode(Kind.FLOAT, found[1])), wanted)


@given(st.lists(st.tuples(POINTS, st.sampled_from(Merge)), max_size=6))
def test_fewer_batches_merge_to_the_same(batches: list[tuple[list[Any], Merge]]) -> None:
    def fold(batches: list[Batch]) -> Any:
        columns = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        for batch in batches:
            columns = merge(columns, batch, Kind.FLOAT)
        return [column.tolist() for column in columns]

    each = []
    for points, policy in batches:
        times, values = split(points)
        each.append(Batch(times, words(Kind.FLOAT, values), policy))
    fewer = list(coalesce(each))
    assert fold(fewer) == fold(each)
    assert not any(one.merge is Merge.NEVER is other.merge for one, other in pairwise(fewer))
