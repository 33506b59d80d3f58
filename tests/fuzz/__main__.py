"""The long run, `make test-fuzz`. Prints what came back, and ends with 1 if anything was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from tests.fuzz.run import Result, run

REQUESTS = 200_000
_SHOWN = 20


def main() -> int:
    """Run it, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        result = run(Path(directory) / "fuzz.otr", asked.seed, asked.requests)
    tell(result)
    return 1 if result.problems else 0


def tell(result: Result) -> None:
    """Print how often each method gave each code, and what was wrong."""
    by_method: dict[str, Counter[str]] = defaultdict(Counter)
    for (method, code), count in result.answers.items():
        by_method[method][code] += count
    for method, codes in sorted(by_method.items()):
        print(f"{method:22}", "  ".join(f"{code}: {count:,}" for code, count in sorted(codes.items())))
    print("kinds:", ", ".join(f"{kind} {count:,}" for kind, count in result.kinds.most_common()))
    print("connections:", ", ".join(f"{kind} {count:,}" for kind, count in result.connections.most_common()))
    print(
        f"{result.requests:,} requests in {result.seconds:.0f} s; {result.checked:,} answers compared; "
        f"{result.kept:,} points inserted meanwhile; memory {result.idle >> 20} MiB idle, "
        f"{result.peak >> 20} at most, {result.after >> 20} afterwards; {result.threads} threads at most"
    )
    for problem in result.problems[:_SHOWN]:
        print("WRONG:", problem)
    print(f"{len(result.problems)} problems" if result.problems else "nothing wrong")


if __name__ == "__main__":
    sys.exit(main())
