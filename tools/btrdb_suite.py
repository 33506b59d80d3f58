"""Run the integration tests of BTrDB's own Python client against `otrdb serve`: `make test-btrdb`.

They come with the client, in its wheel. Those its authors expect to fail must not fail here.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

CASES = 54
OTRDB = (sys.executable, "-m", "otrdb.cli")
PROFILE = """otrdb:
  name: otrdb
  btrdb:
    endpoints: "{address}"
    api_key: "{key}"
"""


def copy_suite(into: Path) -> Path:
    """The tests alone: beside them there is a folder that hides the client from them."""
    wanted = [file for file in files("btrdb") or () if file.parts[:2] == ("tests", "btrdb_integration")]
    if not wanted:
        raise SystemExit("The installed btrdb brings no integration tests.")
    for file in wanted:
        if file.suffix == ".py":
            target = into / file.relative_to("tests")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), target)
    return into / "btrdb_integration"


@contextmanager
def served(archive: Path) -> Iterator[str]:
    """The address of a server of the archive."""
    command = [*OTRDB, "serve", "-a", str(archive), "--grpc", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            greeting = server.stdout.readline() if server.stdout else ""
            found = re.search(r"served at (127\.0\.0\.1:\d+)", greeting)
            if found is None:
                raise SystemExit(f"The server does not start: {greeting}")
            yield found[1]
        finally:
            server.terminate()


def run(suite: Path, home: Path) -> str:
    """The last line of pytest."""
    environment = {**os.environ, "HOME": str(home), "BTRDB_INTEGRATION_TEST_PROFILE": "otrdb"}
    for name in ("BTRDB_ENDPOINTS", "BTRDB_API_KEY", "BTRDB_PROFILE", "PYTHONPATH"):
        environment.pop(name, None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--runxfail",
        "--disable-warnings",
        "-p",
        "no:cacheprovider",
        str(suite),
    ]
    done = subprocess.run(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    return done.stdout.strip().rpartition("\n")[2]


def main() -> None:
    """The whole run; fails unless every case passes."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        archive = home / "archive.otr"
        create = [*OTRDB, "-a", str(archive), "keys", "create", "suite", "--scope", "admin"]
        key = subprocess.run(create, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        with served(archive) as address:
            profile = home / ".predictivegrid/credentials.yaml"
            profile.parent.mkdir()
            profile.write_text(PROFILE.format(address=address, key=key))
            summary = run(copy_suite(home), home)
    if f"{CASES} passed" not in summary or "failed" in summary or "error" in summary:
        raise SystemExit(f"Not all {CASES} cases passed: {summary}")


if __name__ == "__main__":
    main()
