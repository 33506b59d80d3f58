"""OtrDB: a versioned time-series archiver for small machines."""

# Layers, each importing only what stands above it (tests/test_layering.py reads the imports):
#
#   vocabulary   errors, model, times, columns, results, interface: importable everywhere
#   kernels      compiled inner loops; know arrays only
#   tree         geometry, summaries, leaf and node blocks; knows no files
#   storage      medium, segments, journal, catalog, locks; knows no trees
#   engine       archive, streams, pending points, commits, versions, snapshots
#   wire         messages of the gRPC services, and points to and from their bytes
#   cli, collect, server, remote
#                doors: use what this module exports, and the vocabulary
#   baseline     simpler archivers to check and measure against; kernels and vocabulary only

import sys

if sys.maxsize < 1 << 62:
    raise ImportError("OtrDB needs a 64-bit Python. On a Raspberry Pi, install the 64-bit Raspberry Pi OS.")

from otrdb.engine.archive import Archive
from otrdb.engine.inspection import Inspection, inspect
from otrdb.engine.opening import open_archive as open  # noqa: A004
from otrdb.engine.opening import repair
from otrdb.engine.restore import restore
from otrdb.engine.salvage import Partial
from otrdb.engine.snapshot import Snapshot
from otrdb.engine.stream import PartialStream, Stream, View
from otrdb.engine.subscription import Arrival, Subscription
from otrdb.errors import OtrError
from otrdb.joined import Joined, Long, Wide
from otrdb.model import MAX_TIME, MIN_TIME, Kind, Merge
from otrdb.remote.connecting import connect
from otrdb.results import (
    BackedUp,
    Change,
    Expiry,
    Finding,
    Inserted,
    InsertedBatch,
    LeftOut,
    Point,
    Points,
    Rule,
    Windows,
)

__version__ = "0.1.0"

__all__ = [
    "MAX_TIME",
    "MIN_TIME",
    "Archive",
    "Arrival",
    "BackedUp",
    "Change",
    "Expiry",
    "Finding",
    "Inserted",
    "InsertedBatch",
    "Inspection",
    "Joined",
    "Kind",
    "LeftOut",
    "Long",
    "Merge",
    "OtrError",
    "Partial",
    "PartialStream",
    "Point",
    "Points",
    "Rule",
    "Snapshot",
    "Stream",
    "Subscription",
    "View",
    "Wide",
    "Windows",
    "connect",
    "inspect",
    "open",
    "repair",
    "restore",
]
