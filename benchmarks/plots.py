"""The plots of the report, as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing

from .asking import COLD, FIRST, WARM
from .contenders import TREE
from .measures import bulk, footprint, growth, rates, views
from .racing import PCODEC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from .results import Results

_COLOURS = {
    TREE: "#c0392b",
    "flat": "#7f8c8d",
    "chunked": "#2980b9",
    "duckdb": "#d4a017",
    "sqlite": "#27ae60",
    PCODEC: "black",
}


def draw_all(results: Results, directory: Path) -> None:
    """Every plot of one run, each in a file of its own that names the profile."""
    mpl.rcParams["svg.hashsalt"] = "otrdb"
    directory.mkdir(parents=True, exist_ok=True)
    for name, draw in PLOTS.items():
        drawing = Drawing(figsize=(7.2, 4.2), layout="constrained")
        draw(results, drawing.subplots())
        drawing.savefig(directory / f"{name}-{results.name}.svg", metadata={"Date": None})


def _insert(results: Results, axes: Axes) -> None:
    """Bars: bulk insert of everyone and of the limit."""
    names = [*results.contenders, PCODEC]
    measured = {name: results.value(bulk.NAME, "rate", name, cores=bulk.ALL_CORES) for name in names}
    rates_ = {name: value / 1e6 for name, value in measured.items() if value}
    bars = axes.barh(list(rates_), list(rates_.values()), color=[_COLOURS[name] for name in rates_])
    axes.bar_label(bars, fmt="{:.3g}", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("M points/s, durable batches of 100,000")


def _zoom(results: Results, axes: Axes) -> None:
    """Lines: a view against the width of what is viewed; the tree also untouched and cold."""
    for name in results.contenders:
        _plot(axes, _by_width(results, name, WARM), f"{name}, warm", name)
    for state, style in ((FIRST, "--"), (COLD, ":")):
        _plot(axes, _by_width(results, TREE, state), f"{TREE}, {state}", TREE, style)
    _finish(axes, "width of the view, s (1,000 windows)", "ms")


def _by_width(results: Results, name: str, state: str) -> list[tuple[float, float]]:
    line = results.line(views.NAME, "view", name, "pointwidth", state=state)
    return [(views.WINDOWS * 2**pointwidth / 1e9, value) for pointwidth, value in line]


def _size(results: Results, axes: Axes) -> None:
    """Lines: a view of everything against the size of the archive."""
    for name in results.contenders:
        line = results.line(growth.NAME, "whole view", name, "points", state=WARM)
        _plot(axes, line, f"{name}, warm", name)
    first = results.line(growth.NAME, "whole view", TREE, "points", state=FIRST)
    _plot(axes, first, f"{TREE}, {FIRST}", TREE, "--")
    _finish(axes, "points in the archive", "ms")


def _cost(results: Results, axes: Axes) -> None:
    """Lines: the cost of a point against the size of the archive."""
    for name in (*results.contenders, PCODEC):
        _plot(axes, results.line(growth.NAME, "insert", name, "points"), name, name)
    _finish(axes, "points in the archive", "ns per point inserted")


def _bytes(results: Results, axes: Axes) -> None:
    """Lines: bytes per point against the rate of the stream."""
    for name in (*results.contenders, PCODEC):
        _plot(axes, results.line(rates.NAME, "live bytes", name, "rate"), name, name)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("points per second")
    axes.set_ylabel("bytes per point")
    _legend(axes)


def _memory(results: Results, axes: Axes) -> None:
    """Bars: peak and idle memory of everyone."""
    names = results.contenders
    for metric, shade in (("peak memory", 0.4), ("idle memory", 1.0)):
        held = [(results.value(footprint.NAME, metric, name) or 0.0) / 1e6 for name in names]
        bars = axes.barh(names, held, color=[_COLOURS[name] for name in names], alpha=shade)
        axes.bar_label(bars, fmt="{:.0f}", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("MB of memory: idle (dark) and at most while inserting and asking")


def _plot(axes: Axes, line: Sequence[tuple[float, float]], label: str, name: str, style: str = "-") -> None:
    if line:
        axes.plot(*zip(*line, strict=True), style, color=_COLOURS[name], label=label, marker=".")


def _finish(axes: Axes, across: str, up: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(visible=True, which="major", alpha=0.3)
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))


PLOTS: dict[str, Callable[[Results, Axes], None]] = {
    "insert": _insert,
    "zoom": _zoom,
    "size": _size,
    "cost": _cost,
    "bytes": _bytes,
    "memory": _memory,
}
