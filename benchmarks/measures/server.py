"""The server, asked by BTrDB's official client on the same machine.

The client is in a process of its own, the server in another; both share the processors. What the client
itself takes is in every figure: one Python object for each point, where it does not get Arrow.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

import otrdb
from benchmarks import child
from benchmarks.contenders import TREE
from benchmarks.serving import Serving, connected, serving
from benchmarks.timing import repeated
from benchmarks.workload import START, Batch, sensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.context import Context

NAME = "server"
CLIENTS: Final = 8
CHUNK: Final = 50_000
"""Points the client sends at a time."""
RAW: Final = 10_000
WINDOWS: Final = 1_000
BY_POINTS: Final = 10
"""A tenth of the points are inserted one object each, too."""
_PARTS: Final = 5
_REPEATS: Final = 200
_PLACES: Final = 20
_POLLS: Final = 5
_UNITS: Final = {"insert": "points/s", "processor": "us/point", "memory": "bytes", "share": ""}

Found = dict[str, list[float]]


def run(context: Context) -> None:
    """The tree behind its server."""
    if not any(contender.name == TREE for contender in context.contenders):
        return
    profile = context.profile
    found = child.call(
        f"{__name__}:through_client",
        path=str(context.fresh(NAME)),
        points=profile.server_points,
        streams=profile.polled_streams,
    )
    for metric, repeats in found.items():
        context.figures.add(NAME, metric, TREE, _UNITS.get(metric.split()[-1], "ms"), repeats)


def through_client(path: str, points: int, streams: int) -> Found:
    """In a process of its own: everything that is measured, by metric."""
    archive = Path(path)
    archive.mkdir(parents=True)
    with serving(archive) as server:
        found = {"idle memory": [float(server.memory()["held"])]}
        connection = connected(server.address)
        found |= _inserts(server, connection, points)
        found |= _questions(connection.stream_from_uuid(UUID(int=1)), points)
        found["kept share"] = [_in_parallel(server, connection, max(points // BY_POINTS // CLIENTS, 1))]
        found["polled share"] = [_polled(connection, archive, streams)]
        found["peak memory"] = [float(server.memory()["peak"])]
    return found


def _inserts(server: Serving, connection: Any, points: int) -> Found:  # noqa: ANN401
    batches = list(sensor().batches(points, CHUNK))
    tables = [_table(batch) for batch in batches]
    pairs = [list(zip(*map(np.ndarray.tolist, batch), strict=True)) for batch in batches[::BY_POINTS]]
    stream = connection.create(UUID(int=1), "bench", {"name": "arrow", "unit": "V"})
    other = connection.create(UUID(int=2), "bench", {"name": "points", "unit": "V"})
    return _inserted(server, "Arrow", tables, stream.arrow_insert) | _inserted(
        server, "protobuf", pairs, other.insert
    )


def _inserted(server: Serving, way: str, batches: Sequence[Any], insert: Callable[[Any], object]) -> Found:
    """Points a second, and the server's processor time for a point, us; in several parts."""
    rates, used = [], []
    for part in np.array_split(np.arange(len(batches)), min(_PARTS, len(batches))):
        before, start = server.processor_seconds(), perf_counter()
        for number in part:
            insert(batches[number])
        count = sum(len(batches[number]) for number in part)
        rates.append(count / (perf_counter() - start))
        used.append(1e6 * (server.processor_seconds() - before) / count)
    return {f"{way} insert": rates, f"{way} insert, server's processor": used}


def _table(batch: Batch) -> Any:  # noqa: ANN401
    import pyarrow as pa

    times = pa.array(batch.times, pa.timestamp("ns", tz="UTC"))
    return pa.table({"time": times, "value": pa.array(batch.values)})


def _questions(stream: Any, points: int) -> Found:  # noqa: ANN401
    interval = sensor().interval
    span = points * interval
    pointwidth = (span // WINDOWS).bit_length()
    first = np.random.default_rng(5).integers(START, START + max(span - RAW * interval, 1), _PLACES)
    places = cycle(first.tolist())

    def raw(ask: Callable[[int, int], object]) -> Callable[[], object]:
        def somewhere() -> object:
            place = next(places)
            return ask(place, place + RAW * interval)

        return somewhere

    asks: dict[str, Callable[[], object]] = {
        "view": lambda: stream.aligned_windows(START, START + span, pointwidth),
        "Arrow view": lambda: stream.arrow_aligned_windows(START, START + span, pointwidth),
        "raw": raw(stream.values),
        "Arrow raw": raw(stream.arrow_values),
        "nearest": lambda: stream.nearest(next(places), version=0),
        "version": stream.version,
    }
    return {metric: _milliseconds(ask) for metric, ask in asks.items()}


def _milliseconds(ask: Callable[[], object]) -> list[float]:
    for _ in range(_PLACES):
        ask()
    return [1e3 * seconds for seconds in repeated(ask, _REPEATS, seconds=5)]


def _in_parallel(server: Serving, connection: Any, points: int) -> float:  # noqa: ANN401
    """The share of what clients insert at once, each into its own stream, that is there afterwards."""
    streams = [
        connection.create(UUID(int=100 + number), "bench/parallel", {"name": str(number), "unit": "V"})
        for number in range(CLIENTS)
    ]

    def insert(stream: Any) -> object:  # noqa: ANN401
        return child.call(f"{__name__}:client", address=server.address, uuid=str(stream.uuid), points=points)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(insert, streams))
    kept = [_kept(stream, points) for stream in streams]
    return sum(kept) / (CLIENTS * points)


def _kept(stream: Any, points: int) -> int:  # noqa: ANN401
    """How many of the points are there, each as it was sent."""
    table = stream.arrow_values(START, sensor().end(points))
    sent = _whole(points)
    times = table["time"].cast("int64").to_numpy()
    same = np.array_equal(times, sent.times) and np.array_equal(table["value"].to_numpy(), sent.values)
    return points if same else 0


def client(address: str, uuid: str, points: int) -> dict[str, int]:
    """In a process of its own: one of the clients."""
    stream = connected(address).stream_from_uuid(uuid)
    stream.arrow_insert(_table(_whole(points)))
    return {"points": points}


def _whole(points: int) -> Batch:
    (batch,) = sensor().batches(points, points)
    return batch


def _polled(connection: Any, archive: Path, streams: int) -> float:  # noqa: ANN401
    """How much larger the segments are after many live streams were asked for their newest point by version,
    again and again: 1 if that made no commit."""
    live = [
        connection.create(UUID(int=1_000 + number), "bench/polled", {"name": str(number), "unit": "V"})
        for number in range(streams)
    ]
    polled = connection.streams(*[str(stream.uuid) for stream in live])
    before = _segment_bytes(archive)
    for poll in range(_POLLS):
        for stream in live:
            stream.insert([(START + poll, float(poll))])
        assert {point.time for point in polled.latest()} == {START + poll}
    return _segment_bytes(archive) / before


def _segment_bytes(archive: Path) -> int:
    with otrdb.open(archive, mode="r") as reader:
        size: int = reader.stats()["segment_bytes"]
    return size
