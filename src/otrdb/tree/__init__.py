"""The tree: a time-partitioning, multi-resolution, version-annotated, copy-on-write tree of one stream.

It knows arrays and blocks, no files. `insert` and `erase` make new roots in memory, `Save` writes what is
new, the queries read a root through a `Source`.
"""

from .cache import Cache
from .changes import changes
from .edit import Edit, empty_root
from .erase import erase
from .insert import insert
from .nodes import Address, Child, ChildKind, Node, Piece
from .points import first_from, last_before, values
from .save import Save
from .source import BlockReader, BlockWriter, MemoryBlocks, Source
from .space import bytes_within
from .touched import touched_leaves
from .verify import Fault, verify
from .windows import aligned_windows, windows

__all__ = [
    "Address",
    "BlockReader",
    "BlockWriter",
    "Cache",
    "Child",
    "ChildKind",
    "Edit",
    "Fault",
    "MemoryBlocks",
    "Node",
    "Piece",
    "Save",
    "Source",
    "aligned_windows",
    "bytes_within",
    "changes",
    "empty_root",
    "erase",
    "first_from",
    "insert",
    "last_before",
    "touched_leaves",
    "values",
    "verify",
    "windows",
]
