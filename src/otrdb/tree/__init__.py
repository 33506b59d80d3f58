"""The tree: a time-partitioning, multi-resolution, version-annotated, copy-on-write tree of one stream.

It knows arrays and blocks, no files. `insert` and `erase` make new roots in memory, `Save` writes what is
new, the queries read a root through a `Source`.
"""

from .cache import Cache
from .changes import changes
from .describe import NAMES, describe, interval
from .edit import Edit, empty_root
from .erase import emptied_root, erase
from .insert import insert
from .leaf_block import LEAF_TYPE, page_sums
from .leaves import Columns
from .locate import EVERYTHING, locate
from .nodes import Address, Child, ChildKind, Node, Piece
from .points import first_from, last_before, values
from .references import Reference, redirected, references
from .save import Save
from .source import BlockReader, BlockWriter, MemoryBlocks, Source
from .space import bytes_within
from .thin import THINNABLE, Thinnable, Thinning, thin, thinnable
from .thinned import refuse_points, thinned_until
from .tolerant import Lost, TolerantSource
from .touched import touched_leaves
from .verify import Fault, verify
from .windows import aligned_windows, windows

__all__ = [
    "EVERYTHING",
    "LEAF_TYPE",
    "NAMES",
    "THINNABLE",
    "Address",
    "BlockReader",
    "BlockWriter",
    "Cache",
    "Child",
    "ChildKind",
    "Columns",
    "Edit",
    "Fault",
    "Lost",
    "MemoryBlocks",
    "Node",
    "Piece",
    "Reference",
    "Save",
    "Source",
    "Thinnable",
    "Thinning",
    "TolerantSource",
    "aligned_windows",
    "bytes_within",
    "changes",
    "describe",
    "emptied_root",
    "empty_root",
    "erase",
    "first_from",
    "insert",
    "interval",
    "last_before",
    "locate",
    "page_sums",
    "redirected",
    "references",
    "refuse_points",
    "thin",
    "thinnable",
    "thinned_until",
    "touched_leaves",
    "values",
    "verify",
    "windows",
]
