"""Sweeps the constants of the tree: what another value would cost in bytes, blocks read and build rate.

``python -m benchmarks.sweep`` prints Markdown for docs/design.md. Trees are built in memory, over the rates
from 0.01 Hz to 10 kHz, one constant changed at a time, each configuration in a process of its own. Slots per
node are fixed by the format of a node's rows and are not swept.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from otrdb import tree
from otrdb.model import Kind, Merge
from otrdb.ranges import align_down
from otrdb.tree import codec, geometry

from . import child
from .console import number
from .limits import coded_bytes
from .machine import progress
from .measures.views import WINDOWS, zooms
from .profiles import MILLION, RATES
from .tables import table
from .timing import repeated, seconds_of
from .workload import START, Batch, Workload, sensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .racing import Racer

Constants = dict[str, int]

PRODUCT: Final[Constants] = {
    "LEAF_CAPACITY": geometry.LEAF_CAPACITY,
    "PAGE_POINTS": geometry.PAGE_POINTS,
    "LEAF_ROWS_SHIFT": geometry.LEAF_ROWS_SHIFT,
    "ROOT_POINTWIDTH": geometry.ROOT_POINTWIDTH,
    "ROOT_SPAN": geometry.ROOT_SPAN,
    "LEVEL": codec.LEVEL,
}
"""The product's own constants."""

SWEEPS: Final[dict[str, list[Constants]]] = {
    "Points in a leaf": [{"LEAF_CAPACITY": 1 << shift} for shift in (12, 13, 14, 15, 16)],
    "Points in a page": [{"PAGE_POINTS": 1 << shift} for shift in (9, 10, 11, 12)],
    "Rows a leaf has in its node at most, log2": [{"LEAF_ROWS_SHIFT": shift} for shift in (4, 5, 6, 7, 8)],
    "Pointwidth of the root": [
        {"ROOT_POINTWIDTH": 58 - doubled, "ROOT_SPAN": 1 << doubled} for doubled in range(4)
    ],
    "pcodec level": [{"LEVEL": level} for level in (1, 2, 3, 4, 6, 8)],
}
"""What is tried of each; the root's span follows from its pointwidth, as time fills a quarter of 2**64 ns."""

_CACHE_BYTES = 1 << 28
_WARM = 5


@dataclass(frozen=True)
class Built:
    """What one tree came to."""

    rate: float
    bytes_per_point: float
    over_pcodec: float
    blocks: list[int]
    """Blocks read by a first view, for each zoom."""
    milliseconds: list[float]
    """A warm view, for each zoom."""
    build_rate: float
    """Points per second, coding included."""
    build_share: float
    """The same as a share of what pcodec alone coded in this process under the product's constants."""


def apply(constants: Constants) -> None:
    """Replaces the constants in every module of the tree that uses them; for a process of its own."""
    for module in [module for name, module in sys.modules.items() if name.startswith("otrdb.tree")]:
        for name in constants.keys() & vars(module).keys():
            setattr(module, name, constants[name])
        for cached in [value for value in vars(module).values() if hasattr(value, "cache_clear")]:
            cached.cache_clear()


def measure(constants: str, rates: str, points: int) -> dict[str, Any]:
    """In a process of its own: a tree per rate under other constants. Arguments are JSON."""
    limits = {rate: _limit(sensor(rate), points) for rate in json.loads(rates)}
    apply(json.loads(constants))
    return {"built": [asdict(_built(sensor(rate), points, *limit)) for rate, limit in limits.items()]}


def _limit(workload: Workload, points: int) -> tuple[float, float]:
    """Bytes per point and points per second of pcodec alone, under the product's constants."""
    coded: list[int] = []
    seconds = _seconds(lambda batch: coded.append(coded_bytes(Kind.FLOAT, batch)), workload, points)
    return sum(coded) / points, points / seconds


def _seconds(take: Racer, workload: Workload, points: int) -> float:
    """How long all batches take."""
    return sum(seconds_of(partial(take, batch)) for batch in workload.batches(points))


def _built(workload: Workload, points: int, limit: float, limit_rate: float) -> Built:
    made = Tree()
    seconds = _seconds(made.insert, workload, points)
    widths = zooms(workload, points)
    live = made.live_bytes() / points
    return Built(
        rate=workload.rate,
        bytes_per_point=live,
        over_pcodec=live - limit,
        blocks=[made.blocks_of_view(workload, points, width) for width in widths],
        milliseconds=[made.milliseconds_of_view(workload, points, width) for width in widths],
        build_rate=points / seconds,
        build_share=points / seconds / limit_rate,
    )


