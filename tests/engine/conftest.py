"""What several of the engine's tests begin with."""

from __future__ import annotations

import pytest

from otrdb.testing.medium import FaultyMedium
from otrdb.testing.operations import create_all
from otrdb.testing.power_cuts import opened


@pytest.fixture(scope="module")
def created() -> FaultyMedium:
    """An archive with all streams, closed."""
    medium = FaultyMedium()
    with opened(medium) as archive:
        create_all(archive)
    return medium
