"""What all tests share: settings of Hypothesis, and where files of tests lie."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

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

# Whoever starts the tests in the background has these ignored, and so would all they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

MEMORY = Path("/dev/shm")
ENOUGH = 2 << 30

# Most tests would wait for syncs half of their time. What a sync keeps is tried on a medium of its own
# (`otrdb.testing`); a test that is about the disk takes `disk_path`.
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """A directory whose files are on a disk, as far as the system's directory for temporary files is."""
    with TemporaryDirectory() as directory:
        yield Path(directory)
