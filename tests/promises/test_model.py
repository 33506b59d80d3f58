"""Every archiver is driven at random beside a plain model, and must answer as the model does.

Set OTRDB_MODEL=slow for the long run.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from otrdb.testing.stateful import machine
from tests.support.implementations import IMPLEMENTATIONS

SLOW = os.environ.get("OTRDB_MODEL") == "slow"
EXAMPLES, STEPS = (1_000, 80) if SLOW else (80, 30)
FEWER = {"remote": 4}
"""By how much fewer runs: each starts a server, and what it adds to the archive has few states of its own."""


@pytest.mark.timeout(36_000 if SLOW else 900)  # a failure takes minutes to be made small
@pytest.mark.parametrize("name", sorted(IMPLEMENTATIONS))
def test_an_archiver_answers_as_the_model_does(name: str) -> None:
    chosen = settings(
        max_examples=EXAMPLES // FEWER.get(name, 1),
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine(IMPLEMENTATIONS[name]), settings=chosen)
