"""Every public name with the type its users get. `make lint` checks this file; tests/test_public_surface.py
checks that no name is missing.

`assert_type` fails in mypy if a name has become `Any`, or another type than it had.
"""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, assert_type
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa

import otrdb
from otrdb.remote import archive as remote_archive
from otrdb.remote import stream as remote_stream

if TYPE_CHECKING:
    from otrdb.interface import ArchiveLike, ReadsLike, SnapshotLike, StreamLike, ViewLike

Ints = npt.NDArray[np.int64]


def constants() -> None:
    assert_type(otrdb.MAX_TIME - otrdb.MIN_TIME, int)
    assert_type(otrdb.Kind("float"), otrdb.Kind)
    assert_type(otrdb.Merge("equal").code, int)


def archive(db: otrdb.Archive, stream: otrdb.Stream, uuid: UUID) -> None:
    assert_type(otrdb.open("plant.otr", mode="r", durability="off", memory=1 << 25), otrdb.Archive)
    assert_type(otrdb.repair("plant.otr"), list[otrdb.Finding])
    assert_type(db.create("plant", kind="int", tags={"name": "heat"}, uuid=uuid), otrdb.Stream)
    assert_type(db.stream(uuid), otrdb.Stream)
    assert_type(db.stream("plant", name="heat", unit="C"), otrdb.Stream)
    assert_type(db.streams("plant", tags={"name": None}), list[otrdb.Stream])
    assert_type(db.collections(), list[str])
    assert_type(db.insert({stream: ([1], [1.0])}, merge="equal"), otrdb.InsertedBatch)
    assert_type(db.insert_columns([0], [1], [1.0], (stream,)), otrdb.InsertedBatch)
    assert_type(db.values([stream], 0, 1, align="inner"), otrdb.Wide | otrdb.Long)
    assert_type(db.snapshots(), list[str])
    assert_type(db.info(), dict[str, Any])
    assert_type(db.stats(), dict[str, Any])
    assert_type(db.check(deep=False), Iterator[otrdb.Finding])


def remote() -> None:
    db = otrdb.connect("grpcs://plant:4411", api_key="key", ca="ca.pem", timeout=10.0)
    archive: ArchiveLike = db
    assert_type(db, remote_archive.Archive)
    heat = db.create("plant", kind="int")
    handle: StreamLike = heat
    view: ViewLike = heat.at(11)
    snapshot: SnapshotLike = db.snapshot()
    reads: ReadsLike = db.snapshot().view(heat)
    assert_type(db.streams("plant"), list[remote_stream.Stream])
    assert_type(db.insert({heat: ([1], [1])}), otrdb.InsertedBatch)
    assert_type(db.values([heat]), otrdb.Wide | otrdb.Long)
    assert_type(heat.insert(1, 1), otrdb.Inserted)
    assert_type(heat.as_of("2026-11-01T00:00Z").values(), otrdb.Points)
    assert_type(heat.changes(10), list[otrdb.Change])
    assert_type(heat.leaving_out_damage().left_out, tuple[otrdb.LeftOut, ...])
    assert_type(heat.zoom(points=100), otrdb.Windows)
    assert_type(db.rules(), list[otrdb.Rule])
    assert_type(db.expire(), list[otrdb.Expiry])
    assert_type(db.check(), Iterator[otrdb.Finding])
    del archive, handle, view, snapshot, reads


def streams(stream: otrdb.Stream) -> None:
    assert_type(stream.uuid, UUID)
    assert_type(stream.kind, otrdb.Kind)
    assert_type(stream.tags, dict[str, str])
    assert_type(stream.version, int)
    assert_type(stream.insert(dt.datetime.now(dt.UTC), 1.0, merge=otrdb.Merge.RETAIN), otrdb.Inserted)
    assert_type(stream.delete("2026-11-01T00:00Z", np.datetime64("2026-11-02")), int)
    assert_type(stream.flush(), int)
    assert_type(stream.update(annotations={"cabinet": None}), int)
    assert_type(stream.at(11), otrdb.View)
    assert_type(stream.as_of("2026-11-01T00:00Z"), otrdb.View)
    assert_type(stream.changes(10), list[otrdb.Change])


