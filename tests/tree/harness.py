"""A tree in memory beside a plain sorted array, driven through the same changes."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from otrdb import kernels, tree
from otrdb.model import MIN_TIME, Kind, Merge
from otrdb.tree.source import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

Words = NDArray[np.int64]


def to_words(kind: Kind, values: NDArray[np.generic]) -> Words:
    if kind is Kind.FLOAT:
        return np.ascontiguousarray(values, np.float64).view(np.int64)
    return np.ascontiguousarray(values).astype(np.int64)


class Harness:
    """One tree over memory blocks; `save` after every change unless told otherwise."""

    def __init__(self, kind: Kind = Kind.FLOAT, cache_bytes: int = 1 << 24) -> None:
        self.kind = kind
        self.blocks = tree.MemoryBlocks()
        self.source = tree.Source(kind, self.blocks, tree.Cache(cache_bytes))
        self.root = tree.empty_root()
        self.version = 10
        self.roots = {10: self.root}
        self.obsolete: list[tree.Address] = []
        self.address: tree.Address | None = None

    def insert(self, times: Words, words: Words, merge: Merge = Merge.NEVER, *, save: bool = True) -> None:
        order = times.argsort(kind="stable")
        edit = self._edit()
        self._set(tree.insert(edit, self.root, (times[order], words[order]), merge), edit, save)

    def erase(self, start: int, end: int, *, save: bool = True) -> None:
        edit = self._edit()
        self._set(tree.erase(edit, self.root, start, end), edit, save)

    def _edit(self) -> tree.Edit:
        self.version += 1
        return tree.Edit(self.source, self.version)

    def _set(self, root: tree.Node, edit: tree.Edit, save: bool) -> None:
        self.root = root
        self.obsolete += edit.obsolete
        if save:
            self.save()
        self.roots[self.version] = self.root

    def save(self) -> None:
        saving = tree.Save(self.blocks)
        if self.address is not None:
            self.obsolete.append(self.address)
        self.address = saving.tree(self.source, self.root)
        saving.publish()
        self.source.cache.clear()
        self.root = self.source.node_at(self.address)

    def faults(self) -> list[tree.Fault]:
        return list(tree.verify(self.source, self.root, self.version, deep=True))

    def live(self) -> set[tree.Address]:
        """All written blocks but those that were left behind."""
        left = set(self.obsolete)
        assert len(left) == len(self.obsolete), "left behind once only"
        return set(self.blocks.addresses()) - left

    def reachable(self) -> set[tree.Address]:
        """All blocks of the tree, which was saved."""
        assert self.address is not None
        return {self.address, *self._below(self.root)}

    def _below(self, node: tree.Node) -> Iterator[tree.Address]:
        for child in node.children:
            if child.address is not None:
                yield child.address
            yield from listed(self.source, child)
            if child.kind == tree.ChildKind.NODE:
                yield from self._below(self.source.node(child))

    def values(self, start: int, end: int) -> tuple[list[int], list[int]]:
        times, words = tree.values(self.source, self.root, start, end)
        return times.tolist(), words.tolist()


def statistics_error(kind: Kind, words: Words, row: Words) -> tuple[float, float]:
    """How far a row's mean and deviation are from the truth, in units of 1e-12 * max|v|."""
    values = words.view(np.float64) if kind is Kind.FLOAT else words
    exact: list[Fraction] = [Fraction(value) for value in values.tolist()]
    mean = sum(exact, Fraction()) / len(exact)
    variance = sum(((value - mean) ** 2 for value in exact), Fraction()) / len(exact)
    largest = max(abs(v) for v in exact)
    if largest == 0:
        return 0.0, 0.0
    bound = largest / 10**12
    got_mean, got_deviation = finished(kind, row)
    deviation = _root(variance)
    return float(abs(Fraction(got_mean) - mean) / bound), float(
        abs(Fraction(got_deviation) - deviation) / bound
    )


def _root(value: Fraction) -> Fraction:
    """The square root, to at least 200 bits."""
    shift = max(0, 400 + value.denominator.bit_length() - value.numerator.bit_length())
    shift += shift & 1
    return Fraction(isqrt((value.numerator << shift) // value.denominator), 1 << (shift // 2))


def finished(kind: Kind, row: Words) -> tuple[float, float]:
    """A row's mean and deviation as the public columns give them."""
    rows = np.ascontiguousarray(row.reshape(1, 8))
    words = [np.empty(1, np.int64) for _ in range(4)]
    mean, deviation, count = np.empty(1), np.empty(1), np.empty(1, np.uint64)
    kernels.columns(rows, kind.integer, words[0], words[1], words[2], words[3], mean, deviation, count)
    return float(mean[0]), float(deviation[0])


def aligned_truth(
    kind: Kind, times: Words, words: Words, start: int, end: int, pointwidth: int
) -> dict[int, Words]:
    """Window number -> the words of its points, for windows in [start, end)."""
    low, high = np.searchsorted(times, (start, end))
    numbers = (times[low:high] - MIN_TIME) >> pointwidth
    borders = np.flatnonzero(np.diff(numbers)) + 1
    parts = np.split(words[low:high], borders)
    firsts = numbers[np.concatenate([[0], borders])].tolist() if high > low else []
    return dict(zip(firsts, parts, strict=False))
