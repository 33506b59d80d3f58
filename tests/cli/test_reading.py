import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrdb.cli.reading import bounds
from otrdb.errors import InvalidTimeRange
from otrdb.model import MAX_TIME, MIN_TIME
from otrdb.ranges import pieces
from tests.cli.harness import Shell

times = st.lists(st.integers(0, 60) | st.integers(MIN_TIME, MAX_TIME - 2), max_size=60)


@given(times, st.integers(1, 8))
def test_pieces_hold_every_point_once_and_few_at_a_time(points: list[int], most: int) -> None:
    held = np.sort(np.array(points, dtype=np.int64))

    def count(first: int, last: int) -> int:
        assert first < last
        return int(np.searchsorted(held, last) - np.searchsorted(held, first))

    cut = list(pieces(count, MIN_TIME, MAX_TIME, most))
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(cut))
    assert sum(count(*piece) for piece in cut) == len(points)
    assert all(1 <= count(*piece) <= most or piece[1] - piece[0] == 1 for piece in cut)


def test_open_bounds_are_those_of_the_points(plant: Shell) -> None:
    with plant.open() as db:
        streams = db.streams()
        empty = db.create("empty")
        assert bounds(streams, None, None) == (10**9, 10**10 + 1)
        assert bounds(streams, 5, None) == (5, 10**10 + 1)
        assert bounds([empty, *streams], None, 3 * 10**9) == (10**9, 3 * 10**9)
        assert bounds([empty], None, None) is None
        assert bounds(streams, 10**11, None) is None
        with pytest.raises(InvalidTimeRange):
            bounds(streams, 2, 2)
