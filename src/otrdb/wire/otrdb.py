"""The messages of OtrDB's own gRPC interface: see ``otrdb.proto``."""

from otrdb.wire.loading import messages

globals().update(messages("otrdb.binpb"))