class Tree:
    """A stream's tree over blocks in memory, saved after every insert as a commit would."""

    def __init__(self) -> None:
        self._blocks = tree.MemoryBlocks()
        self._source = tree.Source(Kind.FLOAT, self._blocks, tree.Cache(_CACHE_BYTES))
        self._root = tree.empty_root()
        self._address: tree.Address | None = None
        self._version = 10

    def insert(self, batch: Batch) -> None:
        """The points, and everything coded."""
        self._version += 1
        columns = batch.times, batch.values.view("int64")
        edit = tree.Edit(self._source, self._version)
        root = tree.insert(edit, self._root, columns, Merge.NEVER)
        saving = tree.Save(self._blocks)
        self._address = saving.tree(self._source, root)
        saving.publish()
        self._root = root

    def live_bytes(self) -> int:
        """Bytes of the blocks the newest root leads to."""
        return sum(address[2] for address in self._addresses())

    def _addresses(self) -> Iterator[tree.Address]:
        assert self._address is not None
        yield self._address
        yield from self._below(self._root)

    def _below(self, node: tree.Node) -> Iterator[tree.Address]:
        for below in node.children:
            if below.address is not None:
                yield below.address
            if below.kind == tree.ChildKind.NODE:
                yield from self._below(self._source.node(below))

    def blocks_of_view(self, workload: Workload, points: int, pointwidth: int) -> int:
        """Blocks read by a view of about 1,000 windows in the middle, nothing being cached."""
        assert self._address is not None
        source = tree.Source(Kind.FLOAT, self._blocks, tree.Cache(_CACHE_BYTES))
        before = self._blocks.reads
        start, end = _range(workload, points, pointwidth)
        tree.aligned_windows(source, source.node_at(self._address), start, end, pointwidth)
        return self._blocks.reads - before

    def milliseconds_of_view(self, workload: Workload, points: int, pointwidth: int) -> float:
        """The same view, warm."""
        start, end = _range(workload, points, pointwidth)

        def view() -> None:
            tree.aligned_windows(self._source, self._root, start, end, pointwidth)

        view()
        return 1e3 * min(repeated(view, _WARM))


def _range(workload: Workload, points: int, pointwidth: int) -> tuple[int, int]:
    span = points * workload.interval
    width = min(WINDOWS << pointwidth, span)
    start = START + (span - width) // 2
    return align_down(start, pointwidth), align_down(start + width, pointwidth)


def sweep(rates: Sequence[float], points: int) -> Iterator[str]:
    """Markdown: the product's own constants at every rate, then a table for every constant."""
    product = _measured({}, rates, points)
    yield f"{points:,} points a stream, inserted in batches of 100,000; the product's own choice in bold.\n"
    yield table(_HEADER_BY_RATE, map(_row_of_rate, product))
    for title, choices in SWEEPS.items():
        yield f"\n{title}:\n"
        yield table(_HEADER, [_row(choice, _measured(choice, rates, points, product)) for choice in choices])


def _measured(
    constants: Constants, rates: Sequence[float], points: int, product: list[Built] | None = None
) -> list[Built]:
    """The trees under these constants; those of the product are not built again."""
    if product is not None and constants.items() <= PRODUCT.items():
        return product
    progress(f"{constants or 'the product'}")
    found = child.call(
        "benchmarks.sweep:measure",
        constants=json.dumps(constants),
        rates=json.dumps(list(rates)),
        points=points,
    )
    return [Built(**built) for built in found["built"]]


_MEASURED = (
    "bytes/point",
    "over pcodec alone",
    "blocks a view, mean",
    "most",
    "view, ms",
    "of pcodec's rate",
)
_HEADER_BY_RATE = ("Hz", *_MEASURED, "M points/s")
_HEADER = ("", "bytes/point, mean", "over pcodec alone, mean", "most", *_MEASURED[2:])


def _row_of_rate(built: Built) -> list[str]:
    size = built.bytes_per_point, built.over_pcodec
    views = fmean(built.blocks), max(built.blocks), fmean(built.milliseconds)
    return list(map(number, (built.rate, *size, *views, built.build_share, built.build_rate / MILLION)))


def _row(constants: Constants, trees: list[Built]) -> list[str]:
    (choice, *_) = constants.values()
    blocks = [count for built in trees for count in built.blocks]
    spent = [milliseconds for built in trees for milliseconds in built.milliseconds]
    over = [built.over_pcodec for built in trees]
    size = fmean(built.bytes_per_point for built in trees)
    rate = fmean(built.build_share for built in trees)
    cells = [size, fmean(over), max(over), fmean(blocks), max(blocks), fmean(spent), rate]
    chosen = constants.items() <= PRODUCT.items()
    return [f"**{choice:,}**" if chosen else f"{choice:,}", *map(number, cells)]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--points", type=int, default=MILLION, help="points a stream")
    parser.add_argument("--rates", default=",".join(map(str, RATES)), help="Hz, separated by commas")
    options = parser.parse_args()
    for text in sweep([float(rate) for rate in options.rates.split(",")], options.points):
        print(text, flush=True)


if __name__ == "__main__":
    main()
