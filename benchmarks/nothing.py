"""An archive that keeps nothing: what is left when it takes part is the cost of asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .workload import sensor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from otrdb.model import Array, Int64Array, KindLike

    from .contenders import MeasuredStream, Times, Values

NOTHING: Final = "nothing"


class Nothing:
    """An archive and a stream that keep nothing and answer raw ranges with as many points as asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, collection: str, *, kind: KindLike = "float") -> MeasuredStream:
        return self

    def stream(self, collection: str, /) -> MeasuredStream:
        return self

    def insert(self, times: Times, values: Values) -> None: ...

    def insert_columns(
        self, stream_index: Int64Array, times: Int64Array, values: Array, streams: Sequence[object]
    ) -> None: ...

    def aligned_windows(self, start: int, end: int, pointwidth: int) -> Array:
        return np.zeros((end - start) >> pointwidth)

    def windows(self, start: int, end: int, width: int) -> Array:
        return np.zeros((end - start) // width)

    def values(self, start: int, end: int) -> Array:
        return np.zeros(2 * (end - start) // sensor().interval)

    def nearest(self, time: int) -> None: ...

    def flush(self) -> None: ...

    def stats(self) -> dict[str, Any]:
        return {"segment_bytes": 1, "dead_bytes": 0}

    def close(self) -> None: ...
