"""Runs one function in a process of its own: for its peak memory, its write counters, or a single core.

``python -m benchmarks.child MODULE:FUNCTION ARGUMENTS`` calls the function with JSON arguments and prints
what it returns as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pkgutil import resolve_name
from typing import Any


def call(function: str, *, one_core: bool = False, **arguments: float | str) -> dict[str, Any]:
    """The result of ``function`` ("module:name") in a fresh process, on one core only if asked."""
    command = [sys.executable, "-m", "benchmarks.child", function, json.dumps(arguments), str(int(one_core))]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """The other side of `call`."""
    function, arguments, one_core = sys.argv[1:]
    if int(one_core):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(resolve_name(function)(**json.loads(arguments))))


if __name__ == "__main__":
    main()
