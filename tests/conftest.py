"""Hypothesis settings shared by all tests."""

import os

import pytest
from hypothesis import settings

# What is asserted there is shown as what tests assert.
pytest.register_assert_rewrite("otrdb.testing")

# Deadlines measure the machine, not the code: a busy small board must not fail a correct test.
settings.register_profile("default", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True, print_blob=True)
# For interpreters that are slow by themselves, as under emulation (`make aarch64`).
settings.register_profile("few", deadline=None, max_examples=8, derandomize=True, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))
