"""What the machine could do at best: pcodec alone on the same columns, a copy in memory, one sync."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from otrdb.model import Kind
from otrdb.tree.codec import encode_times, encode_values
from otrdb.tree.geometry import LEAF_CAPACITY, page_counts

if TYPE_CHECKING:
    from pathlib import Path

    from .workload import Batch

_FILE_BYTES = 8 << 20


def coded_bytes(kind: Kind, batch: Batch) -> int:
    """Codes the batch as the product would if a leaf were nothing else, on one thread.

    Full leaves, the product's pages and level. Returns the bytes pcodec made, without the product's own.
    """
    words = batch.values.view(np.int64) if kind is Kind.FLOAT else batch.values.astype(np.int64)
    size = 0
    for low in range(0, len(words), LEAF_CAPACITY):
        part = slice(low, low + LEAF_CAPACITY)
        counts = page_counts(len(words[part]))
        size += encode_times(batch.times[part], counts).size
        size += encode_values(kind, words[part], counts).size
    return size


class Copy:
    """Copies a batch in memory."""

    def __init__(self, size: int) -> None:
        self._times = np.empty(size, np.int64)
        self._values = np.empty(size, np.int64)

    def __call__(self, batch: Batch) -> None:
        """The copy."""
        count = len(batch.times)
        self._times[:count] = batch.times
        self._values[:count].view(np.uint8)[: batch.values.nbytes] = batch.values.view(np.uint8)


class SyncedFile:
    """A preallocated, written file; each call overwrites the next ``size`` bytes of it and syncs once.

    That is the cheapest way to make so many bytes durable: neither the file's length nor its extents change.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        for offset in range(0, _FILE_BYTES, 1 << 20):
            os.pwrite(self._file, bytes(1 << 20), offset)
        os.fsync(self._file)
        self._offset = 0

    def write(self, size: int) -> None:
        """Makes ``size`` bytes durable."""
        if self._offset + size > _FILE_BYTES:
            self._offset = 0
        os.pwrite(self._file, bytes(size), self._offset)
        os.fdatasync(self._file)
        self._offset += size

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._file)
