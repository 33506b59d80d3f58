"""A process that writes into an archive until it is killed: `python -m tests.support.crash_writer`.

It takes one order a line on its standard input, JSON of `Order`. For each it forks, so that a writer starts
in milliseconds; the writer performs the operations of a seed and says what it does on the standard output,
one JSON value a line:

    ["writer", process id]
    ["begins", number of the operation]         before each operation
    ["done", number, answer]                    after it was acknowledged
    ["failed", text]                            an operation raised: the writer waits to be killed
    ["gone"]                                    the writer has ended (said by the process that forked it)
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import Any, NamedTuple

import otrdb
from otrdb.testing.operations import operations, perform


class Order(NamedTuple):
    path: str
    seed: int
    durability: str


def say(*what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def write(order: Order) -> None:
    with otrdb.open(order.path, durability=order.durability, journal=1 << 20, memory=16 << 20) as archive:
        for number, operation in enumerate(operations(order.seed)):
            say("begins", number)
            say("done", number, perform(archive, operation))


def main() -> None:
    for line in sys.stdin:
        writer = os.fork()
        if not writer:
            say("writer", os.getpid())
            try:
                write(Order(*json.loads(line)))
            finally:
                say("failed", traceback.format_exc())
                signal.pause()
        os.waitpid(writer, 0)
        say("gone")


if __name__ == "__main__":
    main()
