"""Two simpler archivers with the same interface: to check the engine's answers against, and to measure it
against.

`open_flat` scans one append-only file per stream; `open_chunked` keeps sorted, compressed chunks with an
index of their statistics. Both keep every promise of the interface, versions and durability included.
"""

from otrdb.baseline.chunked import open_chunked
from otrdb.baseline.flat import open_flat

__all__ = ["open_chunked", "open_flat"]
