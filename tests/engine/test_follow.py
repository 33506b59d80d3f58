"""A reader beside a writer: what it sees is one state of all streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import otrdb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

TURNS = 3


def test_a_batch_is_not_seen_in_part_however_its_streams_are_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch comes when the reader has just read the journal, and one of its streams is committed before
    the reader looks at the segments.
    """
    with otrdb.open(tmp_path / "a.otr") as archive, otrdb.open(tmp_path / "a.otr", mode="r") as reader:
        first, second = (archive.create(f"line/{number}") for number in range(2))
        here, there = (reader.stream(stream.uuid) for stream in (first, second))
        follower = reader._engine._follower
        assert follower is not None
        records, turns = follower._journal.records, list[int]()

        def read(*arguments: Any) -> Iterator[Any]:
            yield from records(*arguments)
            if len(turns) < TURNS:
                turns.append(len(turns))
                archive.insert({first: (len(turns), 1.0), second: (len(turns), 1.0)})
                first.flush()

        monkeypatch.setattr(follower._journal, "records", read)
        follower.refresh()
        with reader.snapshot() as moment:
            seen = [moment.view(stream).count() for stream in (here, there)]
        assert seen == [TURNS, TURNS]
