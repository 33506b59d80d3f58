"""The messages of BTrDB's gRPC interface: see ``btrdb.proto``."""

from otrdb.wire.loading import messages

globals().update(messages("btrdb.binpb"))
