"""Arrow IPC streams: sound ones of points and of other things, and damaged ones."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tests.fuzz.bodies import damaged
from tests.fuzz.streams import SECOND, START

if TYPE_CHECKING:
    from random import Random

_TIME: Final = pa.timestamp("ns", "UTC")


class Arrows:
    """Makes streams, from one seed. Some sound ones are made once, since most of the cost is theirs."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._points = [_stream(self._table(kind)) for kind in range(60)]
        self._templates = [written for each in self._points[::3] if (written := _schema_only(each))]

    def points(self) -> bytes:
        """What an insert may get."""
        return self._maybe_damaged(self._rng.choice(self._points))

    def template(self) -> bytes:
        """What a question may get as the schema of its answer."""
        if self._rng.random() < 0.4:
            return b""
        return self._maybe_damaged(self._rng.choice(self._templates))

    def _maybe_damaged(self, stream: bytes) -> bytes:
        return stream if self._rng.random() < 0.7 else damaged(self._rng, stream)

    def _table(self, kind: int) -> pa.Table:
        count = self._rng.choice((0, 1, 7, 200))
        random = np.random.default_rng(self._rng.getrandbits(32))
        times = START + SECOND * random.integers(0, 1_000, count)
        values = random.random(count)
        time, value = pa.array(times, _TIME), pa.array(values)
        if kind % 3:
            return pa.table({"time": time, "value": value})
        return self._rng.choice(_OTHERS)(times, values)


def _stream(table: Any) -> bytes:
    written = io.BytesIO()
    with pa.ipc.new_stream(written, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)
    return written.getvalue()


def _compressed(times: Any, values: Any) -> pa.Table:
    return pa.table({"time": pa.array(times, _TIME), "value": pa.array(values, pa.float32())})


def _schema_only(stream: bytes) -> bytes:
    with pa.ipc.open_stream(stream) as reader:
        schema = reader.schema
    written = io.BytesIO()
    with pa.ipc.new_stream(written, schema):
        pass
    return written.getvalue()


def _with_nulls(times: Any, values: Any) -> pa.Table:
    missing = np.arange(len(values)) % 2 == 0
    return pa.table({"time": pa.array(times, _TIME), "value": pa.array(values, mask=missing)})


_OTHERS: Final = (
    lambda times, values: pa.table({"value": values, "time": pa.array(times, _TIME)}),
    lambda times, values: pa.table({"time": times, "value": values}),
    lambda times, values: pa.table({"time": pa.array(times, pa.timestamp("ns")), "value": values}),
    lambda times, values: pa.table(
        {"time": pa.array(times // 1_000, pa.timestamp("us", "UTC")), "value": values}
    ),
    lambda times, values: pa.table({"time": pa.array(times, _TIME)}),
    lambda times, values: pa.table({"time": pa.array(times, _TIME), "value": times}),
    lambda times, values: pa.table({"time": pa.array(times, _TIME), "value": [str(each) for each in values]}),
    lambda times, values: pa.table({"time": pa.array(times, _TIME), "value": [[each] for each in values]}),
    lambda times, values: pa.table({"time": pa.array(times, _TIME), "value": values > 0.5}),
    lambda times, values: pa.table({"time": pa.array(times, _TIME), "value": pa.array(values * np.nan)}),
    lambda times, values: pa.table(
        {
            "time": pa.array(times, _TIME),
            "value": pa.array([str(each) for each in values]).dictionary_encode(),
        }
    ),
    lambda times, values: pa.table({f"column{n}": values for n in range(300)}),
    lambda times, values: pa.table({"time": pa.nulls(len(times)), "value": pa.nulls(len(times))}),
    _compressed,
    _with_nulls,
)
"""Tables that are no points, or not as they should be."""