def reads(source: otrdb.Stream | otrdb.View | otrdb.Partial) -> None:
    assert_type(source.values(), otrdb.Points)
    assert_type(source.aligned_windows(0, 1, 30), otrdb.Windows)
    assert_type(source.windows(0, 1, "5min", columns=["sum"]), otrdb.Windows)
    assert_type(source.zoom(points=100), otrdb.Windows)
    assert_type(source.nearest(0, backward=True), otrdb.Point | None)
    assert_type(source.count(), int)


def damaged(db: otrdb.Archive, stream: otrdb.Stream) -> None:
    assert_type(stream.leaving_out_damage(), otrdb.PartialStream)
    assert_type(stream.leaving_out_damage().changes(10), list[otrdb.Change])
    assert_type(stream.at(11).leaving_out_damage(), otrdb.Partial)
    assert_type(stream.leaving_out_damage().left_out, tuple[otrdb.LeftOut, ...])
    assert_type(db.values([stream], leave_out_damage=True).left_out, tuple[otrdb.LeftOut, ...])


def results(points: otrdb.Points, windows: otrdb.Windows, joined: otrdb.Joined) -> None:
    assert_type(points.times, Ints)
    assert_type(points.to_arrow(), pa.Table)
    assert_type(points.to_polars(), pl.DataFrame)
    assert_type(list(points), list[otrdb.Point])
    assert_type(windows.time, Ints)
    assert_type(windows.to_pandas(), pd.DataFrame)
    assert_type(windows.to_numpy(), dict[str, npt.NDArray[Any]])
    assert_type(joined.to_pandas(), pd.DataFrame)


def tuples(point: otrdb.Point, inserted: otrdb.Inserted, finding: otrdb.Finding) -> None:
    assert_type(point.time, int)
    assert_type(inserted.durable, bool)
    assert_type(finding.stream, UUID | None)


def subscriptions(db: otrdb.Archive, stream: otrdb.Stream) -> None:
    with db.subscribe([stream], wake=lambda: None) as subscription:
        assert_type(subscription, otrdb.Subscription)
        assert_type(subscription.get(timeout=1), otrdb.Arrival | None)
        assert_type(next(iter(subscription)).points[stream][0], Ints)
        assert_type(subscription.streams, list[otrdb.Stream])


def rules(db: otrdb.Archive, stream: otrdb.Stream) -> None:
    db.set_retention("90d", prefix="plant/")
    db.set_thinning("30d", pointwidth=40, prefix="plant/")
    db.set_history(None, stream=stream)
    assert_type(db.rules(), list[otrdb.Rule])
    assert_type(db.expire(dry_run=True), list[otrdb.Expiry])


def snapshots(db: otrdb.Archive, stream: otrdb.Stream) -> None:
    with db.snapshot("kept") as snapshot:
        assert_type(snapshot, otrdb.Snapshot)
        assert_type(snapshot.streams(), list[otrdb.Stream])
        assert_type(snapshot.view(stream).count(), int)
    assert_type(db.open_snapshot("kept").name, str | None)


def files(path: str) -> None:
    with otrdb.inspect(path) as inspection:
        assert_type(inspection, otrdb.Inspection)
        assert_type(inspection.block(1, 48).sound, bool)
        assert_type(inspection.root("plant"), tuple[int, int])


def backups(db: otrdb.Archive, stream: otrdb.Stream) -> None:
    assert_type(db.backup("backup"), otrdb.BackedUp)
    assert_type(db.backup("backup", progress=lambda done, total: None).findings, list[otrdb.Finding])
    assert_type(otrdb.restore("backup", "new.otr"), int)
    otrdb.restore("backup", "new.otr", streams=[stream, stream.uuid, "plant"], as_of=11)


def errors(error: otrdb.OtrError) -> None:
    assert_type(error.code, str)
    assert_type(error.advice, str)
